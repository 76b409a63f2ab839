"""A run: the reference rows and every trial of a plan that has not finished before, recorded below one parent run.

Owns which trials are trained and which are known from the store; an engine has them trained. What is known and what
goes on from a checkpoint stays below the parent that it was begun under.
"""

from __future__ import annotations

import contextlib
import shlex

from mlflow.entities import Run as MlflowRun

from bench.journal import NoRoom
from bench.plan import Skip, Trial
from bench.spool import Spool
from bench.train.conditions import Conditions
from bench.train.interface import Ended, Engine, Order, Outcome, Watcher
from bench.train.references import References
from bench.train.signals import Interrupts
from bench.train.workplace import Workplace


def known(conditions: Conditions, spool: Spool) -> dict[Trial, MlflowRun]:
    """Trials that are in the store already, without those that `--fresh` began again since and did not end."""
    finished = conditions.finished(spool.store, conditions.plan.trials)
    return {
        trial: run
        for trial, run in finished.items()
        if not spool.is_begun_again(conditions.fingerprint(trial), run.info.start_time / 1000)
    }


class Run:
    """Executes the plan of a workplace; `invocation` is the command line that asked for it."""

    def __init__(self, workplace: Workplace, invocation: str) -> None:
        self.workplace, self.invocation = workplace, invocation
        self.conditions, self.spool = workplace.conditions, workplace.spool
        self.plan = self.conditions.plan
        self.known = {} if workplace.fresh else known(self.conditions, self.spool)
        """Trials that are not trained again, and their runs."""
        self.references = References(workplace)
        self.run_ids: list[str] = [*(run.info.run_id for run in self.known.values()), *self.references.run_ids]
        """The runs that this run's tables are made of, beside those of its own parent."""

    @property
    def trials(self) -> list[Trial]:
        """What is to be trained, in order."""
        return [trial for trial in self.plan.trials if trial not in self.known]

    def execute(self, engine: Engine, watcher: Watcher) -> list[Outcome]:
        """Every outcome, as they come. A trial that fails does not stop the others, a signal does."""
        outcomes: list[Outcome] = []
        status = "FAILED"
        self.parent = self.spool.start(self.invocation.removeprefix("bench run "), "run")
        self.parent.tags(self.workplace.common | {"command": self.invocation, "trials": str(len(self.plan.trials))})
        with Interrupts() as interrupts:
            try:
                for skip in self.plan.skips:
                    self._record_skip(skip)
                if self.trials:
                    with interrupts.immediate():
                        self.references.score()
                    self.references.record(self.parent)
                for ended in engine.run(self._orders(), watcher, interrupts):
                    outcome = self._take(ended, watcher)
                    if outcome is not None:
                        outcomes.append(outcome)
                status = "FINISHED"
            except KeyboardInterrupt:
                status = "KILLED"
                watcher.say(f"stopped; {self._going_on()}")
                raise
            finally:
                with contextlib.suppress(NoRoom):
                    self.parent.close(status)
        return outcomes

    def _going_on(self) -> str:
        """What goes on with this run: its command, but for `--fresh`, which would begin anew."""
        words = shlex.split(self.invocation)
        command = f"to go on: {shlex.join(word for word in words if word != '--fresh')}"
        if not self.workplace.fresh:
            return command
        first = "" if "--fresh" in words else "take 'fresh' out of the plan's file; "
        return f"trials that were not begun again keep the results that they have; {first}{command}"

    def _orders(self) -> list[Order]:
        return [
            Order(number, self.conditions.fingerprint(trial), self.parent.id, self.references.untrained)
            for number, trial in enumerate(self.plan.trials)
            if trial not in self.known
        ]

    def _take(self, ended: Ended, watcher: Watcher) -> Outcome | None:
        """The outcome of a trial, or None where another process has it."""
        if self.parent.run_id is None:  # no process delivers what belongs to it before
            self.parent.flush()
        if ended.lost:
            order = Order(ended.number, "", self.parent.id, {}, ended.patience)
            ended = self.workplace.give_up(order, ended.lost, watcher)
        if ended.run_id is not None:
            self.run_ids.append(ended.run_id)
        return ended.outcome

    def _record_skip(self, skip: Skip) -> None:
        writer = self.spool.start(f"{skip.cell.label} (skipped)", "skip", self.parent)
        writer.tags(self.workplace.cell_tags(skip.cell) | {"status": "skipped", "reason": skip.reason})
        writer.close("FINISHED")

"""A run: the reference rows and every trial of a plan that has not finished before, recorded below one parent run.

Owns which trials are trained and which are known from the store; an engine has them trained. What is known and what
goes on from a checkpoint stays below the parent that it was begun under.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import torch

from bench.journal import NoRoom
from bench.pictures import SAMPLES, png_bytes
from bench.plan import Skip, Trial
from bench.protocol import Protocol
from bench.samples import Samples
from bench.track import PREFIX
from bench.train.interface import Ended, Engine, Order, Outcome, Watcher
from bench.train.sampling import draw
from bench.train.signals import Interrupts
from bench.train.workplace import Workplace
from gans import GAN

UNTRAINED = "untrained generator"
"""The row of reference that learning is measured from."""


class Run:
    """Executes the plan of a workplace; `invocation` is the command line that goes on with it."""

    def __init__(self, workplace: Workplace, invocation: str) -> None:
        self.workplace, self.invocation = workplace, invocation
        self.conditions, self.spool = workplace.conditions, workplace.spool
        self.plan, self.task = self.conditions.plan, self.conditions.task
        known = {} if workplace.fresh else self.conditions.finished(self.spool.store, self.plan.trials)
        self.known: dict[Trial, str] = {trial: run.info.run_id for trial, run in known.items()}
        """Trials that are in the store already, and the ids of their runs."""
        self.run_ids: list[str] = list(self.known.values())
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
                untrained: dict[str, float] = {}
                if self.trials:
                    with interrupts.immediate():
                        references = self._references()
                    self._record_references(references)
                    untrained = references[UNTRAINED][1] if UNTRAINED in references else {}
                else:
                    self.run_ids += self._known_references()
                for ended in engine.run(self._orders(untrained), watcher, interrupts):
                    outcome = self._take(ended, watcher)
                    if outcome is not None:
                        outcomes.append(outcome)
                status = "FINISHED"
            except KeyboardInterrupt:
                status = "KILLED"
                watcher.say(f"stopped; to go on: {self.invocation}")
                raise
            finally:
                with contextlib.suppress(NoRoom):
                    self.parent.close(status)
        return outcomes

    def _orders(self, untrained: dict[str, float]) -> list[Order]:
        return [
            Order(number, self.conditions.fingerprint(trial), self.parent.id, untrained)
            for number, trial in enumerate(self.plan.trials)
            if trial not in self.known
        ]

    def _take(self, ended: Ended, watcher: Watcher) -> Outcome | None:
        """The outcome of a trial, or None where another process has it."""
        if ended.lost:
            order = Order(ended.number, "", self.parent.id, {})
            ended = self.workplace.give_up(order, ended.lost, watcher)
        if ended.run_id is not None:
            self.run_ids.append(ended.run_id)
        return ended.outcome

    def _record_skip(self, skip: Skip) -> None:
        writer = self.spool.start(f"{skip.cell.label} (skipped)", "skip", self.parent)
        writer.tags(self.workplace.cell_tags(skip.cell) | {"status": "skipped", "reason": skip.reason})
        writer.close("FINISHED")

    def _references(self) -> dict[str, tuple[Samples, dict[str, float]]]:
        """Real data (the floor), trivial answers, an untrained uniform generator: their samples and scores by name."""
        settings, data, yardstick = self.conditions.settings, self.conditions.data, self.conditions.yardstick
        n = settings.samples
        real = Samples(self.task.real_elements(data, n))
        references: dict[str, tuple[Samples, dict[str, float]]] = {}
        floor = yardstick.floor(real.images, n)
        if floor:
            references[self.task.real] = real, floor
        baselines = self.task.baselines(data, n)
        if self.task.field.source is None:
            torch.manual_seed(0)
            untrained = GAN(field=self.task.field).to(settings.device)
            examples = self.task.examples(data, n, seed=0)
            baselines[UNTRAINED] = draw(untrained, untrained.generator, examples, seed=0)
        return references | {name: (samples, yardstick.judge(samples)) for name, samples in baselines.items()}

    def _tables(self) -> list[tuple[Protocol, str]]:
        """The protocols and tracks of the run's cells, each pair once."""
        pairs = ((self.conditions.protocol(cell), self.conditions.track(cell)) for cell in self.plan.cells)
        return list(dict.fromkeys(pairs))

    def _known_references(self) -> list[str]:
        """The ids of the runs of reference rows that belong into this run's tables."""
        tables = {(protocol.to_json(), track) for protocol, track in self._tables()}
        runs = self.spool.store.runs("reference", status="finished")
        keys = ((run.data.tags.get(f"{PREFIX}protocol"), run.data.tags.get(f"{PREFIX}track")) for run in runs)
        return [run.info.run_id for run, key in zip(runs, keys, strict=True) if key in tables]

    def _record_references(self, references: dict[str, tuple[Samples, dict[str, float]]]) -> None:
        """The reference rows, once for each table of the run."""
        for protocol, track in self._tables():
            for name, (samples, scores) in references.items():
                writer = self.spool.start(name, "reference", self.parent)
                tags = {"name": name, "cell": name, "track": track, "status": "finished", "reason": ""}
                writer.tags(self.workplace.common | tags | {"protocol": protocol.to_json()})
                writer.metrics(scores, step=0)
                writer.artifact(SAMPLES, png_bytes(self.task.picture(samples.first(self.task.shown), 10)))
                writer.close("FINISHED")


class InProcess:
    """The engine that trains here, one trial after the other."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace

    def run(self, orders: Sequence[Order], watcher: Watcher, interrupts: Interrupts) -> Iterator[Ended]:
        """See `Engine`."""
        for order in orders:
            interrupts.obey()
            yield self.workplace.train(order, watcher, interrupts)

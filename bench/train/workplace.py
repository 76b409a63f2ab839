"""The workplace: where trials of a grid are trained in this process, one after the other or together, and recorded.

Takes a trial, gives how it ended. There is one in each process that trains; `bench.train.run` says which trials.
"""

from __future__ import annotations

import json
from collections.abc import Generator

import torch

import gans
from bench import environment
from bench.plan import Cell, Trial, command
from bench.spool import RunWriter, Spool, Taken
from bench.train.checkpoint import Checkpoints
from bench.train.conditions import Conditions
from bench.train.interface import Ended, Order, Outcome, Watcher
from bench.train.lanes import Lane
from bench.train.loop import Counts
from bench.train.signals import Interrupts
from bench.train.trial import TrialRunner


class Workplace:
    """Trains under `conditions` and records through `spool`; `fresh` trains again what is finished."""

    def __init__(self, conditions: Conditions, spool: Spool, *, fresh: bool = False) -> None:
        self.conditions, self.spool, self.fresh = conditions, spool, fresh
        settings = conditions.settings
        self.common = {
            "preset": settings.preset.name,
            "device": environment.device_name(settings.device),
            "commit": environment.commit(),
            "versions": json.dumps(environment.versions()),
            "data_source": conditions.data.source,
        }
        """Tags of all runs that are recorded here."""

    def cell_tags(self, cell: Cell) -> dict[str, str]:
        """The tags of a cell's runs."""
        info = gans.get(cell.algorithm).info
        seeds = sorted({trial.seed for trial in self.conditions.plan.trials}) or [0]
        return self.common | {
            "name": cell.label,
            "cell": cell.label,
            "algorithm": info.name,
            "family": info.family,
            "year": str(info.year),
            "paper": info.paper,
            "track": self.conditions.track(cell),
            "no_gan": "yes" if info.reference else "",
            "deviations": json.dumps(info.deviations),
            "config": json.dumps(cell.config.to_dict()),
            "protocol": self.conditions.protocol(cell).to_json(),
            "code": environment.code(gans.get(cell.algorithm)),
            "command": command(cell, seeds=len(seeds), first_seed=seeds[0], options=self.conditions.options),
        }

    def _tags(self, trial: Trial) -> dict[str, str]:
        return self.cell_tags(trial.cell) | {
            "seed": str(trial.seed),
            "fingerprint": self.conditions.fingerprint(trial),
        }

    def _made_by(self, trial: Trial) -> str:
        """Equal where a checkpoint of the trial can be gone on with."""
        code = environment.code(gans.get(trial.cell.algorithm))
        return f"{code} torch {torch.__version__} {self.conditions.settings.device.type}"

    def _just_finished(self, trial: Trial) -> str | None:
        """The run in which another process has finished the trial since this run began."""
        if self.fresh:
            return None
        try:
            known = self.conditions.finished(self.spool.store, [trial])
        except Exception:  # a store that is gone; the spool says so
            return None
        return known[trial].info.run_id if known else None

    def _claim(self, order: Order, trial: Trial, watcher: Watcher, made_by: str | None) -> RunWriter | Ended:
        """The trial's run, or what became of the order where another process has the trial or had it."""
        try:
            return self.spool.claim(
                self.conditions.fingerprint(trial),
                str(trial),
                order.parent,
                made_by=made_by,
                fresh=self.fresh,
                finished=lambda: self._just_finished(trial),
                say=lambda text: watcher.say(f"{trial}: {text}"),
                patience=order.patience,
            )
        except Taken as taken:
            watcher.say(f"{trial} is left out: {taken}")
            return Ended(order.number, None, taken.run_id)

    def train(self, order: Order, watcher: Watcher, interrupts: Interrupts) -> Ended:
        """Trains the trial that is ordered, unless another process has it or had it.

        KeyboardInterrupt and NoRoom as `TrialRunner.run`.
        """
        return self.training(order, watcher, interrupts).to_the_end()

    def training(self, order: Order, watcher: Watcher, interrupts: Interrupts) -> Lane[Ended]:
        """The same step by step."""
        return Lane(self._steps(order, watcher, interrupts), self.conditions.settings.device)

    def _steps(self, order: Order, watcher: Watcher, interrupts: Interrupts) -> Generator[None, None, Ended]:
        trial = self.conditions.plan.trials[order.number]
        writer = self._claim(order, trial, watcher, self._made_by(trial))
        if isinstance(writer, Ended):
            return writer
        conditions = self.conditions
        outcome = yield from TrialRunner(
            *(trial, conditions.settings, conditions.data, conditions.yardstick, writer, watcher, interrupts),
            tags=self._tags(trial),
            untrained=order.untrained,
        ).run()
        return Ended(order.number, outcome, writer.run_id)

    def give_up(self, order: Order, reason: str, watcher: Watcher) -> Ended:
        """Records that a trial failed whose processes died; what they may have lacked, a later run may have for it."""
        trial = self.conditions.plan.trials[order.number]
        writer = self._claim(order, trial, watcher, made_by=None)
        if isinstance(writer, Ended):
            return writer
        outcome = Outcome("failed", reason, {}, Counts())
        writer.tags(self._tags(trial) | {"status": outcome.status, "reason": reason, "diagnosis": ""})
        if Checkpoints(writer.folder).newest() is None:
            writer.close("FAILED")
        else:
            writer.suspend("FAILED")
        watcher.trial_ended(trial, outcome)
        return Ended(order.number, outcome, writer.run_id)

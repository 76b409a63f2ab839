"""The conditions that every trial of a grid is trained and scored under: settings, data, yardstick, protocol.

Takes a grid and loads what it needs. Says which trials a store has already. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlflow.entities import Run as MlflowRun

import gans
from bench import environment, stored
from bench.columns import RESULTS
from bench.errors import BenchError
from bench.plan import Cell, Trial
from bench.protocol import MIN_SAMPLES, Protocol
from bench.request import Grid
from bench.track import PREFIX, Store
from bench.train.interface import Settings


class Conditions:
    """Those of a grid, with its data loaded. Raises BenchError where its trials cannot be trained or scored here."""

    def __init__(self, grid: Grid) -> None:
        asked, self.plan, self.task = grid.request, grid.plan, grid.task
        if not self.plan.trials:
            reasons = "; ".join(sorted({skip.reason for skip in self.plan.skips}))
            raise BenchError(f"nothing to run, every cell is a skip: {reasons}")
        data = self.task.load(data_dir=asked.data_dir, offline=asked.offline)
        self.data = self.task.with_validation(data) if asked.select == "best" else data
        samples = self.task.count(self.data, grid.scoring().samples)
        if samples < MIN_SAMPLES:
            raise BenchError(
                f"the task {self.task.name} has {samples} held-out examples here, fewer than the {MIN_SAMPLES} that "
                "FID needs; give all of MNIST with --data-dir"
            )
        self.yardstick = self.task.yardstick(grid.device, self.data, grid.scoring(samples))
        self.settings = Settings(
            grid.preset,
            grid.budget,
            samples,
            grid.device,
            self.task,
            asked.checkpoint_every,
            asked.precision,
            asked.graphs,
        )
        self.options = grid.shared_arguments(samples)
        """The arguments of `bench run` that all cells share."""

    def protocol(self, cell: Cell) -> Protocol:
        """The protocol that a cell's numbers stand under."""
        return Protocol(
            task=self.task.name,
            dataset=self.data.name,
            data_fingerprint=self.data.fingerprint,
            data_images=len(self.data.images),
            budget=str(self.settings.budget),
            samples=self.settings.samples,
            weights="ema" if cell.config.ema else "raw",
            extractor=self.yardstick.extractor_hash,
            inception=self.yardstick.inception_hash,
            reference=self.task.reference,
            prefix=self.task.prefix,
            precision=self.settings.precision,
            validation=0 if self.data.validation is None else len(self.data.validation),
            selection="" if self.data.validation is None else self.settings.preset.selection,
        )

    def fingerprint(self, trial: Trial) -> str:
        """The trial's, under its protocol."""
        return trial.fingerprint(self.protocol(trial.cell).id)

    def track(self, cell: Cell) -> str:
        """The track of a cell's row."""
        return self.task.track or gans.get(cell.algorithm).info.track

    def finished(self, store: Store, trials: Sequence[Trial]) -> dict[Trial, MlflowRun]:
        """Those that the store holds with a result of today's code of the algorithm: the last such run of each.

        A later run of other code, as an import may bring it, does not hide it.
        """
        today = {name: environment.code(gans.get(name)) for name in {trial.cell.algorithm for trial in trials}}
        wanted = {self.fingerprint(trial): trial for trial in trials}
        if len(wanted) == 1:
            runs = store.runs("trial", fingerprint=next(iter(wanted)))
        else:  # MLflow's own search takes long for thousands
            runs = stored.runs(store.client, store.experiment_id)
        found: dict[Trial, MlflowRun] = {}
        for run in sorted(runs, key=lambda run: run.info.start_time):
            tags = run.data.tags
            trial = wanted.get(tags.get(f"{PREFIX}fingerprint", ""))
            if trial is not None and tags.get(f"{PREFIX}status") in RESULTS:
                code = today[trial.cell.algorithm]
                if tags.get(f"{PREFIX}code", code) == code:
                    found[trial] = run
        return {trial: found[trial] for trial in trials if trial in found}

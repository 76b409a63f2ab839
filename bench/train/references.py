"""Rows of reference: real data, trivial answers and an untrained generator, once for each table of a store.

Scoring them takes as long as scoring as many trials, so what the same program has recorded before is not scored again.
"""

from __future__ import annotations

import functools
import hashlib
import json

import torch
from mlflow.entities import Run as MlflowRun

from bench.columns import UNTRAINED
from bench.pictures import SAMPLES, png_bytes
from bench.protocol import Protocol
from bench.samples import Samples
from bench.spool import RunWriter
from bench.track import PARENT, PREFIX
from bench.train.sampling import draw
from bench.train.workplace import Workplace
from gans import GAN


class References:
    """The rows of reference for the tables of a workplace's plan; the store is read when this is made.

    `score` takes a while and records nothing, `record` follows it.
    """

    def __init__(self, workplace: Workplace) -> None:
        self.workplace, self.conditions = workplace, workplace.conditions
        pairs = ((self.conditions.protocol(cell), self.conditions.track(cell)) for cell in self.conditions.plan.cells)
        stored = workplace.spool.store.runs("reference", status="finished")
        tables = {table: self._of(stored, *table) for table in dict.fromkeys(pairs)}
        self.run_ids = [run.info.run_id for runs in tables.values() for run in runs]
        """The runs that the store has for these tables, by whatever program."""
        known = {} if workplace.fresh else {table: self._whole(runs) for table, runs in tables.items()}
        self._lacking = [table for table in tables if not known.get(table)]
        self._scored: dict[str, tuple[Samples, dict[str, float]]] = {}
        self.untrained: dict[str, float] = {}
        """The scores of the untrained generator, where there is such a row."""
        for run in (run for runs in known.values() for run in runs):
            if run.data.tags[f"{PREFIX}name"] == UNTRAINED:
                self.untrained = dict(run.data.metrics)

    @staticmethod
    def _of(stored: list[MlflowRun], protocol: Protocol, track: str) -> list[MlflowRun]:
        wanted = {f"{PREFIX}protocol": protocol.to_json(), f"{PREFIX}track": track}
        return [run for run in stored if wanted.items() <= run.data.tags.items()]

    @functools.cached_property
    def _maker(self) -> str:
        """Sixteen hex digits, equal where the same program would record the same rows for a table."""
        key = [self.conditions.options, *(self.workplace.common[name] for name in ("commit", "versions", "device"))]
        return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]

    def _whole(self, runs: list[MlflowRun]) -> list[MlflowRun]:
        """Those that one run of this program recorded to the last, or none."""
        sets: dict[str, list[MlflowRun]] = {}
        for run in runs:
            if run.data.tags.get(f"{PREFIX}maker") == self._maker:
                sets.setdefault(run.data.tags.get(PARENT, ""), []).append(run)
        for rows in sets.values():
            if len(rows) == int(rows[0].data.tags[f"{PREFIX}rows"]):
                return rows
        return []

    def score(self) -> None:
        """Scores every row, where a table lacks them."""
        if not self._lacking:
            return
        task, data, yardstick = self.conditions.task, self.conditions.data, self.conditions.yardstick
        settings = self.conditions.settings
        n = settings.samples
        real = Samples(task.real_elements(data, n))
        floor = yardstick.floor(real.images, n)
        if floor:
            self._scored[task.real] = real, floor
        rows = task.baselines(data, n)
        if task.field.source is None:
            torch.manual_seed(0)
            untrained = GAN(field=task.field).to(settings.device)
            rows[UNTRAINED] = draw(untrained, untrained.generator, task.examples(data, n, seed=0), seed=0)
        self._scored |= {name: (samples, yardstick.judge(samples)) for name, samples in rows.items()}
        if UNTRAINED in rows:
            self.untrained = self._scored[UNTRAINED][1]

    def record(self, parent: RunWriter) -> None:
        """Writes the rows of every table that lacks them, below `parent`."""
        task = self.conditions.task
        for protocol, track in self._lacking:
            shared = self.workplace.common | {"track": track, "protocol": protocol.to_json(), "maker": self._maker}
            shared |= {"rows": str(len(self._scored)), "status": "finished", "reason": ""}
            for name, (samples, scores) in self._scored.items():
                writer = self.workplace.spool.start(name, "reference", parent)
                writer.tags(shared | {"name": name, "cell": name})
                writer.metrics(scores, step=0)
                writer.artifact(SAMPLES, png_bytes(task.picture(samples.first(task.shown), 10)))
                writer.close("FINISHED")

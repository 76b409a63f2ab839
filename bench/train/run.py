"""A run: the reference rows and every trial of a plan, recorded below one parent run."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch

import gans
from bench import environment
from bench.data import Dataset
from bench.pictures import png_bytes
from bench.plan import Cell, Plan, Skip, Trial, command
from bench.protocol import Protocol
from bench.samples import Samples
from bench.tasks import Yardstick
from bench.track import RunWriter, Store
from bench.train.sampling import draw
from bench.train.trial import Outcome, Settings, TrialRunner, Watcher
from gans import GAN


class Run:
    """Executes `plan`; `options` are the arguments of `bench run` that all of its cells share."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        data: Dataset,
        yardstick: Yardstick,
        store: Store,
        watcher: Watcher,
        *,
        invocation: str,
        options: Sequence[str],
    ) -> None:
        self.plan, self.settings, self.data = plan, settings, data
        self.task = settings.task
        self.yardstick, self.store, self.watcher = yardstick, store, watcher
        self.options = options
        self.parent = store.start(invocation.removeprefix("bench run "), "run")
        self.common = {
            "preset": settings.preset.name,
            "device": environment.device_name(settings.device),
            "commit": environment.commit(),
            "versions": json.dumps(environment.versions()),
            "data_source": data.source,
        }
        self.parent.tags(self.common | {"command": invocation, "trials": str(len(plan.trials))})

    def execute(self) -> list[Outcome]:
        """Every trial's outcome, in order. A trial that fails does not stop the others; Ctrl-C does."""
        outcomes: list[Outcome] = []
        status = "FAILED"
        try:
            for skip in self.plan.skips:
                self._record_skip(skip)
            if self.plan.trials:
                self._record_references()
            for trial in self.plan.trials:
                outcomes.append(self._run_trial(trial))
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            self.parent.close(status)
        return outcomes

    def protocol(self, cell: Cell) -> Protocol:
        """The protocol that a cell's numbers stand under."""
        return Protocol(
            task=self.task.name,
            dataset=self.data.name,
            data_fingerprint=self.data.fingerprint,
            data_images=len(self.data.images),
            budget=str(self.settings.budget),
            samples=self.settings.samples,
            weights="ema" if getattr(cell.config, "ema", 0) else "raw",
            extractor=self.yardstick.extractor_hash,
            inception=self.yardstick.inception_hash or "",
            reference=self.task.reference,
            prefix=self.task.prefix,
        )

    def _cell_tags(self, cell: Cell) -> dict[str, str]:
        info = gans.get(cell.algorithm).info
        seeds = sorted({trial.seed for trial in self.plan.trials}) or [0]
        return self.common | {
            "name": cell.label,
            "cell": cell.label,
            "algorithm": info.name,
            "family": info.family,
            "year": str(info.year),
            "paper": info.paper,
            "track": self.task.track or info.track,
            "no_gan": "yes" if info.reference else "",
            "deviations": json.dumps(info.deviations),
            "config": json.dumps(cell.config.to_dict()),
            "protocol": self.protocol(cell).to_json(),
            "command": command(cell, seeds=len(seeds), first_seed=seeds[0], options=self.options),
        }

    def _record_skip(self, skip: Skip) -> None:
        writer = self.store.start(f"{skip.cell.label} (skipped)", "skip", self.parent)
        writer.tags(self._cell_tags(skip.cell) | {"status": "skipped", "reason": skip.reason})
        writer.close("FINISHED")

    def _run_trial(self, trial: Trial) -> Outcome:
        writer = self.store.start(str(trial), "trial", self.parent)
        fingerprint = trial.fingerprint(self.protocol(trial.cell).id)
        writer.tags(
            self._cell_tags(trial.cell)
            | {"status": "running", "reason": "", "seed": str(trial.seed), "fingerprint": fingerprint}
        )
        return TrialRunner(trial, self.settings, self.data, self.yardstick, writer, self.watcher).run()

    def _record_references(self) -> None:
        """Real data (the floor), trivial answers, an untrained uniform generator; once for each protocol of the run."""
        n = self.settings.samples
        real = Samples(self.task.real_elements(self.data, n))
        references: dict[str, tuple[Samples, dict[str, float]]] = {}
        floor = self.yardstick.floor(real.images, n)
        if floor:
            references[self.task.real] = real, floor
        baselines = self.task.baselines(self.data, n)
        if self.task.field.source is None:
            torch.manual_seed(0)
            untrained = GAN(field=self.task.field).to(self.settings.device)
            examples = self.task.examples(self.data, n, seed=0)
            baselines["untrained generator"] = draw(untrained, untrained.generator, examples, seed=0)
        references |= {name: (samples, self.yardstick.judge(samples)) for name, samples in baselines.items()}
        tracks = {cell.algorithm: self.task.track or gans.get(cell.algorithm).info.track for cell in self.plan.cells}
        tables = {(self.protocol(cell), tracks[cell.algorithm]): None for cell in self.plan.cells}
        for protocol, track in tables:
            for name, (samples, scores) in references.items():
                self._record_reference(name, protocol, track, samples, scores)

    def _record_reference(
        self, name: str, protocol: Protocol, track: str, samples: Samples, scores: dict[str, float]
    ) -> None:
        writer: RunWriter = self.store.start(name, "reference", self.parent)
        tags = {"name": name, "cell": name, "track": track, "status": "finished", "reason": ""}
        writer.tags(self.common | tags | {"protocol": protocol.to_json()})
        writer.metrics(scores, step=0)
        writer.artifact("samples.png", png_bytes(self.task.picture(samples.first(self.task.shown), 10)))
        writer.close("FINISHED")

"""A run: the reference rows and every trial of a plan that has not finished before, recorded below one parent run.

Owns which trials are trained and which are known from the store. What is known and what goes on from a checkpoint stays
below the parent that it was begun under.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

import torch
from mlflow.entities import Run as MlflowRun

import gans
from bench import environment
from bench.data import Dataset
from bench.journal import NoRoom
from bench.pictures import png_bytes
from bench.plan import Cell, Plan, Skip, Trial, command
from bench.protocol import Protocol
from bench.samples import Samples
from bench.spool import Spool, Taken
from bench.tasks import Yardstick
from bench.track import PREFIX
from bench.train.interface import Outcome, Settings, Watcher
from bench.train.sampling import draw
from bench.train.signals import Interrupts
from bench.train.trial import TrialRunner
from gans import GAN

RESULTS = ("finished", "diverged")
"""The statuses of trials that another try would only repeat."""
UNTRAINED = "untrained generator"
"""The row of reference that learning is measured from."""


class Run:
    """Executes `plan`; `options` are the arguments of `bench run` that all of its cells share."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        data: Dataset,
        yardstick: Yardstick,
        spool: Spool,
        *,
        invocation: str,
        options: Sequence[str],
        fresh: bool = False,
    ) -> None:
        self.plan, self.settings, self.data = plan, settings, data
        self.task = settings.task
        self.yardstick, self.spool = yardstick, spool
        self.invocation, self.options, self.fresh = invocation, options, fresh
        self.common = {
            "preset": settings.preset.name,
            "device": environment.device_name(settings.device),
            "commit": environment.commit(),
            "versions": json.dumps(environment.versions()),
            "data_source": data.source,
        }
        self.known: dict[Trial, str] = {} if fresh else self._finished(plan.trials)
        """Trials that are in the store already, and the ids of their runs."""
        self.untrained: dict[str, float] = {}
        """Scores of the untrained generator."""
        self.run_ids: list[str] = list(self.known.values())
        """The runs that this run's tables are made of, beside those of its own parent."""

    @property
    def trials(self) -> list[Trial]:
        """What is to be trained, in order."""
        return [trial for trial in self.plan.trials if trial not in self.known]

    def _finished(self, trials: Sequence[Trial]) -> dict[Trial, str]:
        """Those that the store holds with a result, made by the same code of the algorithm: the id of the last run."""
        one = {"fingerprint": self.fingerprint(trials[0])} if len(trials) == 1 else {}
        found: dict[str, MlflowRun] = {}
        for run in sorted(self.spool.store.runs("trial", **one), key=lambda run: run.info.start_time):
            if run.data.tags.get(f"{PREFIX}status") in RESULTS:
                found[run.data.tags[f"{PREFIX}fingerprint"]] = run
        known = {}
        for trial in trials:
            run = found.get(self.fingerprint(trial))
            code = environment.code(gans.get(trial.cell.algorithm))
            if run is not None and run.data.tags.get(f"{PREFIX}code", code) == code:
                known[trial] = run.info.run_id
        return known

    def _just_finished(self, trial: Trial) -> bool:
        """Whether another process has finished the trial since this one began; its run belongs into the tables then."""
        if self.fresh:
            return False
        try:
            known = self._finished([trial])
        except Exception:  # a store that is gone; the spool says so
            return False
        self.run_ids += known.values()
        return bool(known)

    def execute(self, watcher: Watcher) -> list[Outcome]:
        """Every outcome, in order. A trial that fails does not stop the others, a signal does."""
        outcomes: list[Outcome] = []
        status = "FAILED"
        self.parent = self.spool.start(self.invocation.removeprefix("bench run "), "run")
        self.parent.tags(self.common | {"command": self.invocation, "trials": str(len(self.plan.trials))})
        with Interrupts() as interrupts:
            try:
                for skip in self.plan.skips:
                    self._record_skip(skip)
                if self.trials:
                    with interrupts.immediate():
                        references = self._references()
                    self._record_references(references)
                    self.untrained = references[UNTRAINED][1] if UNTRAINED in references else {}
                else:
                    self.run_ids += self._known_references()
                for trial in self.trials:
                    interrupts.obey()
                    outcome = self._run_trial(trial, watcher, interrupts)
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

    def fingerprint(self, trial: Trial) -> str:
        """The trial's, under the protocol of this run."""
        return trial.fingerprint(self.protocol(trial.cell).id)

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
            precision=self.settings.precision,
            validation=0 if self.data.validation is None else len(self.data.validation),
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
            "code": environment.code(gans.get(cell.algorithm)),
            "command": command(cell, seeds=len(seeds), first_seed=seeds[0], options=self.options),
        }

    def _record_skip(self, skip: Skip) -> None:
        writer = self.spool.start(f"{skip.cell.label} (skipped)", "skip", self.parent)
        writer.tags(self._cell_tags(skip.cell) | {"status": "skipped", "reason": skip.reason})
        writer.close("FINISHED")

    def _run_trial(self, trial: Trial, watcher: Watcher, interrupts: Interrupts) -> Outcome | None:
        """The trial's outcome, or None where another process has it."""
        fingerprint = self.fingerprint(trial)
        try:
            writer = self.spool.claim(
                fingerprint,
                str(trial),
                self.parent,
                fresh=self.fresh,
                finished=lambda: self._just_finished(trial),
            )
        except Taken as taken:
            watcher.say(f"{trial} is left out: {taken}")
            return None
        tags = self._cell_tags(trial.cell) | {"seed": str(trial.seed), "fingerprint": fingerprint}
        outcome = TrialRunner(
            *(trial, self.settings, self.data, self.yardstick, writer, watcher, interrupts),
            tags=tags,
            untrained=self.untrained,
        ).run()
        if writer.run_id is not None:
            self.run_ids.append(writer.run_id)
        return outcome

    def _references(self) -> dict[str, tuple[Samples, dict[str, float]]]:
        """Real data (the floor), trivial answers, an untrained uniform generator: their samples and scores by name."""
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
            baselines[UNTRAINED] = draw(untrained, untrained.generator, examples, seed=0)
        return references | {name: (samples, self.yardstick.judge(samples)) for name, samples in baselines.items()}

    def _tables(self) -> list[tuple[Protocol, str]]:
        """The protocols and tracks of the run's cells, each pair once."""
        tracks = {cell.algorithm: self.task.track or gans.get(cell.algorithm).info.track for cell in self.plan.cells}
        return list(dict.fromkeys((self.protocol(cell), tracks[cell.algorithm]) for cell in self.plan.cells))

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
                writer.tags(self.common | tags | {"protocol": protocol.to_json()})
                writer.metrics(scores, step=0)
                writer.artifact("samples.png", png_bytes(self.task.picture(samples.first(self.task.shown), 10)))
                writer.close("FINISHED")

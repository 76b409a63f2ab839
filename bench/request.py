"""A request: what was asked for, in the words of the command line, and the grid that follows from it.

A request holds plain values only, so that it can be sent to another process or machine, which makes the same grid of
it. Loads no data. Every mistake in it is one line (`BenchError`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch

from bench import plan as planning
from bench import precision, tasks
from bench.data.published import published
from bench.data.sources import given_files
from bench.defaults import BUDGETS, CHECKPOINT_EVERY, EXPERIMENT
from bench.environment import device_name, pick_device
from bench.errors import BenchError
from bench.files import show
from bench.plan import Plan
from bench.protocol import MIN_SAMPLES, PRESETS, Budget, Preset
from bench.tasks import Scoring, Task


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `bench run` was asked to train and score; each field is the option of that name."""

    algos: str
    task: str | None = None
    bn: str | None = None
    assignments: tuple[str, ...] = ()
    """--set"""
    seeds: int = 1
    first_seed: int = 0
    preset: str | None = None
    epochs: int | None = None
    steps: int | None = None
    g_updates: int | None = None
    samples: int | None = None
    device: str = "auto"
    data: str = "mnist"
    data_dir: Path | None = None
    offline: bool = False
    metrics: str | None = None
    inception_weights: str | None = None
    experiment: str = EXPERIMENT
    checkpoint_every: float = CHECKPOINT_EVERY
    select: str = "last"
    precision: str = "fp32"
    graphs: bool = False
    fresh: bool = False

    def grid(self) -> Grid:
        """The grid that is asked for; BenchError where, by what can be told without its data, it cannot be meant."""
        names = planning.algorithms(self.algos)
        task = tasks.choose(self.task, names, self.data)
        plan = planning.expand(
            names,
            bn=self.bn,
            assignments=self.assignments,
            seeds=self.seeds,
            first_seed=self.first_seed,
            misfit=task.misfit,
        )
        if math.isnan(self.checkpoint_every):
            raise BenchError("--checkpoint-every nan: allowed is a number of seconds, inf for never")
        device = pick_device(self.device)
        precision.check(device, self.precision)
        if self.graphs and device.type != "cuda":
            raise BenchError(f"--graphs: CUDA graphs need a CUDA device, not {device.type}; leave it out")
        preset = task.preset(self._preset("full" if device.type == "cuda" else "quick"))
        # Another machine, with another device, must not choose another preset.
        grid = Grid(replace(self, preset=preset.name), plan, task, preset, self._budget(preset), device)
        scoring = grid.scoring()
        if scoring.samples < MIN_SAMPLES:
            raise BenchError(
                f"--samples {scoring.samples}: allowed is {MIN_SAMPLES} or more, fewer give no FID worth the name"
            )
        task.check(scoring)
        if self.data_dir is not None:
            given_files(published(self.data), self.data_dir, "train", f"--data-dir {show(self.data_dir)}")
        return grid

    def _preset(self, default: str) -> Preset:
        name = self.preset or default
        if name not in PRESETS:
            raise BenchError(f"--preset {name}: allowed is {', '.join(PRESETS)}")
        return PRESETS[name]

    def _budget(self, preset: Preset) -> Budget:
        given = {unit: getattr(self, unit) for unit in sorted(BUDGETS) if getattr(self, unit) is not None}
        if len(given) > 1:
            flags = " and ".join(f"--{unit.replace('_', '-')}" for unit in given)
            raise BenchError(f"{flags} exclude each other; give one budget")
        return next((Budget(amount, unit) for unit, amount in given.items()), preset.budget)


DEFAULTS = {field.name: field.default for field in fields(Request)}
SHARED = ("data", "select", "device", "data_dir", "metrics", "inception_weights", "experiment", "precision")
"""Those that, with the budget and the samples, a rerun of a cell needs too where they are not the default."""


@dataclass(frozen=True)
class Grid:
    """A request, understood."""

    request: Request
    plan: Plan
    task: Task
    preset: Preset
    budget: Budget
    device: torch.device

    def scoring(self, samples: int | None = None) -> Scoring:
        """How its trials are scored, by default with as many samples as were asked for."""
        asked = self.request
        number = samples or asked.samples or self.preset.samples
        return Scoring(number, asked.metrics, asked.inception_weights, asked.data_dir, asked.offline)

    def header(self, samples: int | None = None) -> str:
        """One line about what its trials have in common."""
        scored = self.scoring(samples).samples
        return f"preset {self.preset.name}: {self.budget} per trial, {scored:,} samples scored, on " + device_name(
            self.device
        )

    def shared_arguments(self, samples: int) -> list[str]:
        """The arguments of `bench run` that a rerun of one of its cells needs too."""
        asked = self.request
        arguments = ["--task", self.task.name, "--preset", self.preset.name]
        if self.budget != self.preset.budget:
            arguments += [f"--{self.budget.unit.replace('_', '-')}", str(self.budget.amount)]
        if samples != self.preset.samples:
            arguments += ["--samples", str(samples)]
        for name in SHARED:
            value = getattr(asked, name)
            if value != DEFAULTS[name]:
                arguments += [f"--{name.replace('_', '-')}", str(value)]
        return [*arguments, "--offline"] if asked.offline else arguments

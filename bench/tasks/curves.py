"""The tutorial's first task: make parabolas of 16 points."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from bench.data import Dataset
from bench.data.curves import HIGH, LOW, load_curves, parabolas
from bench.pictures import Picture, curve_plot
from bench.protocol import Budget, Preset, metric_name
from bench.samples import Samples
from bench.tasks.base import Scoring, Task
from bench.yardstick import Yardstick
from gans.fields import CURVES


class CurveYardstick(Yardstick):
    """Scores curves float32 [N, 1, 1, 16] against the formula itself."""

    extractor_hash = "the 16 points"

    def judge(self, samples: Samples, *, final: bool = True) -> dict[str, float]:
        """The scores of samples."""
        return self.score(samples.images)

    def score(self, curves: Tensor) -> dict[str, float]:
        """Frechet distance in 16 dimensions, share of valid parabolas, share of the coefficient's range covered."""
        from bench.features.curves import coverage, frechet_distance, valid

        n = len(curves)
        return {
            metric_name("fid", n, "curves"): frechet_distance(curves),
            metric_name("valid", n, "curves"): valid(curves).double().mean().item(),
            metric_name("coverage", n, "curves"): coverage(curves),
        }

    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """Scores of n real curves."""
        return self.score(images[:n]) if len(images) >= n else {}


class Curves(Task):
    """Parabolas a x^2 + (a - 1), a ~ U(1, 2), on the tutorial's fully connected nets."""

    name = "curves"
    field = CURVES
    prefix = "curves"
    track = "curves"
    reference = "the formula"
    real = "real curves"
    labelled = False

    def preset(self, preset: Preset) -> Preset:
        """The tutorial's 20 epochs of 300 batches, seconds here, but for the smallest."""
        return preset if preset.name == "smoke" else dataclasses.replace(preset, budget=Budget(6_000))

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        return load_curves()

    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> CurveYardstick:
        self.check(scoring)
        return CurveYardstick()

    def picture(self, samples: Samples, columns: int) -> Picture:
        bounds = parabolas(torch.tensor([LOW, HIGH]))
        return curve_plot(samples.images[:64], bounds)

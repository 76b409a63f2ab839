"""The mode-counting task: three digits in one image, a thousand combinations, how many a generator makes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bench.data import Dataset, load_mnist
from bench.data.stacked import stack
from bench.pictures import Picture, image_grid
from bench.protocol import Preset
from bench.samples import Samples
from bench.tasks.base import Scoring, Task
from gans.fields import STACKED

if TYPE_CHECKING:
    from bench.features.stacked import StackedYardstick

SAMPLES = 26_000
"""As published figures have it (PacGAN, R3GAN)."""


class StackedDigits(Task):
    """StackedMNIST on the uniform nets with three channels, scored by modes covered, KL, and FID a channel."""

    name = "stacked_mnist"
    field = STACKED
    prefix = "stacked"
    track = "stacked digits"
    reference = "equal shares of 1,000 modes, each channel against the 10,000 test images"
    real = "real train triples"
    labelled = False

    def preset(self, preset: Preset) -> Preset:
        """As many samples as published figures have, but for the smallest preset."""
        return preset if preset.name == "smoke" else dataclasses.replace(preset, samples=SAMPLES)

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        return stack(load_mnist("train", data_dir=data_dir, offline=offline))

    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> StackedYardstick:
        from bench.features.stacked import StackedYardstick

        self.check(scoring)
        return StackedYardstick(device)

    def picture(self, samples: Samples, columns: int) -> Picture:
        """Each image in colours, its three digits red, green and blue."""
        return image_grid(samples.images, columns)

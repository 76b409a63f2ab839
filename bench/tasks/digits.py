"""The default task: make MNIST's digits. What scores them is imported when it is needed, for a plan needs none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from bench.data import Dataset, load_mnist
from bench.errors import BenchError
from bench.pictures import Picture, image_grid
from bench.samples import Samples
from bench.tasks.base import Task, Yardstick
from gans import GAN
from gans.fields import DIGITS

if TYPE_CHECKING:
    from bench.evaluate import Evaluator


class Digits(Task):
    """MNIST on the uniform convolutional nets, scored by FID and IS on the frozen classifier's features."""

    name = "mnist"
    field = DIGITS
    prefix = "mnist"
    reference = "the 10,000 test images"
    real = "real train digits"

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        return load_mnist("train", data_dir=data_dir, offline=offline)

    def yardstick(self, device: torch.device, inception_weights: str | None, data_dir: Path | None) -> Evaluator:
        """With Inception weights it is given the real test images, which that extractor compares with."""
        from bench.evaluate import Evaluator

        if inception_weights is None:
            return Evaluator(device)
        try:
            real_test = load_mnist("test", data_dir=data_dir).images
        except BenchError:
            if data_dir is not None:
                raise
            real_test = None  # only the embedded training digits are here; the evaluator's notice says so
        return Evaluator(device, inception_weights, real_test)

    def picture(self, samples: Samples, columns: int) -> Picture:
        return image_grid(samples.images, columns)

    def latent_pictures(self, gan: GAN, data: Dataset, yardstick: Yardstick) -> dict[str, Picture]:
        from bench.evaluate import Evaluator
        from bench.train.latent import latent_pictures

        assert isinstance(yardstick, Evaluator)
        return latent_pictures(gan, data, yardstick.read)

"""The default task: make MNIST's digits. What scores them is imported when it is needed, for a plan needs none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.data import Dataset, load_mnist
from bench.errors import BenchError
from bench.pictures import Picture, image_grid
from bench.samples import Samples
from bench.tasks.base import Scoring, Task, Yardstick
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

    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> Evaluator:
        from bench.evaluate import Evaluator
        from bench.features.memorisation import Memory
        from bench.metrics import choose

        metrics = choose(scoring.metrics, scoring.samples)
        memory = None
        if any(metric.needs_train for metric in metrics):
            if data is None:
                data = self.load(data_dir=scoring.data_dir, offline=scoring.offline)
            memory = Memory(data.images, self._new_digits(scoring))
        real_test = None
        if scoring.inception_weights is not None:
            try:
                real_test = self._test_images(scoring)
            except BenchError:
                if scoring.data_dir is not None:
                    raise  # else only the embedded training digits are here; the evaluator's notice says so
        return Evaluator(device, scoring.inception_weights, real_test, metrics=metrics, memory=memory)

    def _new_digits(self, scoring: Scoring) -> Tensor:
        try:
            return self._test_images(scoring)
        except BenchError as error:
            if scoring.data_dir is not None:
                raise
            raise BenchError(
                f"--metrics {scoring.metrics}: memory compares with digits that nobody trained on, and MNIST's test "
                "images are not at hand; give --data-dir DIR, or leave memory out"
            ) from error

    @staticmethod
    def _test_images(scoring: Scoring) -> Tensor:
        return load_mnist("test", data_dir=scoring.data_dir, offline=scoring.offline).images

    def picture(self, samples: Samples, columns: int) -> Picture:
        return image_grid(samples.images, columns)

    def latent_pictures(self, gan: GAN, data: Dataset, yardstick: Yardstick) -> dict[str, Picture]:
        from bench.evaluate import Evaluator
        from bench.train.latent import latent_pictures

        assert isinstance(yardstick, Evaluator)
        return latent_pictures(gan, data, yardstick.read)

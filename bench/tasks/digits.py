"""The default task: make MNIST's digits, or images of another set of that shape.

What scores them is imported when it is needed, for a plan needs none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bench.data import PUBLISHED, Dataset, Published, load, with_validation
from bench.errors import BenchError
from bench.pictures import Picture, image_grid
from bench.samples import Samples
from bench.tasks.base import Scoring, Task
from bench.yardstick import Yardstick
from gans import GAN
from gans.fields import DIGITS

if TYPE_CHECKING:
    from bench.data.sources import Split
    from bench.evaluate import Evaluator


class Digits(Task):
    """A published set on the uniform convolutional nets, scored by FID and IS on features of its own classifier."""

    name = "mnist"
    field = DIGITS

    def __init__(self, published: Published = PUBLISHED["mnist"]) -> None:
        self.published = published
        self.prefix = published.name
        self.reference = f"the {published.test_images:,} test images"
        self.real = f"real train {'digits' if published.name == 'mnist' else 'images'}"

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        return self._own(load(self.published, "train", data_dir=data_dir, offline=offline), "train")

    def _own(self, data: Dataset, split: Split) -> Dataset:
        """The data; BenchError where it is not what the set's extractor was made from: sets share their files' names.

        MNIST's extractor is shipped, and a part of MNIST may be trained on.
        """
        from bench.features.reference import load_reference
        from bench.features.weights import WEIGHTS, extractor_folder

        folder = extractor_folder(self.published.name)
        if self.published.name == "mnist" or not (folder / WEIGHTS).is_file():
            return data
        reference = load_reference(folder)
        known = reference.train if split == "train" else reference.test
        if data.fingerprint != known.fingerprint:
            name = self.published.name
            raise BenchError(
                f"{data.source} is not the {split} split that the extractor of {name} was made from (fingerprints "
                f"{data.fingerprint}, {known.fingerprint}): give that data, or train the extractor anew with 'bench "
                f"features train --data {name} --data-dir DIR'"
            )
        return data

    def with_validation(self, data: Dataset) -> Dataset:
        return with_validation(data)

    def check(self, scoring: Scoring) -> None:
        if scoring.metrics is not None:
            from bench.metrics import choose

            choose(scoring.metrics, scoring.samples)

    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> Evaluator:
        from bench.evaluate import Evaluator
        from bench.features.memorisation import Memory
        from bench.metrics import choose

        metrics = choose(scoring.metrics, scoring.samples)
        memory = None
        if needing := [metric.name for metric in metrics if metric.needs_images]:
            if data is None:
                data = self.load(data_dir=scoring.data_dir, offline=scoring.offline)
            memory = Memory(data.images, self._new_images(scoring, needing))
        real_test = None
        if scoring.inception_weights is not None:
            try:
                real_test = self._test_images(scoring)
            except BenchError:
                if scoring.data_dir is not None:
                    raise  # else only the embedded training digits are here; the evaluator's notice says so
        return Evaluator(
            device,
            scoring.inception_weights,
            real_test,
            data=self.published.name,
            metrics=metrics,
            memory=memory,
            validation=None if data is None or data.validation is None else data.validation.images,
        )

    def _new_images(self, scoring: Scoring, needing: list[str]) -> Tensor:
        try:
            return self._test_images(scoring)
        except BenchError as error:
            if scoring.data_dir is not None:
                raise
            raise BenchError(
                f"--metrics {scoring.metrics}: {' and '.join(needing)} must see images that nobody trained on, and the "
                f"test images of {self.published.title} are not at hand; give --data-dir DIR, or leave that out"
            ) from error

    def _test_images(self, scoring: Scoring) -> Tensor:
        data = load(self.published, "test", data_dir=scoring.data_dir, offline=scoring.offline)
        return self._own(data, "test").images

    def picture(self, samples: Samples, columns: int) -> Picture:
        return image_grid(samples.images, columns)

    def latent_pictures(self, gan: GAN, data: Dataset, yardstick: Yardstick) -> dict[str, Picture]:
        from bench.evaluate import Evaluator
        from bench.train.latent import closest_pairs, latent_pictures

        assert isinstance(yardstick, Evaluator)
        pictures = latent_pictures(gan, data, yardstick.read)
        if yardstick.memory is not None:
            pictures["closest"] = closest_pairs(gan, yardstick.memory)
        return pictures

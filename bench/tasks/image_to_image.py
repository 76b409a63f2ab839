"""The tasks whose images are made from images: fill a hole, turn 6s into 9s, enlarge.

Trained on the training split, scored on held-out images with the same holes and the same noise for every trial. What
scores them is imported when it is needed, for a plan needs none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from bench.data import Dataset, as_given, load_split, to_uint8
from bench.data.pairs import CorruptedBatches, Corruption, UnpairedBatches, made_small, with_holes
from bench.pictures import Picture, image_grid
from bench.samples import Samples
from bench.tasks.base import Scoring, Stream, Task
from gans import Batch
from gans.fields import INPAINTING, SUPER_RESOLUTION, TRANSLATION

if TYPE_CHECKING:
    from bench.features.yardsticks import ImageYardstick

EXAMPLES_SEED = 2_000_003
"""Fixes the holes and the noise of the held-out images."""
FROM, TO = 6, 9
"""The digits that are translated, source and image."""


class ImageToImage(Task):
    """What the three share: held-out examples, pictures of input, output and target."""

    prefix: str
    reference = "held-out digits"
    real = "real train digits"
    lines = 3
    kinds: tuple[int, int] | None = None
    """The digits of sources and of images where they are not paired."""
    corruption: Corruption

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        return load_split(data_dir=data_dir, offline=offline)

    def held_out(self, data: Dataset) -> Dataset:
        """What is scored."""
        assert data.held_out is not None
        return data.held_out

    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> ImageYardstick:
        from bench.features.yardsticks import ImageYardstick

        self.check(scoring)
        return ImageYardstick(device, self.prefix, self.kinds)

    def batches(self, data: Dataset, batch_size: int, seed: int, device: torch.device) -> Stream:
        return CorruptedBatches(data, batch_size, seed, device, self.corruption)

    def examples(self, data: Dataset | None, n: int, seed: int) -> Batch:
        """The first n of the held-out images in an order that is always the same, whatever the seed."""
        assert data is not None
        held_out = self.held_out(data)
        rows = held_out.order()[:n]
        batch = Batch(as_given(held_out.images[rows]), held_out.labels[rows])
        return self.corruption(batch, torch.Generator().manual_seed(EXAMPLES_SEED))

    def count(self, data: Dataset, n: int) -> int:
        return min(n, len(self.held_out(data)))

    def picture(self, samples: Samples, columns: int) -> Picture:
        """Lines of input, output and target; where nothing is paired, of input, output and the way back, if any."""
        asked = samples.asked
        if asked is None or asked.source is None:
            return image_grid(samples.images, columns)
        side = samples.images.shape[-2:]
        third = to_uint8(asked.images) if self.kinds is None else samples.cycled
        shown = [to_uint8(interpolate(asked.source, size=side)), samples.images, third]
        stripes = zip(*(images.split(columns) for images in shown if images is not None), strict=True)
        return image_grid(torch.cat([_padded(part, columns) for stripe in stripes for part in stripe]), columns)


def _padded(images: Tensor, columns: int) -> Tensor:
    """A line of the picture, filled up with black."""
    missing = columns - len(images)
    return torch.cat([images, images.new_zeros(missing, *images.shape[1:])]) if missing else images


class Inpainting(ImageToImage):
    """Fill a square hole of 10 to 15 pixels."""

    name = prefix = "inpainting"
    field = INPAINTING
    corruption = staticmethod(with_holes)

    def baselines(self, data: Dataset, n: int) -> dict[str, Samples]:
        """The mean of the training images in the hole."""
        asked = self.examples(data, n, 0)
        assert asked.known is not None
        mean = as_given(data.images.float().mean(0, keepdim=True).round().to(torch.uint8))
        return {"mean fill": Samples(to_uint8(torch.where(asked.known == 1, asked.images, mean)), asked)}


def _classifier_features() -> nn.Module:
    """The frozen classifier up to its 4th convolution and 2nd pooling: [N, 1, 28, 28] -> [N, 64, 14, 14]."""
    from bench.features.weights import load_classifier

    trunk = load_classifier(torch.device("cpu")).trunk
    pools = [place for place, layer in enumerate(trunk) if isinstance(layer, nn.MaxPool2d)]
    return trunk[: pools[1]]


class SuperResolution(ImageToImage):
    """Enlarge 7x7 to 28x28."""

    name = prefix = "super_resolution"
    field = replace(SUPER_RESOLUTION, content=_classifier_features)
    corruption = staticmethod(made_small)

    def baselines(self, data: Dataset, n: int) -> dict[str, Samples]:
        """Bilinear interpolation."""
        asked = self.examples(data, n, 0)
        assert asked.source is not None
        large = interpolate(asked.source, size=asked.images.shape[-2:], mode="bilinear", align_corners=False)
        return {"bilinear upsampling": Samples(to_uint8(large), asked)}


class Translation(ImageToImage):
    """Turn a 6 into a 9, without pairs."""

    name = prefix = "translation"
    field = TRANSLATION
    kinds = FROM, TO
    real = f"real train {TO}s"

    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        data = super().load(data_dir=data_dir, offline=offline)
        return replace(_both(data), held_out=_both(self.held_out(data)))

    def batches(self, data: Dataset, batch_size: int, seed: int, device: torch.device) -> Stream:
        return UnpairedBatches(_only(data, TO), _only(data, FROM), batch_size, seed, device)

    def examples(self, data: Dataset | None, n: int, seed: int) -> Batch:
        """The first n held-out images of either kind, not paired; the labels are those of the images."""
        assert data is not None
        n = self.count(data, n)
        images, sources = (as_given(_only(self.held_out(data), digit).some(n)) for digit in (TO, FROM))
        return Batch(images, torch.full((n,), TO), sources)

    def count(self, data: Dataset, n: int) -> int:
        labels = self.held_out(data).labels
        return min(n, *(int((labels == digit).sum()) for digit in (TO, FROM)))

    def real_elements(self, data: Dataset, n: int) -> Tensor:
        return _only(data, TO).some(n)

    def baselines(self, data: Dataset, n: int) -> dict[str, Samples]:
        """Every digit as it is: a perfect cycle that translates nothing."""
        asked = self.examples(data, n, 0)
        assert asked.source is not None
        source = to_uint8(asked.source)
        return {"identity": Samples(source, asked, back=to_uint8(asked.images), cycled=source)}


def _only(data: Dataset, digit: int) -> Dataset:
    return data.rows(data.labels == digit)


def _both(data: Dataset) -> Dataset:
    return data.rows((data.labels == FROM) | (data.labels == TO))

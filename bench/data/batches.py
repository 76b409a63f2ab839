"""Seeded batches: the whole set as one tensor on the device, a batch is a slice of a shuffled index.

Takes a `Dataset`, gives `Batch`es in [-1, 1] and a position that can be saved and restored.
Must not know which algorithm asks: the order follows from the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bench.data.sources import Dataset
from bench.errors import BenchError
from gans.base import Batch


def to_unit(images: Tensor) -> Tensor:
    """uint8 0..255 to float32 in [-1, 1]; both ends are met exactly."""
    if images.dtype != torch.uint8:
        raise TypeError(f"to_unit takes uint8 images, not {images.dtype}")
    return images.to(torch.float32).div_(127.5).sub_(1.0)


def as_given(elements: Tensor) -> Tensor:
    """A data set's elements as an algorithm is given them: images by `to_unit`, what is no image (float32) as it is."""
    return elements if elements.dtype == torch.float32 else to_unit(elements)


def to_uint8(images: Tensor) -> Tensor:
    """Floats in [-1, 1] (beyond is clamped) to the nearest of uint8 0..255; the inverse of `to_unit`."""
    if not images.is_floating_point():
        raise TypeError(f"to_uint8 takes floating point images, not {images.dtype}")
    return images.to(torch.float32).add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


class Batches:
    """An endless stream of images: one permutation of the whole set after the other, cut into batches.

    The stream depends on the data and `seed` only, so two batches of 32 hold what one of 64 does. It runs on
    across epochs: nothing is dropped, and the batch over a border takes its first images from the old
    permutation, the rest from the new one (and may then hold an image twice).
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int, device: torch.device) -> None:
        if not 1 <= batch_size <= len(dataset):
            raise BenchError(
                f"batch size {batch_size}; allowed are 1 to {len(dataset):,}, the images of {dataset.name}; "
                "choose a smaller batch or a larger data set"
            )
        self.batch_size = batch_size
        self.seed = seed
        self.device = device
        self.images_seen = 0
        self._fingerprint = dataset.fingerprint
        self._images = dataset.images.to(device)
        self._labels = dataset.labels.to(device)
        # Always the CPU's generator: a GPU's would shuffle in another order.
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int64, device=device)

    @property
    def per_epoch(self) -> int:
        """Images of one pass over the data."""
        return len(self._images)

    @property
    def epoch(self) -> int:
        """How many times the whole set has been seen."""
        return self.images_seen // self.per_epoch

    def next(self) -> Batch:
        """The next `batch_size` images of the stream; never makes the host wait for a GPU."""
        start = self.images_seen % len(self._images)
        if start == 0:
            self._order = self._shuffle()
        index = self._order[start : start + self.batch_size]
        if missing := self.batch_size - len(index):
            self._order = self._shuffle()
            index = torch.cat([index, self._order[:missing]])
        self.images_seen += self.batch_size
        images = as_given(self._images.index_select(0, index))
        return Batch(images=images, labels=self._labels.index_select(0, index))

    def state_dict(self) -> dict[str, Any]:
        """The position in the stream; the batch size is not part of it."""
        return {"seed": self.seed, "fingerprint": self._fingerprint, "images_seen": self.images_seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes to a saved position of the same stream, by drawing the permutations up to it again."""
        mine, saved = self.state_dict(), dict(state)
        images_seen = saved.get("images_seen")
        if saved | {"images_seen": 0} != mine | {"images_seen": 0}:
            raise BenchError(f"data position {saved} does not fit {mine}; resume with the same data and seed")
        if type(images_seen) is not int or images_seen < 0:
            raise BenchError(f"data position at image {images_seen!r}; allowed are whole numbers from 0")
        self.images_seen = images_seen
        self._generator.manual_seed(self.seed)
        for _ in range(self.epoch):
            self._permutation()
        if images_seen % len(self._images):
            self._order = self._shuffle()

    def _shuffle(self) -> Tensor:
        order = self._permutation()
        if self.device.type == "cuda":
            # From ordinary memory the copy would wait for all that the GPU still has to do.
            return order.pin_memory().to(self.device, non_blocking=True)
        return order.to(self.device)

    def _permutation(self) -> Tensor:
        return torch.randperm(len(self._images), generator=self._generator)

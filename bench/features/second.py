"""The second extractor: another network from another seed, whose FID shows what of a ranking is the first one's taste.

Two extractors agree on the order of trained GANs and differ by a factor of four on pixel noise. Takes images, gives
one number. It is loaded when it is first asked.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from bench.features.extractor import Space, classifier_space
from bench.features.metrics import Statistics, fid, statistics
from bench.features.reference import load_reference
from bench.features.weights import WEIGHTS, extractor_hash


class Second:
    """The extractor in `folder`, on a device."""

    def __init__(self, device: torch.device, folder: Path, batch_size: int = 200) -> None:
        self.hash = extractor_hash(folder / WEIGHTS)
        self._device, self._folder, self._batch_size = device, folder, batch_size

    @cached_property
    def _space(self) -> Space:
        return classifier_space(self._device, self._folder / WEIGHTS, self._batch_size)

    @cached_property
    def _real(self) -> Statistics:
        return load_reference(self._folder).test.statistics

    def read(self, images: Tensor) -> Tensor:
        """The classes that it reads: uint8 [N, 1, 28, 28] -> int64 [N]."""
        classes: Tensor = self._space.extract(images)[1].argmax(1)
        return classes

    def fid(self, images: Tensor) -> float:
        """FID of uint8 [N, 1, 28, 28] against the test images, in this extractor's unit."""
        features, _ = self._space.extract(images)
        return fid(statistics(features), self._real)

"""Batches whose images come with a source: made of the image itself, or of another kind and unpaired.

Takes a `Dataset`, gives the `Batch`es of image-to-image tasks. Must not know which algorithm asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from bench.data.batches import Batches
from bench.data.sources import Dataset
from bench.errors import BenchError
from gans import Batch

Corruption = Callable[[Batch, torch.Generator], Batch]
"""Gives a batch its source, made of its images with the generator's random numbers, on their device."""

SMALLEST_HOLE, LARGEST_HOLE = 10, 15
NOISE = 0.2
"""Standard deviation of the noise on images in [-1, 1] before they are made small; tutorial."""
SMALL = 7


def with_holes(batch: Batch, rng: torch.Generator) -> Batch:
    """Each image with a square hole of 10 to 15 pixels, anywhere in it, filled with 0, the middle grey.

    The sizes are the tutorial's, which has one hole for a batch and that on the diagonal.
    """
    n, side, device = len(batch), batch.images.shape[-1], batch.images.device
    # A row for each image, so that the first holes are the same however many follow.
    width, left, top = torch.rand(n, 3, device=device, generator=rng)[..., None].unbind(1)
    width = SMALLEST_HOLE + (width * (LARGEST_HOLE - SMALLEST_HOLE + 1)).floor()
    place = torch.arange(side, device=device)

    def inside(share: Tensor) -> Tensor:
        start: Tensor = (share * (side - width + 1)).floor()
        within: Tensor = (place >= start) & (place < start + width)
        return within

    hole = inside(top)[:, None, :, None] & inside(left)[:, None, None, :]
    known = (~hole).float()
    return Batch(batch.images, batch.labels, batch.images * known, known)


def made_small(batch: Batch, rng: torch.Generator) -> Batch:
    """Each image with noise, resized to 7x7 by bilinear interpolation: [N, 1, 7, 7]; the tutorial's `downsampling`."""
    noise = torch.randn(batch.images.shape, device=batch.images.device, generator=rng)
    source = interpolate(batch.images + NOISE * noise, size=(SMALL, SMALL), mode="bilinear", align_corners=False)
    return Batch(batch.images, batch.labels, source)


class CorruptedBatches(Batches):
    """The stream of `Batches`, each batch with its source. Seed and position fix both, so there is no further state."""

    def __init__(
        self, dataset: Dataset, batch_size: int, seed: int, device: torch.device, corruption: Corruption
    ) -> None:
        super().__init__(dataset, batch_size, seed, device)
        self._corruption = corruption
        self._rng = torch.Generator(device)

    def next(self) -> Batch:
        """The next batch of the stream, with its source."""
        # The multiplier, that of Fibonacci hashing, keeps the streams of neighbouring seeds apart.
        self._rng.manual_seed((self.seed * 2_654_435_761 + self.images_seen) % 2**32)
        return self._corruption(super().next(), self._rng)


class UnpairedBatches:
    """Two streams side by side: images of one data set, sources of another."""

    def __init__(self, images: Dataset, sources: Dataset, batch_size: int, seed: int, device: torch.device) -> None:
        self._images = Batches(images, batch_size, seed, device)
        self._sources = Batches(sources, batch_size, seed, device)

    @property
    def per_epoch(self) -> int:
        """Images of one pass over the larger data set: a step takes a batch of each."""
        return max(self._images.per_epoch, self._sources.per_epoch)

    def next(self) -> Batch:
        """The next batch of either stream."""
        batch = self._images.next()
        return Batch(batch.images, batch.labels, self._sources.next().images)

    def state_dict(self) -> dict[str, Any]:
        """The positions in the streams."""
        return {"images": self._images.state_dict(), "sources": self._sources.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes to saved positions of the same streams."""
        before = self.state_dict()
        try:
            self._images.load_state_dict(state["images"])
            self._sources.load_state_dict(state["sources"])
        except BenchError:
            self._images.load_state_dict(before["images"])
            raise

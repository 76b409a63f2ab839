"""Generated images beside real ones by their pixels: does a generator repeat training images, and what would FID say
if no network had seen a digit?

Takes uint8 images, gives numbers. Pixels, not features: a copy is a matter of pixels, and pixels take no side.
"""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from bench.features.metrics import Statistics, fid, statistics
from bench.features.neighbours import squared_distances

COPY_QUANTILE = 0.01
"""A sample counts as a copy when it is nearer to a training image than all but this share of new real images."""
_ROWS, _COLUMNS = 1_000, 10_000


def nearest(images: Tensor, train: Tensor, count: int = 1) -> tuple[Tensor, Tensor]:
    """The `count` of `train` nearest to each of uint8 images [N, ...]: distances and rows [N, count], nearest first.

    Euclidean distances of pixels in [0, 1]; in parts, so that ten thousand images need no gigabytes.
    """
    distances, rows = [], []
    for some in images.flatten(1).split(_ROWS):
        part = some.float() / 255
        found, places = [], []
        for start in range(0, len(train), _COLUMNS):
            block = train[start : start + _COLUMNS].flatten(1).float() / 255
            least = squared_distances(part, block).topk(min(count, len(block)), largest=False)
            found.append(least.values)
            places.append(least.indices + start)
        least = torch.cat(found, 1).topk(count, largest=False)
        distances.append(least.values.sqrt())
        rows.append(torch.cat(places, 1).gather(1, least.indices))
    return torch.cat(distances), torch.cat(rows)


class Memory:
    """Training images and real ones that nobody trained on, both uint8 [N, 1, 28, 28]."""

    def __init__(self, train: Tensor, held_out: Tensor) -> None:
        self._train = train
        self._held_out = held_out

    @cached_property
    def _real(self) -> Tensor:
        """The distance of each held-out image to the nearest training image, [N]."""
        return nearest(self._held_out, self._train)[0][:, 0]

    def scores(self, images: Tensor) -> dict[str, float]:
        """`nn_ratio`: the median distance to training images over that of held-out ones; 1 for new real images, 0 for
        copies. `copies`: the share of copies, 0.01 for new real images.

        The ratio alone accuses and acquits nobody: a noisy image is far from everything, and a blank or blurred one is
        nearer to some digit than another digit is.
        """
        distances = nearest(images, self._train)[0][:, 0]
        limit = self._real.quantile(COPY_QUANTILE)
        ratio = distances.median() / self._real.median()
        return {"nn_ratio": ratio.item(), "copies": (distances < limit).double().mean().item()}

    @cached_property
    def _statistics(self) -> Statistics:
        return pixel_statistics(self._held_out)

    def fid(self, images: Tensor) -> float:
        """The Frechet distance of pixels in [0, 1] to the held-out images, in squared grey values of an image."""
        return fid(pixel_statistics(images), self._statistics)

    def closest(self, images: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The `count` images that lie nearest to a training image, and below each that one: both uint8 [count, ...]."""
        distances, rows = nearest(images, self._train)
        chosen = distances[:, 0].topk(count, largest=False).indices
        return images[chosen], self._train[rows[chosen, 0]]


def pixel_statistics(images: Tensor) -> Statistics:
    """Mean and covariance of the pixels, in [0, 1], of uint8 images [N, ...]."""
    return statistics(images.flatten(1).double() / 255)

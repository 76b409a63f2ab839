"""Whether a generator repeats its training images: distances to the nearest of them, beside those of new real ones.

Takes uint8 images, gives numbers. Pixels, not features: a copy is a matter of pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.features.neighbours import squared_distances

COPY_QUANTILE = 0.01
"""A sample counts as a copy when it is nearer to a training image than all but this share of new real images."""
_ROWS, _COLUMNS = 1_000, 10_000


def nearest_distances(images: Tensor, train: Tensor) -> Tensor:
    """The Euclidean distance of each of uint8 images [N, ...] to the nearest of `train`, pixels in [0, 1]: [N]."""
    best = []
    for rows in images.flatten(1).split(_ROWS):
        part = rows.float() / 255
        columns = (block.float() / 255 for block in train.flatten(1).split(_COLUMNS))
        best.append(torch.stack([squared_distances(part, block).amin(1) for block in columns]).amin(0))
    return torch.cat(best).sqrt()


class Memory:
    """Training images and real ones that nobody trained on, both uint8 [N, 1, 28, 28]."""

    def __init__(self, train: Tensor, held_out: Tensor) -> None:
        self._train = train
        self._held_out = held_out
        self._real: Tensor | None = None

    def scores(self, images: Tensor) -> dict[str, float]:
        """`nn_ratio`: the median distance to training images over that of held-out ones; 1 for new real images, 0 for
        copies. `copies`: the share of copies, 0.01 for new real images.

        A bad image is far from everything, so that a high ratio is no praise.
        """
        if self._real is None:
            self._real = nearest_distances(self._held_out, self._train)
        distances = nearest_distances(images, self._train)
        limit = self._real.quantile(COPY_QUANTILE)
        ratio = distances.median() / self._real.median()
        return {"nn_ratio": ratio.item(), "copies": (distances < limit).double().mean().item()}

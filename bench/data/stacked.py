"""StackedMNIST: three digits as the channels of one image, a thousand modes. Metz et al. 2017, arXiv:1611.02163."""

from __future__ import annotations

import torch

from bench.data.sources import Dataset, fingerprint


def stack(digits: Dataset, count: int = 60_000) -> Dataset:
    """`count` images uint8 [N, 3, 28, 28] of three digits drawn at random each, always the same ones.

    The label is the number that the three make, 0 to 999, the first channel its hundreds.
    """
    rows = torch.randint(len(digits), (count, 3), generator=torch.Generator().manual_seed(0))
    images = digits.images[rows, 0]
    labels = (digits.labels[rows] * torch.tensor([100, 10, 1])).sum(1)
    return Dataset(
        f"stacked {digits.name}",
        images,
        labels,
        fingerprint(images),
        f"three digits each, {digits.source}",
        digits.notice,
    )

"""The tutorial's first data: parabolas of 16 points, from one coefficient each."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.data.sources import Dataset, fingerprint

POINTS = 16
LOW, HIGH = 1.0, 2.0
"""Range of the coefficient a, uniform."""


def places() -> Tensor:
    """Where the points lie: 16 places x from -1 to 1, float64."""
    return torch.linspace(-1, 1, POINTS, dtype=torch.float64)


def parabolas(coefficients: Tensor) -> Tensor:
    """a x^2 + (a - 1) for coefficients [N]: curves [N, 1, 1, 16] of the same dtype."""
    curves = coefficients[:, None] * (places().to(coefficients) ** 2 + 1) - 1
    return curves[:, None, None, :]


def load_curves(count: int = 60_000) -> Dataset:
    """`count` parabolas float32 [N, 1, 1, 16], a ~ U(1, 2), always the same; the tutorial draws them endlessly."""
    rng = torch.Generator().manual_seed(0)
    coefficients = LOW + (HIGH - LOW) * torch.rand(count, generator=rng)
    images = parabolas(coefficients)
    labels = torch.zeros(count, dtype=torch.int64)
    return Dataset("curves", images, labels, fingerprint(images), "the formula a x^2 + (a - 1), a ~ U(1, 2)")

"""What can be said of curves: how far they are from parabolas, how many are one, how much of the range they fill.

Takes curves [N, 1, 1, 16], gives numbers. The reference is the formula itself, so no sample stands for the truth.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bench.data.curves import HIGH, LOW, places
from bench.features.metrics import Statistics, fid, statistics

TOLERANCE = 0.05
"""Largest root mean squared distance of a valid curve from its parabola; the curves span 0 to 3."""
BINS = 20
"""Parts of the coefficient's range that are covered or not."""


def truth() -> Statistics:
    """Mean and covariance of the parabolas in 16 dimensions, in closed form: a q - 1 with q = x^2 + 1, a ~ U(1, 2)."""
    q = (places() ** 2 + 1).numpy()
    return {"mu": (LOW + HIGH) / 2 * q - 1, "sigma": (HIGH - LOW) ** 2 / 12 * np.outer(q, q)}


def fit(curves: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares coefficient of each curve and its root mean squared distance from that parabola: [N] twice."""
    flat = curves.flatten(1).double()
    q = places() ** 2 + 1
    coefficient = (flat + 1) @ q / (q @ q)
    distance = (flat + 1 - coefficient[:, None] * q).square().mean(1).sqrt()
    return coefficient, distance


def frechet_distance(curves: Tensor) -> float:
    """The Frechet distance of the curves from the parabolas in the space of their 16 points."""
    return fid(statistics(curves.flatten(1).double()), truth())


def valid(curves: Tensor) -> Tensor:
    """Which curves are parabolas of the family, within the tolerance: bool [N]."""
    coefficient, distance = fit(curves)
    return (distance <= TOLERANCE) & (coefficient >= LOW - TOLERANCE) & (coefficient <= HIGH + TOLERANCE)


def coverage(curves: Tensor) -> float:
    """The share of 20 equal parts of the coefficient's range in which some valid curve lies."""
    coefficient = fit(curves)[0][valid(curves)]
    bins = ((coefficient - LOW) / (HIGH - LOW) * BINS).floor().clamp(0, BINS - 1).long()
    return len(torch.unique(bins)) / BINS

"""What the classifier's classes say of a set: their histogram, the missing ones, the variety within each.

Takes classes and features, gives numbers. Knows neither images nor networks.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.features.metrics import Statistics

MISSING_SHARE = 0.1
"""A class is missing when its share is below this part of its share among real images."""


def shares(classes: Tensor, count: int) -> Tensor:
    """The share of each class 0..count-1 among `classes` int64 [N]: float64 [count]."""
    return classes.bincount(minlength=count).double() / len(classes)


def histogram_divergence(fake: Tensor, real: Tensor) -> float:
    """KL(fake || real) in nats of two histograms [K] of shares; 0 for equal ones, infinite where real has none.

    Biased upwards by about (K - 1) / 2N nats for N samples: 0.0005 for 10 classes and 10,000.
    """
    present = fake > 0
    return float((fake[present] * (fake[present] / real[present]).log()).sum().clamp(min=0))


def missing_classes(fake: Tensor, real: Tensor) -> int:
    """How many classes are missing: shares [K] below a tenth of the real ones."""
    return int(((fake < MISSING_SHARE * real) & (real > 0)).sum())


def diversity(features: Tensor, classes: Tensor, real: tuple[Statistics, ...]) -> float:
    """How far apart two samples of one class lie, over how far two real ones do: squared distance, mean over classes.

    1 is real variety, 0 a single image for each class, which FID forgives and IS does not see. Every class that has two
    samples counts alike. E ||x - y||^2 of two draws is twice the trace of the covariance, hence no pairs are drawn.
    """
    ratios = [
        features[classes == digit].double().var(0).sum().item() / float(stats["sigma"].trace())
        for digit, stats in enumerate(real)
        if int((classes == digit).sum()) > 1
    ]
    return float(torch.tensor(ratios, dtype=torch.float64).mean()) if ratios else 0.0

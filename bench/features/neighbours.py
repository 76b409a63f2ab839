"""Precision, recall, density, coverage: what k-th nearest neighbours say of fidelity and variety apart.

Features in, numbers out. Both balls and distances are of one pass in parts, so that 10,000 images need neither
gigabytes nor minutes; torch-fidelity's precision and recall and prdc's density and coverage agree (tests).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MANIFOLD_K = 3
"""Neighbours of precision and recall. Kynkäänniemi et al. 2019, arXiv:1904.06991, section 3."""
DENSITY_K = 5
"""Neighbours of density and coverage. Naeem et al. 2020, arXiv:2002.09797, section 5."""
_ROWS = 1_000


@dataclass(frozen=True)
class Cloud:
    """A set of features and the squared radius of each one's ball, which reaches its k-th nearest other."""

    features: Tensor
    """float32 [N, F]."""
    manifold: Tensor
    """Squared distance [N] to the 3rd nearest other."""
    density: Tensor
    """Squared distance [N] to the 5th."""


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """||a_i - b_j||^2 of float32 [N, F] and [M, F]: [N, M]."""
    products = torch.addmm(b.square().sum(1)[None], a, b.T, alpha=-2)
    return products.add_(a.square().sum(1, keepdim=True)).clamp_(min=0)


def cloud(features: Tensor) -> Cloud:
    """Features [N, F] with their balls; N must be above 5."""
    if len(features) <= DENSITY_K:
        raise ValueError(f"{len(features)} features have no {DENSITY_K} neighbours each")
    features = features.float()
    radii = []
    for start in range(0, len(features), _ROWS):
        distances = squared_distances(features[start : start + _ROWS], features)
        distances[torch.arange(len(distances)), torch.arange(start, start + len(distances))] = torch.inf
        radii.append(distances.topk(DENSITY_K, largest=False).values)
    together = torch.cat(radii)
    return Cloud(features, together[:, MANIFOLD_K - 1], together[:, DENSITY_K - 1])


def neighbourhood_scores(fake: Cloud, real: Cloud) -> dict[str, float]:
    """Four numbers, each higher for better.

    precision: share of fakes within the ball of some real; recall: share of reals within the ball of some fake.
    density: balls of reals that a fake lies in, over k, on average, unbounded; coverage: share of reals with a fake in
    their ball. All depend on both counts of images, so compare equal numbers of them only.
    """
    inside_real, covered = [], torch.zeros(len(real.features), dtype=torch.bool)
    recalled = torch.zeros(len(real.features), dtype=torch.bool)
    balls = 0
    for start in range(0, len(fake.features), _ROWS):
        part = slice(start, start + _ROWS)
        distances = squared_distances(fake.features[part], real.features)
        inside_real.append((distances <= real.manifold).any(1))
        recalled |= (distances <= fake.manifold[part, None]).any(0)
        in_ball = distances < real.density
        balls += int(in_ball.sum())
        covered |= in_ball.any(0)
    return {
        "precision": torch.cat(inside_real).double().mean().item(),
        "recall": recalled.double().mean().item(),
        "density": balls / (DENSITY_K * len(fake.features)),
        "coverage": covered.double().mean().item(),
    }

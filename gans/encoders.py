"""Encoders, from images to latents: the uniform trunk with a linear head, and the Gaussian that such a head describes.

Nothing here knows a loss but the divergence from the prior.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gans.networks import FeatureTrunk, in_full, initialise


class Gaussian(NamedTuple):
    """Diagonal normal distributions, one a row."""

    mean: Tensor
    """[N, L]"""
    log_variance: Tensor
    """[N, L]"""

    def sample(self, rng: torch.Generator | None = None) -> Tensor:
        """One draw from each, [N, L], differentiable: mean + sigma e, e ~ N(0, I) from `rng` on their device."""
        noise = torch.randn(self.mean.shape, device=self.mean.device, dtype=self.mean.dtype, generator=rng)
        return self.mean + (self.log_variance / 2).exp() * noise

    def divergence(self) -> Tensor:
        """KL(N(mean, sigma^2) || N(0, I)) of each: 1/2 sum(mean^2 + sigma^2 - log sigma^2 - 1), [N]; 1312.6114."""
        return (self.mean.square() + self.log_variance.exp() - self.log_variance - 1).sum(1) / 2


class Encoder(nn.Module):
    """Uniform trunk and a linear head: images [N, 1, 28, 28] -> numbers [N, outputs]."""

    def __init__(self, trunk: FeatureTrunk, outputs: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Linear(trunk.features, outputs)
        initialise(self.head)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, 1, 28, 28] -> numbers [N, outputs]."""
        return in_full(self.head, self.trunk(images))


class GaussianEncoder(Encoder):
    """An encoder that gives a Gaussian: twice as many outputs as its latents have numbers."""

    def __init__(self, trunk: FeatureTrunk, latent_dim: int) -> None:
        super().__init__(trunk, 2 * latent_dim)

    def posterior(self, images: Tensor) -> Gaussian:
        """images [N, 1, 28, 28] -> q(z|x)."""
        return Gaussian(*self(images).chunk(2, 1))

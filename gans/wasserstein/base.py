"""The losses that every WGAN shares, however its critic is kept smooth."""

from __future__ import annotations

from torch import Tensor

from gans import losses
from gans.base import GAN
from gans.factors import NO_SIGN


class WassersteinGAN(GAN):
    """A GAN whose critic estimates the Wasserstein-1 distance that its generator lowers."""

    conflicts = GAN.conflicts | NO_SIGN

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return losses.wasserstein_d(real_scores, fake_scores)

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return losses.wasserstein_g(fake_scores)

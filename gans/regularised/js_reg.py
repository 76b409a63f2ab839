"""GAN with the Jensen-Shannon regulariser."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from gans.config import option
from gans.registry import register
from gans.regularised.base import PenalisedGAN
from gans.zero_centred import jensen_shannon_regulariser


@register(
    "js_reg",
    family="regularised",
    year=2017,
    paper="Roth et al.: Stabilizing Training of Generative Adversarial Networks through Regularization, "
    "arXiv:1705.09367",
)
class JSReg(PenalisedGAN):
    """Non-saturating GAN whose penalty stands for noise on the images, annealed like that noise.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + gamma/2 [E (1 - sig(D(x)))^2 ||grad D(x)||^2
          + E sig(D(G(z)))^2 ||grad D(G(z))||^2], gradients of the raw scores
        * L_G = -E log sig(D(G(z)))
        * gamma falls exponentially to gamma_decay times its start, as in the official code

    Deviations:
        * paper: the uniform nets, without the batch norm that the official D has.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(PenalisedGAN.Config):
        gamma: float = option(
            2.0, "weight of the penalty at the start, halved in the loss", source="official README", low=0
        )
        gamma_decay: float = option(
            0.01, "share of gamma left at the end; 1 keeps it constant", source="official code", low=1e-6, high=1
        )

    config: Config

    @property
    def gamma(self) -> float:
        """The penalty's weight at this point of the training."""
        return self.config.gamma * math.pow(self.config.gamma_decay, self.progress)

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        return self.gamma / 2 * jensen_shannon_regulariser(self.discriminator, real_images, fake_images)

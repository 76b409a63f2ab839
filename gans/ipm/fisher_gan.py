"""Fisher GAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gans import losses
from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.factors import NO_SIGN
from gans.registry import register


@register(
    "fisher_gan",
    family="ipm",
    year=2017,
    paper="Mroueh, Sercu: Fisher GAN, arXiv:1705.09675",
)
class FisherGAN(GAN):
    """GAN whose critic is bounded in its second moment by an augmented Lagrangian.

    Losses:
        * L_D = E D(G(z)) - E D(x) + lambda (Omega - 1) + rho/2 (Omega - 1)^2 (eq. 9, minimised),
          Omega = 1/2 E D(x)^2 + 1/2 E D(G(z))^2
        * after each turn of D lambda grows by rho (Omega - 1), from 0
        * L_G = -E D(G(z))

    Deviations:
        * paper: the uniform nets; no weight decay, where the authors' main.py has 1e-6 on D's features and 1e-3 on its
          last layer. Batch norm in D as there: no term needs a gradient per image.
        * tutorial: has no such script; no dropout, for Omega is to be the moment of one function.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(True, source="authors' main.py")
        dropout: float = option(0.0, source="authors' main.py: none")
        lr_g: float = option(2e-4, source="authors' README")
        lr_d: float = option(2e-4, source="authors' README")
        n_d: int = option(2, source="authors' README")
        rho: float = option(
            1e-6, "weight of the quadratic penalty and step of the multiplier", source="authors' main.py", low=0
        )

    config: Config
    conflicts = GAN.conflicts | NO_SIGN
    multiplier: Tensor

    def prepare(self) -> None:
        self.register_buffer("multiplier", torch.zeros(()))

    def moment(self, real: Tensor, fake: Tensor, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Omega, which the constraint holds at 1: images [N, 1, 28, 28] and their scores [N] -> a scalar."""
        return (real_scores.square().mean() + fake_scores.square().mean()) / 2

    def d_turn(self, batch: Batch) -> Scalars:
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        real_scores, fake_scores = self.discriminator(real), self.discriminator(fake)
        moment = self.moment(real, fake, real_scores, fake_scores)
        excess = moment - 1
        self._excess = excess.detach()
        constraint = self.multiplier * excess + self.config.rho / 2 * excess.square()
        return {
            "loss": losses.wasserstein_d(real_scores, fake_scores) + constraint,
            "real_score": real_scores.mean(),
            "fake_score": fake_scores.mean(),
            "moment": moment,
            "multiplier": self.multiplier.clone(),
        }

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return losses.wasserstein_g(fake_scores)

    def ascend(self) -> None:
        """The multiplier's step, which never leaves the device."""
        self.multiplier += self.config.rho * self._excess

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [replace(d, after=self.ascend), g]

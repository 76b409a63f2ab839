"""Relativistic average GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import losses
from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.registry import register


@register(
    "ragan",
    family="relativistic",
    year=2018,
    paper="Jolicoeur-Martineau: The relativistic discriminator, arXiv:1807.00734",
)
class RaGAN(GAN):
    """GAN whose D says whether an image is more real than the average image of the other kind.

    Losses:
        * L_D = 1/2 [E sp(-(D(x) - E D(G(z)))) + E sp(D(G(z)) - E D(x))] (RaSGAN, halved as in her code)
        * L_G = the same with reals and fakes swapped; both halves reach G

    Deviations:
        * paper: the uniform nets; batch norm in D is off by default, since a score is to be compared with others and
          not to depend on them.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="scores are compared, so they should not be coupled")

    config: Config

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return losses.relativistic_average(real_scores, fake_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        real_scores, fake_scores = self.discriminator(batch.images), self.discriminator(self.generate(batch))
        return {"loss": losses.relativistic_average(fake_scores, real_scores)}

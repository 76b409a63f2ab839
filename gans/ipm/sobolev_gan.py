"""Sobolev GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import penalties
from gans.config import option
from gans.ipm.fisher_gan import FisherGAN
from gans.registry import register


@register(
    "sobolev_gan",
    family="ipm",
    year=2017,
    paper="Mroueh et al.: Sobolev GAN, arXiv:1711.04894",
)
class SobolevGAN(FisherGAN):
    """Fisher GAN that bounds the critic's mean squared slope instead of its second moment.

    Losses:
        * L_D = E D(G(z)) - E D(x) + lambda (Omega - 1) + rho/2 (Omega - 1)^2,
          Omega = 1/2 E ||grad D(x)||^2 + 1/2 E ||grad D(G(z))||^2
        * after each turn of D lambda grows by rho (Omega - 1), from 0
        * L_G = -E D(G(z))

    Deviations:
        * paper: of its dominant measures mu the mean of data and fakes, as in the authors' SobolevGAN-SSL code, without
          that code's Fisher constraint beside it. rho is Fisher GAN's, where that code has 2e-8: in float32 the
          multiplier would hardly feel such steps. The uniform nets; no weight decay, where that code has some on D.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(FisherGAN.Config):
        bn: bool = option(False, source="a slope per image needs a score per image")
        dropout: float = option(0.0, source="the slope and the scores are to be of one function")
        lr_g: float = option(2e-4, source="authors' SobolevGAN-SSL code")
        lr_d: float = option(2e-4, source="authors' SobolevGAN-SSL code")
        n_d: int = option(5, source="as in the WGAN rows; the authors' semi-supervised code has 1")
        rho: float = option(1e-6, source="Fisher GAN's main.py")

    config: Config
    conflicts = FisherGAN.conflicts | penalties.PER_IMAGE

    def moment(self, real: Tensor, fake: Tensor, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        real_slope = penalties.input_gradient_norm(self.discriminator, real)
        fake_slope = penalties.input_gradient_norm(self.discriminator, fake)
        return (real_slope.square().mean() + fake_slope.square().mean()) / 2

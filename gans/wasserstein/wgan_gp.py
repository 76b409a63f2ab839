"""WGAN-GP."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import penalties
from gans.config import option
from gans.registry import register
from gans.wasserstein.base import WassersteinGAN


@register(
    "wgan_gp",
    family="wasserstein",
    year=2017,
    paper="Gulrajani et al.: Improved Training of Wasserstein GANs, arXiv:1704.00028",
)
class WGANGP(WassersteinGAN):
    """WGAN whose critic is kept Lipschitz by a penalty on its gradient between reals and fakes.

    Losses:
        * L_D = E D(G(z)) - E D(x) + lambda_gp E (||grad D(x^)||_2 - 1)^2, x^ = e x + (1 - e) G(z), e ~ U[0, 1] an image
          (eq. 3)
        * L_G = -E D(G(z))

    Deviations:
        * paper: batch 64, not the official MNIST script's 50; latent 100, not 128; images in [-1, 1], where a slope of
          1 is one of 2 on that script's [0, 1]; the uniform nets.
        * tutorial: learning rate 1e-4 as in the paper, half of its own; beta1 0.5 as in the official MNIST script,
          where it has 0; dropout off in both terms, where it is on in the scores only.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinGAN.Config):
        bn: bool = option(False, source="paper, section 4: no batch norm in the critic")
        dropout: float = option(0.0, source="paper: none")
        lr_g: float = option(1e-4, source="official gan_mnist.py")
        lr_d: float = option(1e-4, source="official gan_mnist.py")
        beta1: float = option(0.5, source="official gan_mnist.py")
        beta2: float = option(0.9, source="official gan_mnist.py")
        n_d: int = option(5, source="paper, algorithm 1")
        lambda_gp: float = option(10.0, "weight of the gradient penalty", source="paper, algorithm 1", low=0)

    config: Config
    conflicts = WassersteinGAN.conflicts | penalties.PER_IMAGE

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        penalty = penalties.gradient_penalty(self.discriminator, real_images, fake_images, self.rng)
        return self.config.lambda_gp * penalty

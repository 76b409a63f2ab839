"""WGAN-div."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import lipschitz, penalties
from gans.config import option
from gans.registry import register
from gans.wasserstein.base import WassersteinGAN


@register(
    "wgan_div",
    family="wasserstein",
    year=2018,
    paper="Wu et al.: Wasserstein Divergence for GANs, arXiv:1712.01026",
)
class WGANDiv(WassersteinGAN):
    """WGAN whose critic need not be Lipschitz: a power of its slope turns the distance into a divergence.

    Losses:
        * L_D = E D(G(z)) - E D(x) + k E ||grad D(x^)||_2^p, x^ = e x + (1 - e) G(z), e ~ U[0, 1] an image
        * L_G = -E D(G(z))

    Deviations:
        * paper: the critic has the opposite sign there. Of the points where the gradient may be taken, x^ lies between
          a real and a fake, as in the authors' wgan_div.py; that code weights it with 10 where the paper has k = 2.
          No layer norm in D, which that code has. The uniform nets.
        * tutorial: the power p is that of the norm, where its code raises the squared norm to p, which is
          ||grad D||^12; 4 turns of D for each of G, where it has 5; dropout is off in both terms.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinGAN.Config):
        bn: bool = option(False, source="a slope per image needs a score per image")
        dropout: float = option(0.0, source="the slope and the scores are to be of one function")
        beta1: float = option(0.0, source="authors' wgan_div.py")
        beta2: float = option(0.9, source="authors' wgan_div.py")
        lr_g: float = option(2e-4, source="authors' wgan_div.py")
        lr_d: float = option(2e-4, source="authors' wgan_div.py")
        n_d: int = option(4, source="authors' wgan_div.py")
        k: float = option(2.0, "weight of the slope's power", source="paper", low=0)
        p: float = option(6.0, "power of the slope", source="paper", low=1)

    config: Config
    conflicts = WassersteinGAN.conflicts | penalties.PER_IMAGE

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        k, p = self.config.k, self.config.p
        return k * lipschitz.gradient_power(self.discriminator, real_images, fake_images, p, self.rng)

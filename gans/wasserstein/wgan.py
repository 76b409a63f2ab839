"""WGAN with weight clipping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.optim import Optimizer

from gans.base import Turn
from gans.config import option
from gans.factors import CLIPPED
from gans.registry import register
from gans.wasserstein.base import WassersteinGAN


@register(
    "wgan",
    family="wasserstein",
    year=2017,
    paper="Arjovsky, Chintala, Bottou: Wasserstein GAN, arXiv:1701.07875",
)
class WGAN(WassersteinGAN):
    """GAN whose critic, kept Lipschitz by clipping its weights, estimates the Wasserstein-1 distance.

    Losses:
        * L_D = E D(G(z)) - E D(x) (eq. 3, minimised)
        * L_G = -E D(G(z)) (theorem 3)
        * after each turn of D every parameter of D is clamped to [-clip, clip] (algorithm 1)

    Deviations:
        * paper: the official code's 100 D turns for each of the first 25 G turns and for every 500th are left out, so
          that every row keeps one ratio. Batch norm in D, which that code has, is off by default, since clipping takes
          its scale with it (gamma <= 0.01).
        * settings: RMSprop has neither `beta1` nor `beta2`, so they have no meaning.
        * tutorial: RMSprop 5e-5 as in the paper, where it has Adam(2e-4, 0, 0.9); no dropout in the critic; reals are
          drawn without replacement.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(WassersteinGAN.Config):
        bn: bool = option(False, source="clipping would bound batch norm's scale")
        dropout: float = option(0.0, source="a critic is to be one function")
        lr_g: float = option(5e-5, source="paper, algorithm 1")
        lr_d: float = option(5e-5, source="paper, algorithm 1")
        n_d: int = option(5, source="paper, algorithm 1")
        clip: float = option(
            0.01, "bound of every parameter of D after its turn", source="paper, algorithm 1", low=1e-6
        )

    config: Config
    conflicts = WassersteinGAN.conflicts | CLIPPED

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """RMSprop, for momentum makes a clipped critic unstable (paper, section 4); beta1 and beta2 are not used."""
        return torch.optim.RMSprop(parameters, lr)

    @torch.no_grad()
    def clip_critic(self) -> None:
        """Clamps every parameter of D to [-clip, clip]."""
        torch._foreach_clamp_min_(list(self.discriminator.parameters()), -self.config.clip)
        torch._foreach_clamp_max_(list(self.discriminator.parameters()), self.config.clip)

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [replace(d, after=self.clip_critic), g]

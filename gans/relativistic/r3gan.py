"""The loss of R3GAN."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from gans import penalties
from gans.config import option
from gans.registry import register
from gans.relativistic import base
from gans.zero_centred import squared_gradient


@register(
    "r3gan",
    family="relativistic",
    year=2024,
    paper="Huang et al.: The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv:2501.05441",
)
class R3GAN(base.Relativistic):
    """Paired relativistic GAN with zero-centred gradient penalties on reals and fakes.

    Losses:
        * L_D = E sp(-(D(x) - D(G(z)))) + gamma/2 E ||grad D(x)||^2 (R1) + gamma/2 E ||grad D(G(z))||^2 (R2)
        * L_G = E sp(-(D(G(z)) - D(x)))
        * gamma falls along half a cosine to gamma_decay times its start, as in the official code

    Deviations:
        * paper: its loss alone, on the uniform nets, which keep batch norm in G; no ResNeXt blocks, no augmentation;
          the learning rate is constant where theirs falls to 5e-5, and beta2 is 0.99 throughout where theirs rises
          from 0.9.
        * tutorial: has no such script.

    Same as:
        * `rsgan` for gamma=0: the losses, on other settings
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(base.Relativistic.Config):
        bn: bool = option(False, source="official code: no normalisation in D")
        dropout: float = option(0.0, source="official code: none; its noise would enter the gradients")
        beta1: float = option(0.0, source="official train.py")
        beta2: float = option(0.99, source="official train.py, its final value")
        ema: float = option(
            0.999, source="ours, as `ema_gan`; the official code evaluates an average too, over more images"
        )
        gamma: float = option(
            0.5, "weight of R1 and R2 at the start, halved in the loss", source="official train.py, ImageNet-32", low=0
        )
        gamma_decay: float = option(
            0.1, "share of gamma left at the end; 1 keeps it constant", source="official train.py", low=0, high=1
        )

    config: Config
    conflicts = base.Relativistic.conflicts | penalties.PER_IMAGE
    relativistic_loss = staticmethod(base.paired_logistic)

    @property
    def gamma(self) -> float:
        """The penalties' weight at this point of the training."""
        left = (1 + math.cos(math.pi * self.progress)) / 2
        return self.config.gamma * (self.config.gamma_decay + (1 - self.config.gamma_decay) * left)

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        r1 = squared_gradient(self.discriminator, real_images)
        r2 = squared_gradient(self.discriminator, fake_images)
        return self.gamma / 2 * (r1 + r2)

"""What the GANs share whose D has a classifier beside its score, trained by cross entropy."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from gans.conditional.base import CLASSES, ConditionalGAN
from gans.config import option
from gans.standard.nsgan import NSGAN


class AuxiliaryClassifierGAN(ConditionalGAN, NSGAN):
    """`code_dim` logits of the class beside D's score; an algorithm fills in the class losses."""

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        dropout: float = option(0.0, source="ours: searched for acgan")
        lr_g: float = option(4e-4, source="ours: searched for acgan")
        lr_d: float = option(4e-4, source="ours: searched for acgan")
        lambda_class: float = option(1.0, "weight of the class terms in D's and G's loss", source="paper", low=0)

    config: Config
    code_dim = CLASSES

    def build_discriminator(self) -> nn.Module:
        return self.uniform_discriminator(1 + self.code_dim)

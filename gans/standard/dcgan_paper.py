"""DCGAN with the paper's own initial weights, slope and batch."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from gans.config import option
from gans.networks import Discriminator, Trunk
from gans.registry import register
from gans.standard.dcgan import DCGAN

DEVIATION = 0.02
SLOPE = 0.2


def initialise(module: nn.Module) -> None:
    """Weights ~ N(0, 0.02) and batch-norm gammas ~ N(1, 0.02), for every layer below `module`."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, DEVIATION)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, DEVIATION)


@register(
    "dcgan_paper",
    family="standard",
    year=2015,
    paper="Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative "
    "Adversarial Networks, arXiv:1511.06434",
)
class DCGANPaper(DCGAN):
    """DCGAN as its paper trains it: own initial weights, slope 0.2, no batch norm on D's first layer, batch 128.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (Goodfellow et al. 2014, eq. 1)
        * L_G = -E log sig(D(G(z))) (Goodfellow et al. 2014, section 3)

    Deviations:
        * uniform field: other initial weights, slope and batch, D's first batch norm removed and no dropout; the shapes
          of the layers stay.
        * paper: two hidden convolutions a player for 28 x 28, not four for 64 x 64; batch-norm eps 1e-3 and momentum
          0.99, Adam eps 1e-7 (Keras's); latents normal, not uniform. Gammas N(1, 0.02) are from the official code.
        * tutorial: all of this, and `dcgan`'s deviations.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(DCGAN.Config):
        dropout: float = option(0.0, source="paper: none")
        batch_size: int = option(128, source="paper, section 4")

    config: Config
    fields = ("digits",)

    def build_generator(self) -> nn.Module:
        generator = super().build_generator()
        initialise(generator)
        return generator

    def build_discriminator(self) -> nn.Module:
        trunk = Trunk(self.config.bn, self.config.dropout, self.config.pack)
        if self.config.bn:
            del trunk.layers[1]
        for layer in trunk.layers:
            if isinstance(layer, nn.LeakyReLU):
                layer.negative_slope = SLOPE
        discriminator = Discriminator(trunk, minibatch=self.config.minibatch)
        initialise(discriminator)
        return discriminator

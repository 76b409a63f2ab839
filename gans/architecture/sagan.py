"""SAGAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from gans.attention import SelfAttention
from gans.config import option
from gans.networks import Discriminator, Generator, Trunk, normalise_spectrally
from gans.registry import register
from gans.regularised.sngan import SNGAN


@register(
    "sagan",
    family="architecture",
    year=2018,
    paper="Zhang, Goodfellow, Metaxas, Odena: Self-Attention Generative Adversarial Networks, arXiv:1805.08318",
    track="architecture",
)
class SAGAN(SNGAN):
    """Hinge GAN with self-attention and spectral norm in both nets, whose D learns four times as fast as its G.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+
        * L_G = -E D(G(z)), no hinge

    Deviations:
        * nets: G is the uniform one with attention on its 14x14x64 features, 815,890 parameters, 5,233 more; D is the
          uniform one without batch norm and with attention on its 14x14x64 features, 143,794 parameters, 5,233 more.
        * paper: unconditional; attention at half the image's side, where it has 32x32 and 64x64 of 128x128; plain
          convolutions, no residual blocks; batch norm of G is not conditional. Attention looks at every position, where
          the official code pools the keys and values.
        * settings: `spectral_norm` is D's; G's is always on.
        * tutorial: its attention stands at 14x14 and at 28x28 in G, and in D on 16 channels in a smaller D of its own
          with Gaussian noise; its gamma starts at 0.01; it has neither spectral norm nor two learning rates; its beta1
          is 0.5; its G has a hinge too, [1 - 2 D(G(z))]_+, which stops training G at 1/2.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SNGAN.Config):
        lr_g: float = option(1e-4, source="paper, section 4")
        lr_d: float = option(4e-4, source="paper, section 4")
        beta1: float = option(0.0, source="paper, section 4")
        beta2: float = option(0.9, source="paper, section 4")

    config: Config
    fields = ("digits",)

    def build_generator(self) -> nn.Module:
        generator = self.uniform_generator(self.config.latent_dim)
        assert isinstance(generator, Generator)
        # After the first transposed convolution, its batch norm and its ReLU.
        generator.upsample.insert(3, SelfAttention(64))
        normalise_spectrally(generator)
        return generator

    def build_discriminator(self) -> nn.Module:
        trunk = self.uniform_trunk()
        assert isinstance(trunk, Trunk)
        # Its two blocks are alike, so the first ends in the middle.
        trunk.layers.insert(len(trunk.layers) // 2, SelfAttention(64))
        return Discriminator(trunk, minibatch=self.config.minibatch)

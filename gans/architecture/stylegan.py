"""StyleGAN."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gans.base import Batch, Scalars
from gans.config import option
from gans.registry import register
from gans.regularised.r1 import R1
from gans.style import SIDES, StyleGenerator, mixed, path_lengths

PATH_DECAY = 0.99
"""Decay of the mean path length; StyleGAN2's code."""


@register(
    "stylegan",
    family="architecture",
    year=2018,
    paper="Karras, Laine, Aila: A Style-Based Generator Architecture for Generative Adversarial Networks, "
    "arXiv:1812.04948",
    track="architecture",
)
class StyleGAN(R1):
    """GAN whose G turns latents into styles, which scale and shift the features of each of its layers.

    In training the styles of two latents are mixed in most images; in evaluation there is no mixing and no truncation,
    and noise is fresh for each image.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + gamma/2 E ||grad D(x)||^2
        * L_G = -E log sig(D(G(z))) + path_length E (||J^T y|| - a)^2, J = dG/dw and a its running mean (StyleGAN2, off)

    Deviations:
        * nets: G is its own, 366,913 parameters: a mapping of eight layers of 128, a constant 7x7x128, convolutions to
          64 channels at 7, 14 and 28, noise and AdaIN in each of these four layers; D is the uniform one without batch
          norm, 138,561 parameters.
        * paper: no progressive growing, and one layer at 14 and at 28, two there; 128 styles of a latent of 100, 512
          there; the constant is random at first, not ones, and images leave G through tanh after a 5x5 convolution;
          bilinear enlargement without a further blur; D has no equalised learning rate and takes lr_d.
        * tutorial: mapping of two layers without activations; D with batch norm and dropout and no penalty; one of two
          latents at each layer of a whole batch, in training only; the same noise for all layers, large at first;
          AdaIN's two halves stand around the convolution, where here they follow it; no moving average.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(R1.Config):
        lr_g: float = option(1e-3, source="paper, appendix C")
        lr_d: float = option(2e-4, source="ours: that of `r1`, as D has no equalised learning rate")
        beta1: float = option(0.0, source="paper, appendix C")
        beta2: float = option(0.99, source="paper, appendix C")
        ema: float = option(0.999, source="progressive GAN, on whose settings the paper builds")
        mixing: float = option(
            0.9, "share of the images in training that two latents are mixed in", source="paper", low=0, high=1
        )
        path_length: float = option(
            0.0, "weight of the path length penalty in G's loss", source="off; 2 in StyleGAN2's code", low=0
        )

    config: Config
    fields = ("digits",)
    conflicts = R1.conflicts | {
        "feature_matching path_length": "it would replace G's loss, the path length penalty included"
    }
    generator: StyleGenerator
    mean_length: Tensor
    """Running mean of the path lengths."""

    def prepare(self) -> None:
        super().prepare()
        self.register_buffer("mean_length", torch.zeros(()))

    def build_generator(self) -> nn.Module:
        return StyleGenerator(self.config.latent_dim)

    def styles(self, latent: Tensor) -> Tensor:
        """A style for each layer [N, layers, W] of latents [N, L]: the latent's, or in training two latents' mixed."""
        n, layers = len(latent), len(SIDES)
        own: Tensor = self.generator.mapping(latent)
        if not self.training:
            return own[:, None].expand(-1, layers, -1)
        other: Tensor = self.generator.mapping(self.latent(n))
        cut = torch.randint(1, layers, (n,), device=self.device, generator=self.rng)
        is_mixed = torch.rand(n, device=self.device, generator=self.rng) < self.config.mixing
        return mixed(own, other, torch.where(is_mixed, cut, layers))

    def synthesise(self, styles: Tensor) -> Tensor:
        """Images [N, 1, 28, 28] of styles [N, layers, W], with fresh noise."""
        noise = [torch.randn(len(styles), 1, s, s, device=self.device, generator=self.rng) for s in SIDES]
        images: Tensor = self.generator.synthesis(styles, noise)
        return images

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        return self.synthesise(self.styles(self.latent(len(batch)) if latent is None else latent))

    def g_turn(self, batch: Batch) -> Scalars:
        scalars = super().g_turn(batch)
        if self.config.path_length:
            styles = self.styles(self.latent(len(batch)))
            lengths = path_lengths(self.synthesise(styles), styles, self.rng)
            self.mean_length.lerp_(lengths.detach().mean(), 1 - PATH_DECAY)
            penalty = (lengths - self.mean_length).square().mean()
            loss = scalars["loss"] + self.config.path_length * penalty
            scalars |= {"loss": loss, "path_length": lengths.mean(), "penalty": penalty}
        return scalars

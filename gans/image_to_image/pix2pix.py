"""pix2pix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gans.base import Batch, Scalars
from gans.config import option
from gans.image_to_image.base import NO_LATENTS, Translator, required
from gans.registry import register
from gans.standard.nsgan import NSGAN
from gans.translators import PatchDiscriminator, UNet

PATCHES = 16
"""Scores of an image."""


@register(
    "pix2pix",
    family="image-to-image",
    year=2017,
    paper="Isola, Zhu, Zhou, Efros: Image-to-Image Translation with Conditional Adversarial Networks, arXiv:1611.07004",
    track="image-to-image",
)
class Pix2Pix(Translator, NSGAN):
    """GAN that translates a source s into its image x; D judges patches of the pair, and an L1 term keeps G near x.

    A source smaller than its image is enlarged, each pixel to a square.

    Losses:
        * L_D = -E log sig(D(s, x)) - E log(1 - sig(D(s, G(s)))), the mean over 4x4 patches (eq. 1, section 3.2.2)
        * L_G = -E log sig(D(s, G(s))) + lambda E |x - G(s)|, the mean over pixels (eq. 3 and 4)

    Deviations:
        * nets: both are the tutorial's: G a U-Net of two levels, D the uniform trunk on two channels with a 4x4
          convolution as its head.
        * paper: no noise: its dropout in G, also at test time, has no place in a U-Net of two levels, and gave it
          little variety; batches of 64, not 1 to 10; half of L_D, which makes no difference to Adam.
        * settings: G takes no latents, so `latent_dim` has no meaning.
        * tutorial: lambda 1; one hole for a whole batch, always on the diagonal; no L1 term in D, as here.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        lambda_l1: float = option(100.0, "weight of the absolute error in G's loss", source="paper", low=0)

    config: Config
    fields = ("inpainting", "super_resolution")
    conflicts: ClassVar[dict[str, str]] = NO_LATENTS | {
        "minibatch": "the head sees patches, a statistic of the batch is of images",
        "top_k": "the scores are of patches, and top_k keeps the best images",
        "feature_matching": "the trunk sees pairs with a source, and feature matching images alone",
    }

    def build_generator(self) -> nn.Module:
        return UNet()

    def build_discriminator(self) -> nn.Module:
        return PatchDiscriminator(self.field.trunk(self.config.bn, self.config.dropout, 2 * self.config.pack))

    def enlarged(self, batch: Batch) -> Tensor:
        """The source at the image's size: [N, 1, 28, 28]."""
        return interpolate(required(batch.source, "source"), size=self.field.shape[1:])

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        images: Tensor = self.generator(self.enlarged(batch))
        return images

    def pair_scores(self, batch: Batch, images: Tensor) -> Tensor:
        """D's scores [16 N / pack] of the patches of pairs of source and image."""
        return self.scores(torch.cat([self.enlarged(batch), images], 1))

    def d_turn(self, batch: Batch) -> Scalars:
        real_scores = self.pair_scores(batch, batch.images)
        fake_scores = self.pair_scores(batch, self.constant_fakes(batch))
        loss = self.d_loss(real_scores, fake_scores)
        scalars = {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        # ADA counts images: of each its patches' mean.
        return scalars | self.view.observe(real_scores.view(-1, PATCHES).mean(1))

    def g_turn(self, batch: Batch) -> Scalars:
        images = self.fakes(batch)
        adversarial, error = self.g_loss(self.pair_scores(batch, images)), (batch.images - images).abs().mean()
        return {"loss": adversarial + self.config.lambda_l1 * error, "adversarial": adversarial, "l1": error}

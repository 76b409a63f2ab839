"""What GANs share that make images from a source instead of latents."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from gans.base import GAN, Batch

NO_LATENTS = dict.fromkeys(
    ("latent_step", "mode_seeking"), "images are made from a source, so there are no latents to move or to compare"
)
"""The conflicts of every algorithm whose G is given an image."""


def required(part: Tensor | None, what: str) -> Tensor:
    """A part of the batch that the field must give; ValueError where it does not."""
    if part is None:
        raise ValueError(f"the batch has no {what}; this algorithm plays on image-to-image fields")
    return part


class Translator(GAN):
    """A GAN whose generator takes the batch's source [N, C, H, W]; `latent_dim` has no meaning."""

    conflicts: ClassVar[dict[str, str]] = NO_LATENTS

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        """An image [N, 1, 28, 28] for each source; latents are ignored."""
        images: Tensor = self.generator(required(batch.source, "source"))
        return images

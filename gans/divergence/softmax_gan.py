"""Softmax GAN."""

from __future__ import annotations

from torch import Tensor

from gans.base import GAN, Batch, Scalars
from gans.divergences import softmax_d, softmax_g
from gans.factors import NO_SIGN
from gans.registry import register


@register("softmax_gan", family="divergence", year=2017, paper="Lin: Softmax GAN, arXiv:1704.06191")
class SoftmaxGAN(GAN):
    """GAN whose D is a softmax over the images of a batch.

    Losses:
        * L_D = -E D(x) + log Z, Z the sum of e^D over the N reals and N fakes: all probability on the reals
        * L_G = -(E D(x) + E D(G(z))) / 2 + log Z: the same probability for every image; G feels the reals through Z

    Deviations:
        * paper: the energy is -D here, so that reals score high; the uniform nets with batch norm and dropout in D,
          which the paper does without.
        * tutorial: has no such script.
    """

    conflicts = (
        GAN.conflicts | NO_SIGN | {"top_k": "the softmax is over as many fakes as reals, of which none may be left out"}
    )

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return softmax_d(real_scores, fake_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        real_scores, fake_scores = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": softmax_g(real_scores, fake_scores)}

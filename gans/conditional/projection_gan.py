"""Projection discriminator."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from gans.conditional.base import CLASSES, ConditionalGAN
from gans.config import option
from gans.networks import TwoHeads
from gans.registry import register
from gans.regularised.sngan import SNGAN


@register(
    "projection_gan",
    family="conditional",
    year=2018,
    paper="Miyato, Koyama: cGANs with Projection Discriminator, arXiv:1802.05637",
    track="label-conditional",
    needs_labels=True,
)
class ProjectionGAN(ConditionalGAN, SNGAN):
    """SNGAN whose D projects an image's features on a vector of the label.

    Losses:
        * D(x, y) = w phi(x) + b + v_y phi(x), phi the trunk's features
        * L_D = E [1 - D(x, y)]_+ + E [1 + D(G(z, y), y)]_+
        * L_G = -E D(G(z, y), y)
        * every weight of D, that of the vectors v as a matrix too, is W / sigma(W)

    Deviations:
        * nets: G takes the one-hot label beside z, where the paper's has conditional batch norm, 873,377 parameters,
          62,720 more than the uniform G; D has the vectors v, 201,281 parameters, 62,720 more.
        * paper: the uniform nets, so phi is every feature of the trunk, not their sums over the image's places; fakes
          have the labels of the batch's reals.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SNGAN.Config):
        beta1: float = option(0.0, source="paper")
        beta2: float = option(0.9, source="paper")
        n_d: int = option(5, source="paper")

    config: Config
    conflicts = ConditionalGAN.conflicts | SNGAN.conflicts

    def build_discriminator(self) -> nn.Module:
        return TwoHeads(self.uniform_trunk(), CLASSES, self.config.minibatch, bias=False)

    def judge(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        scores, projections = super().judge(images, labels)
        return scores + projections.gather(1, labels[:, None]).squeeze(1), projections

"""Adaptive discriminator augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "ada",
    family="trick",
    year=2020,
    paper="Karras et al.: Training Generative Adversarial Networks with Limited Data, arXiv:2006.06676",
)
class ADA(NSGAN):
    """GAN whose D sees changed images as often as its overfitting asks for.

    Losses:
        * L_D = -E log sig(D(T_p(x))) - E log(1 - sig(D(T_p(G(z)))))
        * L_G = -E log sig(D(T_p(G(z))))
        * T_p = rotation, scaling and translation, each of an image with probability p
        * every 4 turns of D: p <- p + sign(E sign D(x) - ada_target) * reals in them / ada_images, within [0, 1], from
          0

    Deviations:
        * paper: only what leaves a digit a digit: rotations within 15 degrees, no flips, no colour, filter or cut-out;
          the uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with augment=ada, ada_images=100000: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        augment: str = option("ada", source="paper")
        ada_images: int = option(
            100_000,
            source="ours, for short trainings; official code has 100,000 where it resumes a network, else 500,000",
        )

    config: Config
    fields = ("digits", "stacked")

"""PacGAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "pacgan",
    family="trick",
    year=2018,
    paper="Lin et al.: PacGAN: The Power of Two Samples in Generative Adversarial Networks, arXiv:1712.04086",
)
class PacGAN(NSGAN):
    """GAN whose D judges several images of one kind together.

    Losses:
        * L_D = -E log sig(D(x_1, ..., x_m)) - E log(1 - sig(D(G(z_1), ..., G(z_m)))), the m images as channels
        * L_G = -E log sig(D(G(z_1), ..., G(z_m)))

    Deviations:
        * paper: a batch is 64 images in 64 / m packs, where the official code has 64 packs and so m times as many
          images, and updates G twice for each D turn; the uniform nets and the settings of `nsgan`, so that one thing
          differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with pack=2: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        pack: int = option(2, source="paper, PacGAN2")

    config: Config

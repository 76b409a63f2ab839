"""Mode seeking GAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "msgan",
    family="trick",
    year=2019,
    paper="Mao et al.: Mode Seeking Generative Adversarial Networks for Diverse Image Synthesis, arXiv:1903.05628",
)
class MSGAN(NSGAN):
    """GAN whose G is punished for making like images of unlike latents.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D(G(z))) + mode_seeking / (E |G(z1) - G(z2)| / E |z1 - z2| + 1e-5)

    Deviations:
        * paper: unconditional; the pairs are N/2 of their own beside the N fakes that D judges, where the code feeds
          both of each pair to D; the uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with mode_seeking=1: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        mode_seeking: float = option(1.0, source="paper: 1")

    config: Config

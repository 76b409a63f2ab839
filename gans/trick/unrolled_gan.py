"""Unrolled GAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "unrolled_gan",
    family="trick",
    year=2017,
    paper="Metz et al.: Unrolled Generative Adversarial Networks, arXiv:1611.02163",
)
class UnrolledGAN(NSGAN):
    """GAN whose G plays against the D that its own move would lead to.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D_K(G(z))), D_K = D after `unroll` steps theta <- theta - unroll_lr grad L_D, differentiated
          through all of them

    Deviations:
        * paper: the steps are plain gradient descent on one batch of reals, where its experiments unroll Adam. G's loss
          is the non-saturating one at D_K, of fakes alone, where the authors have -L_D(D_K), in which the reals' half
          moves with G too. The uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with unroll=5: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        unroll: int = option(5, source="paper: compares 1, 5 and 10")

    config: Config

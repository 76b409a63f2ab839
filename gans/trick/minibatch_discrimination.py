"""Minibatch discrimination."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "minibatch_discrimination",
    family="trick",
    year=2016,
    paper="Salimans et al.: Improved Techniques for Training GANs, arXiv:1606.03498",
)
class MinibatchGAN(NSGAN):
    """GAN whose D sees beside an image's features how near it is to the others of its batch.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D(G(z)))
        * D's head sees phi(x_i) and o_b(x_i) = sum_{j != i} exp(-||M_ib - M_jb||_1), M = T phi(x), b = 1 to 100
          (section 3.2)

    Deviations:
        * uniform field: T adds 3,136,100 parameters to D's 138,945, and gives its head 100 more inputs.
        * paper: one of its techniques by itself; the uniform nets and the settings of `nsgan`, so that one thing
          differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with minibatch=discrimination: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        minibatch: str = option("discrimination", source="paper, section 3.2")

    config: Config

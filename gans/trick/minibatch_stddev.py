"""Minibatch standard deviation."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "minibatch_stddev",
    family="trick",
    year=2018,
    paper="Karras et al.: Progressive Growing of GANs for Improved Quality, Stability, and Variation, arXiv:1710.10196",
)
class MinibatchStddevGAN(NSGAN):
    """GAN whose D sees beside an image's features how much its batch varies.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D(G(z)))
        * D's head sees phi(x) and the standard deviation of phi over groups of 4 images, averaged over phi (section 3)

    Deviations:
        * paper: one of its techniques by itself; the statistic enters at the head, which is the only layer after the
          trunk, where the paper adds it before its last convolution; the uniform nets and the settings of `nsgan`, so
          that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with minibatch=stddev: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        minibatch: str = option("stddev", source="paper, section 3")

    config: Config

"""Differentiable augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "diffaugment",
    family="trick",
    year=2020,
    paper="Zhao et al.: Differentiable Augmentation for Data-Efficient GAN Training, arXiv:2006.10738",
)
class DiffAugment(NSGAN):
    """GAN whose D sees reals and fakes, in both turns, only under random changes.

    Losses:
        * L_D = -E log sig(D(T(x))) - E log(1 - sig(D(T(G(z)))))
        * L_G = -E log sig(D(T(G(z)))), differentiated through T
        * T = translation by up to 1/8 of the side, then a cut-out square of half the side

    Deviations:
        * paper: no colour policy on grey digits; what comes in is background (-1), where the code pads with 0, which is
          mid-grey in [-1, 1]; the uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with augment=diffaugment: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        augment: str = option("diffaugment", source="paper")

    config: Config
    fields = ("digits", "stacked")

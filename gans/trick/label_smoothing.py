"""One-sided label smoothing."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "label_smoothing",
    family="trick",
    year=2016,
    paper="Salimans et al.: Improved Techniques for Training GANs, arXiv:1606.03498",
)
class LabelSmoothing(NSGAN):
    """GAN whose D is told that reals are real with 90 %.

    Losses:
        * L_D = -E [(1 - s) log sig(D(x)) + s log(1 - sig(D(x)))] - E log(1 - sig(D(G(z)))) (section 3.4); fakes are
          never smoothed
        * L_G = -E log sig(D(G(z)))

    Deviations:
        * paper: one of its techniques by itself; the uniform nets and the settings of `nsgan`, so that one thing
          differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with label_smoothing=0.1: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        label_smoothing: float = option(0.1, source="paper, section 3.4: 0.9 for reals")

    config: Config

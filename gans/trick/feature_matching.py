"""Feature matching."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "feature_matching",
    family="trick",
    year=2016,
    paper="Salimans et al.: Improved Techniques for Training GANs, arXiv:1606.03498",
)
class FeatureMatching(NSGAN):
    """GAN whose G matches the mean features of reals instead of fooling D.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = ||E phi(x) - E phi(G(z))||^2, phi the features of D's trunk, phi(x) constant (section 3.1)

    Deviations:
        * paper: one of its techniques by itself; the uniform nets and the settings of `nsgan`, so that one thing
          differs: D keeps its batch norm and dropout, which make phi noisy.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with feature_matching=on: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        feature_matching: bool = option(True, source="paper, section 3.1")

    config: Config

"""Two time-scale update rule."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "ttur",
    family="trick",
    year=2017,
    paper="Heusel et al.: GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, "
    "arXiv:1706.08500",
)
class TTUR(NSGAN):
    """GAN whose D learns four times as fast as its G.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D(G(z)))
        * lr_d = 4 lr_g, one turn each

    Deviations:
        * paper: the rates are those that SAGAN made common, since the paper searches a pair for each data set; the
          uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with lr_g=1e-4, lr_d=4e-4: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        lr_g: float = option(1e-4, source="SAGAN, arXiv:1805.08318, section 4")
        lr_d: float = option(4e-4, source="SAGAN, arXiv:1805.08318, section 4")

    config: Config

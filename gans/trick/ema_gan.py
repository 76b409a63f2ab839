"""Moving average of the generator."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "ema_gan",
    family="trick",
    year=2018,
    paper="Yazici et al.: The Unusual Effectiveness of Averaging in GAN Training, arXiv:1806.04498",
)
class EMAGAN(NSGAN):
    """GAN that is judged by the moving average of its G.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -E log sig(D(G(z)))
        * evaluated: theta <- d theta + (1 - d) theta_G after G's n-th update, d = min(ema, (1 + n) / (10 + n)), lest a
          short training remember its start; batch norm's buffers are averaged too

    Deviations:
        * paper: the decay is constant, 0.9999 for 500,000 updates; here it rises to 0.999, which it reaches after 8,990
          updates (0.9955 after 2,000). The uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with ema=0.999: bit for bit; its training is that of plain `nsgan`, only what is judged differs
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        ema: float = option(0.999, source="progressive GAN, arXiv:1710.10196, section 6.1")

    config: Config

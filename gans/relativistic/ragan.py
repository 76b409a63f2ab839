"""Relativistic average GAN."""

from __future__ import annotations

from gans.registry import register
from gans.relativistic import base


@register(
    "ragan",
    family="relativistic",
    year=2018,
    paper="Jolicoeur-Martineau: The relativistic discriminator, arXiv:1807.00734",
)
class RaGAN(base.Relativistic):
    """GAN whose D says whether an image is more real than the average image of the other kind.

    Losses:
        * L_D = 1/2 [E sp(-(D(x) - E D(G(z)))) + E sp(D(G(z)) - E D(x))] (RaSGAN, halved as in her code)
        * L_G = the same with reals and fakes swapped; both halves reach G

    Deviations:
        * paper: the uniform nets; batch norm in D is off by default, since a score is to be compared with others and
          not to depend on them.
        * tutorial: has no such script.
    """

    relativistic_loss = staticmethod(base.average_logistic)

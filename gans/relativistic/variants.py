"""The relativistic GANs besides `ragan`: paired, least-squares and hinge."""

from __future__ import annotations

from gans.registry import register
from gans.relativistic import base

PAPER = "Jolicoeur-Martineau: The relativistic discriminator, arXiv:1807.00734"


@register("rsgan", family="relativistic", year=2018, paper=PAPER)
class RSGAN(base.Relativistic):
    """GAN whose D says whether a real image is more real than the fake it is paired with.

    Losses:
        * L_D = E sp(-(D(x) - D(G(z)))), the i-th real paired with the i-th fake
        * L_G = E sp(-(D(G(z)) - D(x))), the same with reals and fakes swapped

    Deviations:
        * paper: the uniform nets; batch norm in D is off by default, since a score is to be compared with others and
          not to depend on them. RpGAN is another name of this row.
        * tutorial: has no such script.
    """

    relativistic_loss = staticmethod(base.paired_logistic)


@register("ralsgan", family="relativistic", year=2018, paper=PAPER)
class RaLSGAN(base.Relativistic):
    """GAN whose D regresses by how much an image is more real than the average image of the other kind.

    Losses:
        * L_D = 1/2 [E (D(x) - E D(G(z)) - 1)^2 + E (D(G(z)) - E D(x) + 1)^2] (halved as in her code)
        * L_G = 1/2 [E (D(G(z)) - E D(x) - 1)^2 + E (D(x) - E D(G(z)) + 1)^2]; both halves reach G

    Deviations:
        * paper: the uniform nets; batch norm in D is off by default, as in `rsgan`.
        * tutorial: has no such script.
    """

    relativistic_loss = staticmethod(base.average_least_squares)


@register("rahinge", family="relativistic", year=2018, paper=PAPER)
class RaHinge(base.Relativistic):
    """GAN whose D wants an image more real than the average image of the other kind, by a margin of 1.

    Losses:
        * L_D = 1/2 [E [1 - (D(x) - E D(G(z)))]_+ + E [1 + (D(G(z)) - E D(x))]_+] (halved as in her code)
        * L_G = 1/2 [E [1 - (D(G(z)) - E D(x))]_+ + E [1 + (D(x) - E D(G(z)))]_+]; both halves reach G

    Deviations:
        * paper: the uniform nets; batch norm in D is off by default, as in `rsgan`. G's loss is a hinge too, unlike
          that of the hinge GAN.
        * tutorial: has no such script.
    """

    relativistic_loss = staticmethod(base.average_hinge)

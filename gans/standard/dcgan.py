"""DCGAN."""

from __future__ import annotations

from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "dcgan",
    family="standard",
    year=2015,
    paper="Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative "
    "Adversarial Networks, arXiv:1511.06434",
)
class DCGAN(NSGAN):
    """Convolutional GAN with the non-saturating logistic loss.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (Goodfellow et al. 2014, eq. 1)
        * L_G = -E log sig(D(G(z))) (Goodfellow et al. 2014, section 3)

    Deviations:
        * paper: Glorot-uniform weights, not N(0, 0.02); LeakyReLU slope 0.3, not 0.2; dropout 0.3 in D, not none; batch
          norm on D's first layer too; batch 64, not 128; z normal, not uniform. All are the tutorial's, so that every
          row shares them.
        * tutorial: D's turn comes first and sees 64 reals and 64 fresh fakes in separate passes (`dcgan_tutorial` keeps
          its step); G and D have an Adam each; batch norm and dropout are active, as its text means (its code leaves
          them inert).

    Same as:
        * `nsgan`: bit for bit; on one field only the losses of either paper are left, and they agree
    """

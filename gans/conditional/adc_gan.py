"""ADC-GAN."""

from __future__ import annotations

from torch import Tensor

from gans import class_losses
from gans.conditional.auxiliary import AuxiliaryClassifierGAN
from gans.conditional.base import CLASSES
from gans.registry import register


@register(
    "adc_gan",
    family="conditional",
    year=2021,
    paper="Hou, Cao, Shen, Pan, Li, Cheng: Conditional GANs with Auxiliary Discriminative Classifier, arXiv:2107.10060",
    track="label-conditional",
    needs_labels=True,
)
class ADCGAN(AuxiliaryClassifierGAN):
    """AC-GAN whose classifier tells the real from the fake image of each class.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z, y)))) + lambda (CE(C(x), y+) + CE(C(G(z, y)), y-)), C of 2K
          classes, y+ the real and y- the fake images of class y
        * L_G = -E log sig(D(G(z, y))) + lambda (CE(C(G(z, y)), y+) - CE(C(G(z, y)), y-))

    Deviations:
        * nets: G as in `acgan`; D's head has 21 outputs, 264,405 parameters, 125,460 more than the uniform D.
        * paper: the nets, loss of the scores, dropout and rates of `acgan`, where the official code has BigGAN with the
          hinge loss; lambda_class is the paper's 1, not the 5 that was searched for `acgan`, and C always learns of
          fakes; fakes have the labels of the batch's reals.
        * tutorial: has no such script.
    """

    code_dim = 2 * CLASSES

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.discriminative_d(real_codes, fake_codes, labels)

    def g_class_loss(self, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.discriminative_g(fake_codes, labels)

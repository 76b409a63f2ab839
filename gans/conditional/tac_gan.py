"""TAC-GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import class_losses
from gans.conditional.auxiliary import AuxiliaryClassifierGAN
from gans.conditional.base import CLASSES
from gans.config import option
from gans.registry import register


@register(
    "tac_gan",
    family="conditional",
    year=2019,
    paper="Gong, Xu, Li, Zhang, Batmanghelich: Twin Auxiliary Classifiers GAN, arXiv:1907.02690",
    track="label-conditional",
    needs_labels=True,
)
class TACGAN(AuxiliaryClassifierGAN):
    """AC-GAN with a second classifier of fakes alone, which G evades, so that fakes of a class keep their variety.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z, y)))) + lambda (CE(C(x), y) + CE(M(G(z, y)), y))
        * L_G = -E log sig(D(G(z, y))) + lambda (CE(C(G(z, y)), y) - CE(M(G(z, y)), y))

    Deviations:
        * nets: G as in `acgan`; D's head has 21 outputs, 264,405 parameters, 125,460 more than the uniform D.
        * paper: C learns of reals alone, as in the official code, with no class_of_fakes to change that; the nets, loss
          of the scores, dropout and rates of `acgan`, where the official code has BigGAN with the hinge loss;
          lambda_class is that code's 1, not the 5 that was searched for `acgan`; fakes have the labels of the batch's
          reals.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(AuxiliaryClassifierGAN.Config):
        lambda_class: float = option(1.0, source="official code's AC_weight")

    code_dim = 2 * CLASSES

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.twin_d(real_codes[:, :CLASSES], fake_codes[:, CLASSES:], labels)

    def g_class_loss(self, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.twin_g(fake_codes[:, :CLASSES], fake_codes[:, CLASSES:], labels)

"""AC-GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from gans import class_losses
from gans.conditional.base import CLASSES, ConditionalGAN
from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "acgan",
    family="conditional",
    year=2016,
    paper="Odena, Olah, Shlens: Conditional Image Synthesis With Auxiliary Classifier GANs, arXiv:1610.09585",
    track="label-conditional",
    needs_labels=True,
)
class ACGAN(ConditionalGAN, NSGAN):
    """GAN whose D also names the class of an image, which D and G both want to be named rightly.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z, y)))) + lambda (CE(C(x), y) + CE(C(G(z, y)), y))
        * L_G = -E log sig(D(G(z, y))) + lambda CE(C(G(z, y)), y); C learns of reals and fakes

    Deviations:
        * nets: G takes the one-hot label beside z, 873,377 parameters, 62,720 more than the uniform G; D's head has
          11 outputs, 201,675 parameters, 62,730 more.
        * paper: G's loss does not saturate; the uniform nets; fakes have the labels of the batch's reals.
        * tutorial: the same losses and D; D's turn comes first, with reals and fakes in separate passes; batch norm
          and dropout are active; labels as above.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        lambda_class: float = option(1.0, "weight of the class terms in D's and G's loss", source="paper", low=0)

    config: Config
    code_dim = CLASSES

    def build_discriminator(self) -> nn.Module:
        return self.uniform_discriminator(1 + self.code_dim)

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor:
        real, fake = (class_losses.class_cross_entropy(codes, labels) for codes in (real_codes, fake_codes))
        return self.config.lambda_class * (real + fake)

    def g_class_loss(self, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.class_cross_entropy(fake_codes, labels)

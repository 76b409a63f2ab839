"""GANs with a zero-centred gradient penalty on reals, on reals and fakes, or between them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans.config import option
from gans.registry import register
from gans.regularised.base import PenalisedGAN
from gans.zero_centred import squared_gradient, squared_gradient_between

MESCHEDER = "Mescheder, Geiger, Nowozin: Which Training Methods for GANs do actually Converge?, arXiv:1801.04406"


@register("r1", family="regularised", year=2018, paper=MESCHEDER)
class R1(PenalisedGAN):
    """Non-saturating GAN with a penalty on the gradient of D at the real images.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + gamma/2 E ||grad D(x)||^2
        * L_G = -E log sig(D(G(z)))

    Deviations:
        * paper: the uniform nets; Adam(0, 0.99) with 2e-4 where the official code has RMSprop(0.99) with 1e-4; G itself
          is evaluated, not an average of it. Gamma is the paper's: the official code leaves out the 1/2 and so has
          twice this penalty.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(PenalisedGAN.Config):
        beta1: float = option(0.0, source="official code: RMSprop, without momentum")
        beta2: float = option(0.99, source="official code: RMSprop with alpha 0.99")
        gamma: float = option(10.0, "weight of the penalty, halved in the loss", source="paper", low=0)

    config: Config

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        return self.config.gamma / 2 * squared_gradient(self.discriminator, real_images)


@register("r1_r2", family="regularised", year=2018, paper=MESCHEDER)
class R1R2(R1):
    """Non-saturating GAN with a penalty on the gradient of D at the real and at the fake images.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + gamma/2 E ||grad D(x)||^2 + gamma/2 E ||grad D(G(z))||^2
        * L_G = -E log sig(D(G(z)))

    Deviations:
        * paper: as `r1`; the two penalties, R1 and R2 there, are both on.
        * tutorial: has no such script.
    """

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        r2 = squared_gradient(self.discriminator, fake_images)
        return super().penalty(real_images, fake_images) + self.config.gamma / 2 * r2


@register(
    "gp0",
    family="regularised",
    year=2019,
    paper="Thanh-Tung, Tran, Venkatesh: Improving Generalization and Stability of Generative Adversarial Networks, "
    "arXiv:1902.03984",
)
class GP0(PenalisedGAN):
    """Non-saturating GAN with a zero-centred penalty on the gradient of D between reals and fakes.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + lambda_gp E ||grad D(x^)||^2, x^ = e x + (1 - e) G(z),
          e ~ U[0, 1] an image
        * L_G = -E log sig(D(G(z)))

    Deviations:
        * paper: the uniform nets, and the straight interpolates of WGAN-GP; weight and betas as in `r1`'s official
          code, which has this penalty as wgangp0.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(PenalisedGAN.Config):
        beta1: float = option(0.0, source="GAN_stability: RMSprop, without momentum")
        beta2: float = option(0.99, source="GAN_stability: RMSprop with alpha 0.99")
        lambda_gp: float = option(10.0, "weight of the gradient penalty", source="GAN_stability's reg_param", low=0)

    config: Config

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        penalty = squared_gradient_between(self.discriminator, real_images, fake_images, self.rng)
        return self.config.lambda_gp * penalty

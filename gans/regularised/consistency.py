"""GANs whose D must score an image as it scores a changed one: CR-GAN, bCR-GAN, zCR-GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans.augment import random_shift
from gans.config import option
from gans.penalties import Critic
from gans.registry import register
from gans.regularised.sngan import SNGAN
from gans.standard.hinge import Hinge

IMPROVED = "Zhao et al.: Improved Consistency Regularization for GANs, arXiv:2002.04724"


def inconsistency(critic: Critic, images: Tensor, changed: Tensor) -> Tensor:
    """E (D(x) - D(T(x)))^2, changed [N, 1, H, W] the images after T; D must be deterministic."""
    return (critic(images) - critic(changed)).square().mean()


class ConsistentGAN(SNGAN):
    """SNGAN whose D is one function of the image: without dropout, lest consistency fight its noise."""

    conflicts = Hinge.conflicts | {
        "dropout": "dropout makes D differ on equal images, which a consistency loss would punish",
        "bn": "batch norm in D makes it differ on equal images, which a consistency loss would punish",
        "minibatch": "a minibatch head makes D differ on equal images, which a consistency loss would punish",
    }


@register(
    "cr_gan",
    family="regularised",
    year=2019,
    paper="Zhang et al.: Consistency Regularization for Generative Adversarial Networks, arXiv:1910.12027",
)
class CRGAN(ConsistentGAN):
    """SNGAN whose D scores a real image and its shifted copy alike.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+ + lambda_real E (D(x) - D(T(x)))^2, T a random shift
        * L_G = -E D(G(z))

    Deviations:
        * paper: the uniform nets with spectral norm in D, so that `sngan` is this row without the penalty; T shifts but
          does not flip, for a mirrored digit is none, and background comes in where StudioGAN reflects. D(x) is
          computed once more for the penalty.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ConsistentGAN.Config):
        lambda_real: float = option(10.0, "weight of the consistency of reals", source="paper", low=0)
        shift: int = option(
            3, "largest shift in pixels", source="StudioGAN: an eighth of the side, rounded down", low=1, high=14
        )

    config: Config
    fields = ("digits", "stacked")

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        shifted = random_shift(real_images, self.config.shift, self.rng)
        return self.config.lambda_real * inconsistency(self.discriminator, real_images, shifted)


@register("bcr_gan", family="regularised", year=2020, paper=IMPROVED)
class BCRGAN(CRGAN):
    """CR-GAN that asks for consistency on fakes as well.

    Losses:
        * L_D = that of `cr_gan` + lambda_fake E (D(G(z)) - D(T(G(z))))^2
        * L_G = -E D(G(z))

    Deviations:
        * paper: as `cr_gan`.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(CRGAN.Config):
        lambda_fake: float = option(10.0, "weight of the consistency of fakes", source="paper", low=0)

    config: Config

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        shifted = random_shift(fake_images, self.config.shift, self.rng)
        on_fakes = self.config.lambda_fake * inconsistency(self.discriminator, fake_images, shifted)
        return super().penalty(real_images, fake_images) + on_fakes

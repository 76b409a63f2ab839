"""DRAGAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import lipschitz, penalties
from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "dragan",
    family="wasserstein",
    year=2017,
    paper="Kodali et al.: On Convergence and Stability of GANs, arXiv:1705.07215",
)
class DRAGAN(NSGAN):
    """Non-saturating GAN whose D is kept at slope 1 around the reals.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) + lambda_gp E (||grad D(x')||_2 - 1)^2, x' = x + a d,
          d = noise * std * U[0, 1] a pixel, a ~ U[0, 1] an image, std that of the whole batch
        * L_G = -E log sig(D(G(z)))

    Deviations:
        * paper: the noise is the authors' notebook's, one-sided and not clipped to the images' range; it grows with
          the pixels' std, so that it is twice as large on [-1, 1] as on the notebook's [0, 1], where a slope of 1 here
          is one of 2. The slope is the logit's, as there. z is normal, not uniform. The uniform nets, batch 64, not
          its 128.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        bn: bool = option(False, source="a slope per image needs a score per image")
        dropout: float = option(0.0, source="the slope and the scores are to be of one function")
        lr_g: float = option(1e-4, source="authors' notebook")
        lr_d: float = option(1e-4, source="authors' notebook")
        beta1: float = option(0.5, source="authors' notebook")
        beta2: float = option(0.9, source="authors' notebook")
        lambda_gp: float = option(10.0, "weight of the gradient penalty", source="authors' notebook", low=0)
        noise: float = option(
            0.5, "largest perturbation of a pixel, in standard deviations", source="authors' notebook", low=0
        )

    config: Config
    conflicts = penalties.PER_IMAGE

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        penalty = lipschitz.perturbed_penalty(self.discriminator, real_images, self.config.noise, self.rng)
        return self.config.lambda_gp * penalty

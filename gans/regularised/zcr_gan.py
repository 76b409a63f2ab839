"""zCR-GAN."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from gans.base import Batch, Scalars
from gans.config import option
from gans.registry import register
from gans.regularised.consistency import IMPROVED, ConsistentGAN, inconsistency


@register("zcr_gan", family="regularised", year=2020, paper=IMPROVED)
class ZCRGAN(ConsistentGAN):
    """SNGAN whose D scores the fakes of neighbouring latents alike, while G draws them apart.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+ + lambda_d E (D(G(z)) - D(G(z + s)))^2, s ~ N(0, sigma^2 I)
        * L_G = -E D(G(z)) - lambda_g E (G(z) - G(z + s))^2, the mean over pixels as in StudioGAN

    Deviations:
        * paper: latent consistency alone, without the balanced one of `bcr_gan` that its ICR-GAN adds; the uniform nets
          with spectral norm in D. D's penalty draws latents of its own.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ConsistentGAN.Config):
        sigma: float = option(0.05, "standard deviation of the step between latents", source="StudioGAN", low=0)
        lambda_d: float = option(20.0, "weight of D's consistency", source="StudioGAN, CIFAR-10", low=0)
        lambda_g: float = option(0.5, "weight of G's diversity", source="StudioGAN, CIFAR-10", low=0)

    config: Config
    conflicts = (
        ConsistentGAN.conflicts
        | dict.fromkeys(("augment", "instance_noise"), "neighbours would be changed apart, which consistency punishes")
        | {
            "latent_step": "it needs latents as they were drawn, beside their neighbours",
            "feature_matching lambda_g": "it would replace G's loss, its diversity included",
        }
    )

    def neighbours(self, n: int) -> tuple[Tensor, Tensor]:
        """G(z) and G(z + s) for n fresh latents: images [n, 1, 28, 28] twice."""
        latent = self.latent(n)
        step = torch.randn(latent.shape, device=latent.device, generator=self.rng)
        return self.generator(latent), self.generator(latent + self.config.sigma * step)

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        with torch.set_grad_enabled(bool(self.config.unroll)):
            fake, neighbour = self.neighbours(len(fake_images) * self.config.pack)
        return self.config.lambda_d * inconsistency(self.scores, fake, neighbour)

    def g_turn(self, batch: Batch) -> Scalars:
        fake, neighbour = self.neighbours(len(batch))
        diversity = mse_loss(fake, neighbour)
        loss = self.g_loss(self.best(self.scores(fake))) - self.config.lambda_g * diversity
        return {"loss": loss, "diversity": diversity}

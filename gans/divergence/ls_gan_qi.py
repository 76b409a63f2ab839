"""Loss-sensitive GAN (LS-GAN; not the least-squares LSGAN)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.divergences import loss_sensitive_d
from gans.factors import NO_SIGN
from gans.registry import register

HEADS: dict[str, Callable[[Tensor], Tensor]] = {"softplus": softplus, "relu": torch.relu}


@register(
    "ls_gan_qi",
    family="divergence",
    year=2017,
    paper="Qi: Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, arXiv:1701.06264",
)
class LossSensitiveGAN(GAN):
    """GAN whose D is a loss that must be lower for reals, by a margin that grows with the fake's distance.

    Losses:
        * L(x) = sp(-D(x)) > 0, low for real; for head=relu L(x) = [-D(x)]_+
        * L_D = E [tau ||x - G(z)||_1 + L(x) - L(G(z))]_+ over pairs, the norm summed over the pixels, no gradient in it
        * L_G = E L(G(z))

    Deviations:
        * paper: tau rescaled from the official code's 3x64x64 values to 784, so that the mean margin is comparable; its
          term gamma E L(x) is left out, as the code's default gamma=0 does. L comes from -D, so that reals score high,
          by the softplus that the code has beside its ReLU: on this field the ReLU left no loss, hence no gradient, on
          all but a few images from step 20 to 80. The weight decay is the one that the code suggests for both players
          (its default is 0). G's turn draws fresh fakes, and z is normal, not uniform. No batch norm in D, which
          the code has, for L is to be Lipschitz in each image; the uniform nets.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="the loss is to be Lipschitz in each image")
        dropout: float = option(0.0, source="the loss is to be one function")
        lr_g: float = option(1e-4, source="official lsgan.lua")
        lr_d: float = option(1e-4, source="official lsgan.lua")
        tau: float = option(
            0.003,
            "margin for each unit of L1 distance, summed over pixels in [-1, 1]",
            source="official lsgan.lua, 0.0002 x 12288 / 784",
            low=0,
        )
        head: str = option(
            "softplus",
            "what makes the loss of an image positive",
            source="official lsgan.lua, its alternative to relu, which is dead here",
            choices=tuple(HEADS),
        )
        weight_decay: float = option(
            5e-5, "L2 coefficient added to each player's gradient", source="official lsgan.lua, suggested", low=0
        )

    config: Config
    conflicts = (
        GAN.conflicts
        | NO_SIGN
        | {
            "bn": "batch norm in D couples the images of a batch, so its loss is no Lipschitz function of one image",
            "minibatch": "a minibatch head couples the images of a batch, so D's loss is no function of one image",
        }
    )

    def image_loss(self, scores: Tensor) -> Tensor:
        """L(x) >= 0 of every score: [N] -> [N]."""
        return HEADS[self.config.head](-scores)

    def d_turn(self, batch: Batch) -> Scalars:
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        margin = self.config.tau * (real - fake).detach().abs().flatten(1).sum(1)
        real_loss, fake_loss = (self.image_loss(self.discriminator(images)) for images in (real, fake))
        return {
            "loss": loss_sensitive_d(real_loss, fake_loss, margin),
            "real_loss": real_loss.mean(),
            "fake_loss": fake_loss.mean(),
            "margin": margin.mean(),
        }

    def g_turn(self, batch: Batch) -> Scalars:
        return {"loss": self.image_loss(self.best(self.scores(self.fakes(batch)))).mean()}

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """The common Adam with weight decay, added to the gradient as in the official code."""
        optimizer = super().optimizer(parameters, lr)
        for group in optimizer.param_groups:
            group["weight_decay"] = self.config.weight_decay
        return optimizer

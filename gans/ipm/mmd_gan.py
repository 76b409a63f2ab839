"""MMD GAN with an autoencoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, relu
from torch.optim import Optimizer

from gans import kernels
from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.factors import CLIPPED, SINGLE_CODES
from gans.networks import TRUNK_FEATURES, Discriminator, FeatureTrunk, UpConvolution, initialise
from gans.registry import register

KERNEL = partial(kernels.gaussian, sigmas=(1, 2, 4, 8, 16))


class Autoencoder(Discriminator):
    """The uniform discriminator as encoder, images -> codes [N, code_dim], and its mirror as `decoder`."""

    def __init__(self, trunk: FeatureTrunk, code_dim: int) -> None:
        super().__init__(trunk, code_dim)
        self.decoder = nn.Sequential(
            nn.Linear(code_dim, TRUNK_FEATURES),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (128, 7, 7)),
            UpConvolution(128, 64),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        initialise(self.decoder)


@register(
    "mmd_gan",
    family="ipm",
    year=2017,
    paper="Li et al.: MMD GAN: Towards Deeper Understanding of Moment Matching Network, arXiv:1705.08584",
)
class MMDGAN(GAN):
    """GAN that minimises the MMD of codes h, which a clipped encoder learns and a decoder keeps injective.

    Losses:
        * M^2 = the biased squared MMD of h(x) and h(G(z)), k = sum of Gaussians, sigma in {1, 2, 4, 8, 16};
          R = mean over the code of min(0, E h(x) - E h(G(z)))
        * L_D = -(sqrt(M^2) + lambda_rank R) + lambda_ae (E |x - dec h(x)|^2 + E |G(z) - dec h(G(z))|^2), a mean over
          pixels; after each turn of D every parameter of the encoder is clamped to [-clip, clip]
        * L_G = sqrt(M^2) + lambda_rank R

    Deviations:
        * paper: weights as in the authors' mmd_gan.py, which clamps before the update and has 100 D turns for each of
          the first 25 G turns and for every 500th. No batch norm in D; its decoder is small, 201,153 parameters more
          than the uniform field. Latent 100, not their 10 for MNIST. RMSprop leaves `beta1` and `beta2` without a
          meaning.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="clipping would bound batch norm's scale")
        dropout: float = option(0.0, source="a code is to be one function of its image")
        lr_g: float = option(5e-5, source="authors' mmd_gan.py")
        lr_d: float = option(5e-5, source="authors' mmd_gan.py")
        n_d: int = option(5, source="authors' mmd_gan.py")
        clip: float = option(0.01, "bound of the encoder's parameters", source="authors' mmd_gan.py", low=1e-6)
        code_dim: int = option(10, "length of the code h(x)", source="authors' run_exp.sh, MNIST", low=2)
        lambda_ae: float = option(8.0, "weight of the reconstruction errors", source="authors' mmd_gan.py", low=0)
        lambda_rank: float = option(16.0, "weight of the one-sided mean", source="authors' mmd_gan.py", low=0)

    config: Config
    fields = ("digits",)
    conflicts = GAN.conflicts | SINGLE_CODES | CLIPPED | {"pack": "its decoder makes one image of a code"}
    discriminator: Autoencoder

    def build_discriminator(self) -> Autoencoder:
        """images [N, 1, 28, 28] -> codes [N, code_dim]."""
        return Autoencoder(self.uniform_trunk(), self.config.code_dim)

    def discrepancy(self, real_codes: Tensor, fake_codes: Tensor) -> Tensor:
        """sqrt(M^2) + lambda_rank R; rounding may leave M^2 below zero, where relu stands for the root."""
        squared = relu(kernels.mmd2_biased(KERNEL, real_codes, fake_codes))
        rank = -relu(fake_codes.mean(0) - real_codes.mean(0)).mean()
        return squared.sqrt() + self.config.lambda_rank * rank

    def d_turn(self, batch: Batch) -> Scalars:
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        real_codes, fake_codes = self.discriminator(real), self.discriminator(fake)
        discrepancy = self.discrepancy(real_codes, fake_codes)
        decode = self.discriminator.decoder
        error = mse_loss(decode(real_codes), real) + mse_loss(decode(fake_codes), fake)
        return {"loss": self.config.lambda_ae * error - discrepancy, "discrepancy": discrepancy, "error": error}

    def g_turn(self, batch: Batch) -> Scalars:
        real_codes, fake_codes = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": self.discrepancy(real_codes, fake_codes)}

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """RMSprop, as in the authors' code; beta1 and beta2 are not used."""
        return torch.optim.RMSprop(parameters, lr)

    @torch.no_grad()
    def clip_encoder(self) -> None:
        """Clamps every parameter of the encoder, not of the decoder, to [-clip, clip]."""
        encoder: list[Tensor] = [*self.discriminator.trunk.parameters(), *self.discriminator.head.parameters()]
        torch._foreach_clamp_min_(encoder, -self.config.clip)
        torch._foreach_clamp_max_(encoder, self.config.clip)

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [replace(d, after=self.clip_encoder), g]

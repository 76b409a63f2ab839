"""What GANs with an encoder share: the encoder itself, reconstruction and its losses, and a discriminator of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import log, pi
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy
from torch.optim import Optimizer

from gans.base import GAN, Turn
from gans.config import option
from gans.encoders import Encoder, Gaussian, GaussianEncoder
from gans.networks import SLOPE, Body, Dropout, FeatureTrunk, in_full, initialise
from gans.objectives import g_objective

MARGIN = 1e-6
"""Least distance of a Bernoulli mean from 0 and 1, where its logarithm would be infinite."""


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """||a - b||^2 of each pair: two [N, ...] -> [N]."""
    return (a - b).flatten(1).square().sum(1)


def bernoulli_nll(decoded: Tensor, images: Tensor) -> Tensor:
    """-log p(x|z) in nats of each image, images and decoded [N, ...] in [-1, 1] read as x and mean in [0, 1]: [N].

    The mean is kept from 0 and 1 by shrinking its range, since clamping would stop the gradient of a sure error.
    """
    mean = (1 + (1 - 2 * MARGIN) * decoded) / 2
    # On CUDA torch refuses it under autocast; both are float32 anyhow.
    with torch.autocast(images.device.type, enabled=False):
        return binary_cross_entropy(mean, (images + 1) / 2, reduction="none").flatten(1).sum(1)


def gaussian_nll(decoded: Tensor, images: Tensor, sigma: float) -> Tensor:
    """-log N(x; mean, sigma^2 I) in nats of each image, x and mean in [0, 1], made of images in [-1, 1]: [N]."""
    pixels = images[0].numel()
    return squared_distance(decoded, images) / (8 * sigma**2) + pixels / 2 * log(2 * pi * sigma**2)


class EncoderGAN(GAN):
    """A GAN with an encoder E beside G, which `reconstruct` goes through."""

    gaussian: ClassVar[bool] = True
    """Whether E gives a Gaussian, not a point."""
    encoder: Encoder

    def prepare(self) -> None:
        kind = GaussianEncoder if self.gaussian else Encoder
        self.encoder = kind(self.encoder_trunk(), self.config.latent_dim)

    def encoder_trunk(self) -> FeatureTrunk:
        """The uniform trunk for single images, with batch norm and without dropout, whatever D's has."""
        return self.field.trunk(True, 0.0, 1)

    def posterior(self, images: Tensor) -> Gaussian:
        """E's Gaussian for each image; only where E gives one."""
        assert isinstance(self.encoder, GaussianEncoder)
        return self.encoder.posterior(images)

    def encode(self, images: Tensor) -> Tensor:
        """A latent [N, L] for each image: E(x), or a draw from E's Gaussian."""
        codes: Tensor = self.posterior(images).sample(self.rng) if self.gaussian else self.encoder(images)
        return codes

    def reconstruct(self, images: Tensor) -> Tensor:
        """G(E(x)), with the mean of E's Gaussian."""
        codes = self.posterior(images).mean if self.gaussian else self.encoder(images)
        rebuilt: Tensor = self.generator(codes)
        return rebuilt

    def autoencoder_optimizer(self) -> Optimizer:
        """One optimizer for G and E, which move together."""
        parameters = [*self.generator.parameters(), *self.encoder.parameters()]
        return self.optimizer(parameters, self.config.lr_g)


class Autoencoder(EncoderGAN):
    """E and G trained to reconstruct, in the turn "g"; no D sees images, so `bn` is a matter of E's trunk."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(True, "batch normalisation in the encoder's trunk", source="as in G, which mirrors it")
        dropout: float = option(0.0, source="there is no trunk of D")

    config: Config
    conflicts = {"dropout": "there is no trunk of D, whose dropout this is"}

    def encoder_trunk(self) -> FeatureTrunk:
        return self.field.trunk(self.config.bn, 0.0, 1)

    def turns(self) -> list[Turn]:
        return [Turn("g", partial(g_objective, self), self.autoencoder_optimizer(), every=self.config.n_d)]


class JointDiscriminator(Body):
    """Images seen [N / pack, pack, 28, 28] and latents [N, L] -> scores [N / pack] of the pairs.

    The trunk's features of an image, and a `minibatch` statistic of them, stand beside an embedding of its latent in
    an MLP. Dropout is that of the trunk.
    """

    HIDDEN = 256

    def __init__(self, trunk: FeatureTrunk, latents: int, dropout: float, minibatch: str = "none") -> None:
        super().__init__(trunk, minibatch)
        self.embedding = nn.Sequential(nn.Linear(latents, self.HIDDEN), nn.LeakyReLU(SLOPE), Dropout(dropout))
        hidden = (nn.Linear(self.width + self.HIDDEN, self.HIDDEN), nn.LeakyReLU(SLOPE), Dropout(dropout))
        self.head = nn.Sequential(*hidden, nn.Linear(self.HIDDEN, 1))
        for part in (self.statistic, self.embedding, self.head):
            if part is not None:
                initialise(part)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        """A pack's latents are put together, as its images are."""
        pair = torch.cat([self.features(images), self.embedding(latents.reshape(len(images), -1))], 1)
        return in_full(self.head, pair).squeeze(1)

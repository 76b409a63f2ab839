"""VAE/GAN."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import Optimizer

from gans import losses
from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.inference.base import EncoderGAN, squared_distance
from gans.networks import Discriminator
from gans.registry import register


@register(
    "vae_gan",
    family="inference",
    year=2015,
    paper="Larsen et al.: Autoencoding beyond pixels using a learned similarity metric, arXiv:1512.09300",
    track="inference",
)
class VAEGAN(EncoderGAN):
    """VAE whose decoder is a GAN's generator and whose reconstruction error is taken in D's features.

    Losses:
        * R = E 1/2 ||phi(x) - phi(G(z^))||^2, phi the features of D's trunk, z^ ~ q(z|x) = E(x); sums over features
        * L_E = E KL(q(z|x) || N(0, I)) + R
        * L_G = gamma R - E log sig(D(G(z^))) - E log sig(D(G(z)))
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z^)))) - E log(1 - sig(D(G(z)))): R is no part of it

    Deviations:
        * nets: E is the uniform trunk and a linear layer to mean and log variance, 1,387,272 parameters.
        * paper: the uniform nets, phi the last features of a trunk of two layers; G takes the non-saturating loss and
          not the negative of D's; one turn each with draws of its own, where one pass trains all three; R is taken
          on images as they are, whatever else D sees of them; gamma is ours.
        * settings: RMSprop has neither `beta1` nor `beta2`, so they have no meaning.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        dropout: float = option(0.0, source="it would add the distance of two masks to that of features")
        lr_g: float = option(3e-4, "learning rate of G and of E", source="paper")
        lr_d: float = option(3e-4, source="paper")
        gamma: float = option(
            1e-3,
            "weight of the reconstruction error in G's loss",
            source="ours: R is some hundreds here, the rest of L_G about 3; authors' code 1e-6 to 1e-2",
            low=0,
        )

    config: Config
    discriminator: Discriminator
    conflicts = {
        "dropout": "two passes of D drop other features, which the reconstruction error would count",
        "pack": "features of a pack are no space in which one image is reconstructed",
        "feature_matching": "it would replace the reconstruction error in D's features, which is the point of the row",
    }

    def rebuilt(self, images: Tensor) -> Tensor:
        """G(z^) with a gradient in G alone."""
        with torch.no_grad():
            latent = self.encode(images)
        rebuilt: Tensor = self.generator(latent)
        return rebuilt

    def feature_error(self, images: Tensor, rebuilt: Tensor) -> Tensor:
        """R."""
        # A constant, unless G looks ahead to the D that it comes from.
        with torch.set_grad_enabled(bool(self.config.unroll)):
            target = self.discriminator.trunk(images)
        return squared_distance(target, self.discriminator.trunk(rebuilt)).mean() / 2

    def d_turn(self, batch: Batch) -> Scalars:
        fake = self.constant_fakes(batch)
        with torch.set_grad_enabled(bool(self.config.unroll)):
            rebuilt = self.rebuilt(batch.images)
        real_scores, fake_scores, rebuilt_scores = map(self.scores, (batch.images, fake, rebuilt))
        loss = losses.logistic_d(real_scores, fake_scores, self.config.label_smoothing)
        scalars = {"loss": loss + softplus(rebuilt_scores).mean(), "rebuilt_score": rebuilt_scores.mean()}
        scalars |= {"real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        return scalars | self.view.observe(real_scores)

    def e_turn(self, batch: Batch) -> Scalars:
        """E's loss: the divergence from the prior and the reconstruction error."""
        posterior = self.posterior(batch.images)
        divergence = posterior.divergence().mean()
        error = self.feature_error(batch.images, self.generator(posterior.sample(self.rng)))
        return {"loss": divergence + error, "kl": divergence, "error": error}

    def g_turn(self, batch: Batch) -> Scalars:
        rebuilt = self.rebuilt(batch.images)
        scores = [self.best(self.scores(images)) for images in (rebuilt, self.fakes(batch))]
        adversarial = sum(map(losses.nonsaturating_g, scores), torch.zeros((), device=self.device))
        return {"loss": self.config.gamma * self.feature_error(batch.images, rebuilt) + adversarial}

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """RMSprop, as in the paper; beta1 and beta2 are not used."""
        return torch.optim.RMSprop(parameters, lr)

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        e = Turn("e", self.e_turn, self.optimizer(self.encoder.parameters(), self.config.lr_g), every=self.config.n_d)
        return [d, e, g]

"""Adversarial autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import mse_loss

from gans import losses
from gans.base import Batch, Scalars, Turn
from gans.config import option
from gans.inference.base import Autoencoder
from gans.networks import initialise
from gans.registry import register

WIDTH = 1000
"""Units of D's two layers; paper."""


@register(
    "aae",
    family="inference",
    year=2015,
    paper="Makhzani et al.: Adversarial Autoencoders, arXiv:1511.05644",
    track="inference",
)
class AAE(Autoencoder):
    """Autoencoder whose codes a GAN moves towards the prior: D sees codes and no images.

    Losses:
        * L_E,G = E ||x - G(E(x))||^2 / 784, the turn "g"
        * L_D = -E log sig(D(z)) - E log(1 - sig(D(E(x)))), z ~ N(0, I) being the real one
        * L_E = -E log sig(D(E(x))), the turn "e"

    Deviations:
        * nets: E is the uniform trunk and a linear layer, 182,856 parameters; D is an MLP of two layers of 1000 ReLU,
          1,011,001 parameters; G has 233,633, since it takes 8 latents.
        * paper: convolutional E and G, not MLPs of 1000 units; a prior of standard deviation 1, not 5, and a
          deterministic E; Adam, not SGD with momentum.
        * settings: the paper's 8 latents, not the uniform 100, which codes do not fill: FID 64 after 2,000 steps.
          By FID of 2,000 samples against the 10,000 validation digits, 1,000 steps, one seed: 31 with 8, and 37 at best
          with 1e-3 for all. `bn` is that of E's trunk.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(Autoencoder.Config):
        latent_dim: int = option(8, "length of the code", source="paper, likelihood experiments on MNIST", low=1)
        lr_e: float = option(2e-4, "learning rate of E where it fools D", source="as lr_g", low=0)

    config: Config
    gaussian = False
    conflicts = Autoencoder.conflicts | {
        "minibatch": "D sees codes and has no features of images",
        "augment": "D sees codes, which cannot be changed as images can",
        "top_k": "G reconstructs and asks for no scores of which top_k could keep the best",
        "feature_matching": "D sees codes and has no features of images that G could match",
        "latent_step": "D sees codes, so no score of an image tells latents where to rise",
        "unroll": "G reconstructs and does not depend on D, so there is nothing to look ahead to",
    }

    def build_discriminator(self) -> nn.Module:
        """What `see` gives of codes [N / pack, pack L] -> scores [N / pack]."""
        inputs = self.config.latent_dim * self.config.pack
        layers = [nn.Linear(inputs, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1)]
        discriminator = nn.Sequential(*layers, nn.Flatten(0))
        initialise(discriminator)
        return discriminator

    def g_turn(self, batch: Batch) -> Scalars:
        return {"loss": mse_loss(self.reconstruct(batch.images), batch.images)}

    def d_turn(self, batch: Batch) -> Scalars:
        with torch.no_grad():
            codes = self.encode(batch.images)
        real_scores, fake_scores = self.scores(self.latent(len(batch))), self.scores(codes)
        loss = losses.logistic_d(real_scores, fake_scores, self.config.label_smoothing)
        return {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}

    def e_turn(self, batch: Batch) -> Scalars:
        """E's loss where it fools D."""
        return {"loss": losses.nonsaturating_g(self.scores(self.encode(batch.images)))}

    def turns(self) -> list[Turn]:
        """The paper's reconstruction phase, then its regularisation phase."""
        d = Turn("d", self.d_turn, self.optimizer(self.discriminator.parameters(), self.config.lr_d))
        e = Turn("e", self.e_turn, self.optimizer(self.encoder.parameters(), self.config.lr_e), every=self.config.n_d)
        return [*super().turns(), d, e]

"""Boundary-seeking GAN."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gans.base import Batch, Scalars
from gans.config import option
from gans.divergences import boundary_seeking_g, log_mean_exp
from gans.factors import REPLACED
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "bgan",
    family="divergence",
    year=2018,
    paper="Hjelm et al.: Boundary-Seeking Generative Adversarial Networks, arXiv:1702.08431",
)
class BGAN(NSGAN):
    """GAN whose G seeks D's decision boundary instead of its far side.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (Goodfellow et al. 2014, eq. 1)
        * L_G = E (D(G(z)) - log Z)^2, the loss for continuous data
        * after each turn of G: log Z <- decay log Z + (1 - decay) log E e^D(G(z))

    Deviations:
        * paper: the uniform nets; learning rate 2e-4, not the official code's 1e-4; latent 100 and normal, not 128 and
          uniform. log Z starts at 0 and lags the loss by a turn, as in that code; its form without log Z is decay=1.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        log_z_decay: float = option(
            0.995,
            "decay, a G turn, of the average that estimates log Z; 1 keeps log Z at 0",
            source="official lib/loss.py",
            low=0,
            high=1,
        )

    config: Config
    conflicts = NSGAN.conflicts | {"feature_matching": REPLACED}
    log_z: Tensor

    def prepare(self) -> None:
        self.register_buffer("log_z", torch.zeros(()))

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return boundary_seeking_g(fake_scores, self.log_z)

    def g_turn(self, batch: Batch) -> Scalars:
        fake_scores = self.scores(self.fakes(batch))
        scalars = {"loss": self.g_loss(self.best(fake_scores)), "log_z": self.log_z}
        # A new tensor, for the logged one must not change.
        self.log_z = torch.lerp(log_mean_exp(fake_scores.detach()), self.log_z, self.config.log_z_decay)
        return scalars

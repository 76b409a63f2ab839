"""DCGAN trained with the step of the tutorial series."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.registry import register
from gans.standard.dcgan import DCGAN


@register(
    "dcgan_tutorial",
    family="standard",
    year=2020,
    paper="MorvanZhou/mnistGANs dcgan.py @ ba7e598; networks after Radford et al. 2015, arXiv:1511.06434",
)
class DCGANTutorial(DCGAN):
    """DCGAN trained with the tutorial's step: G first, then D once on half a batch of each kind.

    Losses:
        * L_G = -E log sig(D(G(z))) on 2N fakes
        * L_D = mean binary cross-entropy of ONE concatenated batch: N reals (1) and the first N of those fakes (0),
          made before G's update

    Deviations:
        * `dcgan`: G's turn precedes D's and sees twice as many images; D's fakes are those that G was just trained on;
          D sees reals and fakes concatenated, so that its batch norm mixes them and can tell them apart by the batch's
          statistics; the mean over both halves the loss.
        * tutorial: G and D have an Adam each where it shares one; batch norm and dropout are active in D's turn. In G's
          turn both are off, as its `training=False` asks: D normalises by its running statistics, since those of a
          batch of fakes alone would make it another function than the one that D learns.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(DCGAN.Config):
        batch_size: int = option(32, "real images in a step; G makes twice as many", source="tutorial")

    config: Config
    conflicts = DCGAN.conflicts | {
        "feature_matching": "its D judges the fakes that G's loss was taken on, which feature matching replaces",
        "unroll": "its D's turn follows G's, so there is nothing to look ahead to",
        "minibatch": "its D sees reals and fakes in one batch, whose statistic tells of neither",
        "latent_step": "its D judges the fakes of G's turn as constants, so it cannot learn through the step",
    }

    def g_turn(self, batch: Batch) -> Scalars:
        fake = self.fakes(batch.repeated(2))
        self._fakes = fake.detach()
        self.discriminator.eval()
        scores = self.scores(fake)
        self.discriminator.train()
        return {"loss": self.g_loss(self.best(scores))}

    def d_turn(self, batch: Batch) -> Scalars:
        images = torch.cat([self.see(batch.images), self.see(self._fakes[: len(batch)])])
        real_scores, fake_scores = self.discriminator(images).chunk(2)
        loss = self.d_loss(real_scores, fake_scores) / 2
        scalars = {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        return scalars | self.view.observe(real_scores)

    @classmethod
    def skip(cls, config: GAN.Config) -> str | None:
        return "its step trains D once for each G turn: n_d must be 1" if config.n_d != 1 else super().skip(config)

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [g, d]

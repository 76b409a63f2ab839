"""SSGAN."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gans.base import Batch, Scalars
from gans.config import option
from gans.networks import TwoHeads
from gans.registry import register
from gans.regularised.sngan import SNGAN

ANGLES = 4


def rotated(images: Tensor) -> tuple[Tensor, Tensor]:
    """The first quarter of images [N, C, H, H] under 0, 90, 180 and 270 degrees, and how many quarter turns: int64."""
    some = images[: max(len(images) // ANGLES, 1)]
    turns = torch.arange(ANGLES, device=images.device).repeat_interleave(len(some))
    return torch.cat([torch.rot90(some, k, (2, 3)) for k in range(ANGLES)]), turns


@register(
    "ssgan",
    family="information",
    year=2018,
    paper="Chen, Zhai, Ritter, Lucic, Houlsby: Self-Supervised GANs via Auxiliary Rotation Loss, arXiv:1811.11212",
)
class SSGAN(SNGAN):
    """Hinge GAN whose D also tells by how much an image was rotated, which needs no labels.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+ + beta CE(R(T_k x), k)
        * L_G = -E D(G(z)) + alpha CE(R(T_k G(z)), k), R the rotation head on D's trunk, T_k the rotation by k quarter
          turns; a quarter of the batch is rotated by all four, and only upright images enter the other terms

    Deviations:
        * nets: D has a second head of 4 outputs, 163,653 parameters, 25,092 more than the uniform D without batch norm.
        * paper: the uniform nets and `sngan`'s settings, so that one thing differs; 0, 1 and 8 look alike upside down,
          and 6 and 9 each other, so the rotation loss has a floor.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SNGAN.Config):
        alpha: float = option(0.2, "weight of the rotation loss of fakes in G's loss", source="paper", low=0)
        beta: float = option(1.0, "weight of the rotation loss of reals in D's loss", source="paper", low=0)

    config: Config
    fields = ("digits",)
    conflicts = SNGAN.conflicts | {
        "feature_matching": "it would replace G's loss, the rotations' part included",
        "minibatch=stddev": "a group of images would be the four rotations of one",
    }

    def build_discriminator(self) -> nn.Module:
        return TwoHeads(self.uniform_trunk(), ANGLES, self.config.minibatch)

    def scores(self, images: Tensor) -> Tensor:
        return super().scores(images)[:, 0]

    def judge(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores [N] of images as D sees them, the rotation loss and R's accuracy on a quarter of them."""
        inputs, turns = rotated(images)
        logits = self.discriminator(inputs)[:, 1:]
        accuracy = (logits.argmax(1) == turns).float().mean()
        return self.discriminator(images)[:, 0], cross_entropy(logits, turns), accuracy

    def d_turn(self, batch: Batch) -> Scalars:
        real_scores, rotation, accuracy = self.judge(self.see(batch.images))
        fake_scores = self.scores(self.constant_fakes(batch))
        loss = self.d_loss(real_scores, fake_scores) + self.config.beta * rotation
        scalars = {"loss": loss, "rotation": rotation, "accuracy": accuracy}
        scalars |= {"real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        return scalars | self.view.observe(real_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        scores, rotation, accuracy = self.judge(self.see(self.fakes(batch)))
        loss = self.g_loss(self.best(scores)) + self.config.alpha * rotation
        return {"loss": loss, "rotation": rotation, "accuracy": accuracy}

"""GAN with the LeCam regulariser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from gans.base import Batch, Scalars
from gans.config import option
from gans.registry import register
from gans.regularised.sngan import SNGAN


def lecam_regulariser(real: Tensor, fake: Tensor, real_anchor: Tensor, fake_anchor: Tensor) -> Tensor:
    """E ([r - a_F]_+)^2 + E ([a_R - f]_+)^2: scores [N] are held near the anchor of the other kind, a scalar each."""
    return relu(real - fake_anchor).square().mean() + relu(real_anchor - fake).square().mean()


@register(
    "lecam",
    family="regularised",
    year=2021,
    paper="Tseng et al.: Regularizing Generative Adversarial Networks under Limited Data, arXiv:2104.03310",
)
class LeCam(SNGAN):
    """Hinge GAN whose scores are kept near the moving average of the other kind's scores.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+ + lambda_lecam (E ([D(x) - a_F]_+)^2 + E ([a_R - D(G(z))]_+)^2),
          a_R and a_F the moving averages of the batch means of D(x) and D(G(z)), constants for the gradient
        * L_G = -E D(G(z))

    Deviations:
        * paper: the rectified squares of the official code, where the paper writes plain ones; as there, the anchors
          are the latest batch's means until the penalty starts. They are moved after the loss, so that the current
          batch is not part of them. The uniform nets with spectral norm in D, so that `sngan` is this row without the
          penalty.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SNGAN.Config):
        lambda_lecam: float = option(
            0.3, "weight of the penalty", source="StudioGAN, CIFAR-10; paper 0.1 to 0.5", low=0
        )
        anchor_decay: float = option(
            0.99, "decay, a D turn, of the anchors", source="official StyleGAN2 code and StudioGAN", low=0, high=0.99999
        )
        lecam_start: float = option(
            0.005,
            "share of the training after which the penalty starts",
            source="StudioGAN: 1,000 of 200,000 steps",
            low=0,
            high=1,
        )

    config: Config
    conflicts = SNGAN.conflicts | {"unroll": "the steps that are looked ahead would move the anchors"}
    real_anchor: Tensor
    fake_anchor: Tensor

    def prepare(self) -> None:
        self.register_buffer("real_anchor", torch.zeros(()))
        self.register_buffer("fake_anchor", torch.zeros(()))

    @property
    def started(self) -> bool:
        """Whether the penalty is on; never in the first step, which has no anchors yet."""
        return self.progress > self.config.lecam_start

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        loss = super().d_loss(real_scores, fake_scores)
        if not self.started:
            return loss
        penalty = lecam_regulariser(real_scores, fake_scores, self.real_anchor, self.fake_anchor)
        return loss + self.config.lambda_lecam * penalty

    def d_turn(self, batch: Batch) -> Scalars:
        scalars = super().d_turn(batch)
        scalars |= {"real_anchor": self.real_anchor, "fake_anchor": self.fake_anchor}
        decay = self.config.anchor_decay if self.started else 0.0
        self.real_anchor = torch.lerp(scalars["real_score"].detach(), self.real_anchor, decay)
        self.fake_anchor = torch.lerp(scalars["fake_score"].detach(), self.fake_anchor, decay)
        return scalars

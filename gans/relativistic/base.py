"""Relativistic losses, and the GAN that plays them from both sides.

A loss takes the scores of what shall look better and of what shall look worse. D's loss is `loss(real, fake)`, G's is
`loss(fake, real)`: the same function, so no half of it can be forgotten in G's turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu, softplus

from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.factors import NO_SIGN
from gans.losses import check_scores


def paired_logistic(better: Tensor, worse: Tensor) -> Tensor:
    """E sp(-(b - w)), the i-th better one paired with the i-th worse one: RSGAN, also called RpGAN."""
    check_scores(better, worse)
    return softplus(worse - better).mean()


def average_logistic(better: Tensor, worse: Tensor) -> Tensor:
    """1/2 [E sp(-(b - E w)) + E sp(w - E b)]: RaSGAN, halved as in its author's code. arXiv:1807.00734."""
    check_scores(better, worse)
    return (softplus(worse.mean() - better).mean() + softplus(worse - better.mean()).mean()) / 2


def average_least_squares(better: Tensor, worse: Tensor) -> Tensor:
    """1/2 [E (b - E w - 1)^2 + E (w - E b + 1)^2]: RaLSGAN, halved as in its author's code."""
    check_scores(better, worse)
    return ((better - worse.mean() - 1).square().mean() + (worse - better.mean() + 1).square().mean()) / 2


def average_hinge(better: Tensor, worse: Tensor) -> Tensor:
    """1/2 [E [1 - (b - E w)]_+ + E [1 + (w - E b)]_+]: RaHingeGAN, halved as in its author's code."""
    check_scores(better, worse)
    return (relu(1 - (better - worse.mean())).mean() + relu(1 + (worse - better.mean())).mean()) / 2


class Relativistic(GAN):
    """A GAN with one relativistic loss, whose roles are swapped for G."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="scores are compared, so they should not be coupled")

    config: Config
    conflicts = (
        GAN.conflicts | NO_SIGN | {"top_k": "as many fakes as reals are compared, of which none may be left out"}
    )

    @staticmethod
    def relativistic_loss(better: Tensor, worse: Tensor) -> Tensor:
        """Scores [N] of what shall look better and of what shall look worse -> a scalar to minimise."""
        raise NotImplementedError

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return self.relativistic_loss(real_scores, fake_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        real_scores, fake_scores = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": self.relativistic_loss(fake_scores, real_scores)}

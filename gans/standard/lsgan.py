"""LSGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from gans import losses
from gans.base import GAN
from gans.config import option
from gans.registry import register

# Labels (a: fake, b: real, c: what G wants). The paper's two pairs, and the tutorial's, which is neither.
CODINGS = {"binary": (0.0, 1.0, 1.0), "chi2": (-1.0, 1.0, 0.0), "tutorial": (-1.0, 1.0, 1.0)}


@register(
    "lsgan",
    family="standard",
    year=2017,
    paper="Mao et al.: Least Squares Generative Adversarial Networks, arXiv:1611.04076",
)
class LSGAN(GAN):
    """GAN whose D regresses the labels with a squared error.

    Losses:
        * L_D = 1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2 (eq. 2), D's score linear, without a sigmoid
        * L_G = 1/2 E (D(G(z)) - c)^2 (eq. 2)

    Deviations:
        * paper: its networks and its LSUN learning rate 1e-3; here the uniform nets and 2e-4.
        * tutorial: its coding (-1, 1, 1) is offered as coding=tutorial, which feature_matching=on makes one with chi2;
          the default is the paper's (0, 1, 1); its G loss lacks the factor 1/2.

    Same as:
        * `lsgan` for coding=tutorial: the default's losses up to an affine map of the scores, so not its steps
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        coding: str = option(
            "binary",
            "labels (a, b, c): binary (0, 1, 1), chi2 (-1, 1, 0), tutorial (-1, 1, 1)",
            source="paper, the 0-1 binary coding scheme",
            choices=tuple(CODINGS),
        )

    config: Config
    conflicts: ClassVar[dict[str, str]] = {
        "augment=ada coding=binary": "ada steers by the sign of D's score on reals, which this coding has at 1"
    }

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        a, b, _ = CODINGS[self.config.coding]
        b += self.config.label_smoothing * (a - b)
        return losses.least_squares_d(real_scores, fake_scores, a, b)

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return losses.least_squares_g(fake_scores, CODINGS[self.config.coding][2])

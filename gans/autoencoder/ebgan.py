"""EBGAN with the pulling-away term."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans.autoencoder.base import AutoencoderGAN, energy_margin, pulling_away
from gans.base import Batch, Scalars
from gans.config import option
from gans.registry import register


@register(
    "ebgan",
    family="autoencoder",
    year=2016,
    paper="Zhao, Mathieu, LeCun: Energy-based Generative Adversarial Network, arXiv:1609.03126",
)
class EBGAN(AutoencoderGAN):
    """GAN whose D gives reals a low energy and fakes at least a margin: EBGAN-PT.

    Losses:
        * e(x) = mean over pixels of (AE(x) - x)^2
        * L_D = E e(x) + E [margin - e(G(z))]_+, the hinge on each fake
        * L_G = E e(G(z)) + lambda_pt / (N (N - 1)) sum_{i != j} cos^2(s_i, s_j), s the fakes' codes

    Deviations:
        * nets: D is the uniform trunk, a linear code and the uniform generator's layers without batch norm: 1,557,509
          parameters, 11 times the 138,561 of other rows.
        * paper: the energy is a mean of squares, not a norm, and the margin is scaled with it; no batch norm in D.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(AutoencoderGAN.Config):
        margin: float = option(
            0.25,
            "energy up to which a fake is pushed away, squared error a pixel in [-1, 1]",
            source="about 5 times a trained autoencoder's 0.02 to 0.1 on digits, and the 0.27 of the mean digit",
            low=0,
        )
        lambda_pt: float = option(0.1, "weight of the pulling-away term; 0 is plain EBGAN", source="paper", low=0)

    config: Config
    conflicts = AutoencoderGAN.conflicts | {
        "feature_matching lambda_pt": "it would replace G's loss, the pulling-away term included"
    }

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return energy_margin(-real_scores, -fake_scores, self.config.margin)

    def g_turn(self, batch: Batch) -> Scalars:
        fake = self.see(self.fakes(batch))
        codes = self.discriminator.encode(fake)
        pull = pulling_away(codes)
        loss = self.g_loss(self.best(-self.discriminator.energy(fake, codes))) + self.config.lambda_pt * pull
        return {"loss": loss, "pulling_away": pull}

"""D2GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.divergences import dual_d, dual_g
from gans.factors import NO_SIGN
from gans.registry import register


@register(
    "d2gan",
    family="divergence",
    year=2017,
    paper="Nguyen et al.: Dual Discriminator Generative Adversarial Nets, arXiv:1709.03831",
)
class D2GAN(GAN):
    """GAN with two discriminators, one rewarding reals and one rewarding fakes: KL and reverse KL together.

    Losses:
        * L_D1 = E [-alpha log D1(x) + D1(G(z))]
        * L_D2 = E [D2(x) - beta log D2(G(z))]
        * L_G = E [-D1(G(z)) + beta log D2(G(z))]; D1 = sp of `discriminator`, D2 = sp of `discriminator2`

    Deviations:
        * uniform field: a second D of the same shape, so D's parameters and computation double.
        * paper: the uniform nets; 1e-8 is added under each logarithm; D1 and D2 take a turn each, on fakes of
          their own.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        alpha: float = option(
            0.2,
            "weight of D1's logarithm, the KL part",
            source="port KangBK0120/D2GAN for images; the authors' 2-D toy has 1",
            low=1e-3,
            high=1,
        )
        beta: float = option(
            0.1,
            "weight of D2's logarithm, the reverse KL part",
            source="port KangBK0120/D2GAN for images; the authors' 2-D toy has 1",
            low=1e-3,
            high=1,
        )

    config: Config
    conflicts = (
        GAN.conflicts
        | NO_SIGN
        | dict.fromkeys(
            ("top_k", "feature_matching", "latent_step", "unroll"), "it has two discriminators, and this asks one"
        )
    )

    def prepare(self) -> None:
        self.discriminator2 = self.new_discriminator()

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return dual_d(real_scores, fake_scores, self.config.alpha)

    def d2_turn(self, batch: Batch) -> Scalars:
        """D2's loss on the batch and as many fakes."""
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        real_scores, fake_scores = self.discriminator2(real), self.discriminator2(fake)
        loss = dual_d(fake_scores, real_scores, self.config.beta)
        return {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}

    def g_turn(self, batch: Batch) -> Scalars:
        fake = self.see(self.fakes(batch))
        return {"loss": dual_g(self.discriminator(fake), self.discriminator2(fake), self.config.beta)}

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        d2 = Turn("d2", self.d2_turn, self.optimizer(self.discriminator2.parameters(), self.config.lr_d))
        return [d, d2, g]

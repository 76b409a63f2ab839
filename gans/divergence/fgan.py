"""f-GAN."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.divergences import DIVERGENCES, EXPONENT_LIMIT, Divergence
from gans.factors import NO_SIGN
from gans.registry import register


@register(
    "fgan",
    family="divergence",
    year=2016,
    paper="Nowozin, Cseke, Tomioka: f-GAN, arXiv:1606.00709",
)
class FGAN(GAN):
    """GAN that minimises an f-divergence by its variational bound.

    Losses:
        * L_D = -E T(D(x)) + E f*(T(D(G(z)))) (section 2.2), T the divergence's output activation (table 2)
        * L_G = -E f*(T(D(G(z)))) for g_loss=exact, -E T(D(G(z))) for g_loss=variant (section 3.2)

    Deviations:
        * paper: each activation increases in the score, so that reals score high; the paper has decreasing ones.
          Exponents are clamped to [-20, 20], where their gradient ends ("extreme" is the share of D's scores beyond).
          The norm of each player's gradient is clipped to 10, by a hook before the optimizer's step. Learning rate
          1e-4, not 2e-4, batch 64, not 4096, and the uniform nets; no batch norm in D, as in the paper.
        * tutorial: has no such script.

    Same as:
        * `wgan` for divergence=kl and g_loss=variant: G's loss, on other settings
        * `wgan` for divergence=pearson and g_loss=variant: G's loss, on other settings
        * `nsgan` for divergence=js and g_loss=variant: the losses up to constants, on other settings
        * `mmgan` for divergence=js and g_loss=exact: the losses up to constants, on other settings
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="paper: none in D")
        dropout: float = option(0.0, source="its noise would pass through exponentials")
        lr_g: float = option(1e-4, source="half the paper's, for the exponentials")
        lr_d: float = option(1e-4, source="half the paper's, for the exponentials")
        divergence: str = option(
            "kl", "f-divergence of the data from G", source="paper's first", choices=tuple(DIVERGENCES)
        )
        g_loss: str = option(
            "variant", "exact: minus D's; variant: practical", source="paper, section 3.2", choices=("variant", "exact")
        )
        clip_norm: float = option(
            10.0, "largest norm of a player's gradient", source="our choice, for the exponentials", low=1e-6
        )

    config: Config
    conflicts = GAN.conflicts | {
        "augment=ada divergence=kl": NO_SIGN["augment=ada"],
        "feature_matching g_loss=exact": "it would replace G's loss, which is all that g_loss changes",
        "unroll": "the gradients of the steps that are looked ahead would not be clipped",
    }

    @property
    def divergence(self) -> Divergence:
        """The configured f-divergence."""
        return DIVERGENCES[self.config.divergence]

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        extreme = [(scores.abs() > EXPONENT_LIMIT).float().mean() for scores in (real_scores, fake_scores)]
        self._extreme = (extreme[0] + extreme[1]) / 2
        return self.divergence.d_loss(real_scores, fake_scores)

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        if self.config.g_loss == "exact":
            return self.divergence.exact_g_loss(fake_scores)
        return self.divergence.variant_g_loss(fake_scores)

    def d_turn(self, batch: Batch) -> Scalars:
        return super().d_turn(batch) | {"extreme": self._extreme}

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """Adam that first clips the norm of its gradient, on the device."""
        held = list(parameters)
        optimizer = super().optimizer(held, lr)

        def clip(*_: Any) -> None:
            clip_grad_norm_(held, self.config.clip_norm)

        optimizer.register_step_pre_hook(clip)
        return optimizer

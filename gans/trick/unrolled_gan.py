"""Unrolled GAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.base import Batch, Scalars
from gans.config import option
from gans.factors import REPLACED
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "unrolled_gan",
    family="trick",
    year=2017,
    paper="Metz et al.: Unrolled Generative Adversarial Networks, arXiv:1611.02163",
)
class UnrolledGAN(NSGAN):
    """GAN whose G plays against the D that its own move would lead to.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = -L_D at D_K (section 2.2), D_K = D after `unroll` steps theta <- theta - unroll_lr grad L_D,
          differentiated through all of them; the reals' half moves with G, for D_K does

    Deviations:
        * paper: the steps are plain gradient descent on one batch of reals, where its experiments unroll Adam; one, as
          five take ten times as long as `nsgan`. The uniform nets.
        * settings: the rates of the authors' toy, G ten times as fast as D. With 2e-4 for both D leaves G behind: in
          350 steps validation FID was 82 at best, 63 with theirs. With the non-saturating loss of fakes alone at D_K,
          of which D's optimum is no stationary point, five steps ended in fragments, FID 82 after 2,000 steps.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        lr_g: float = option(1e-3, source="authors' notebook")
        lr_d: float = option(1e-4, source="authors' notebook")
        unroll: int = option(1, source="paper: compares 0, 1, 5 and 10")
        unroll_lr: float = option(2.5e-3, source="ours: such a step is about as long as one of D's Adam")

    conflicts = NSGAN.conflicts | {"feature_matching": REPLACED}

    def g_turn(self, batch: Batch) -> Scalars:
        """G's loss, which the runner evaluates at D_K."""
        real_scores, fake_scores = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": -self.d_loss(real_scores, self.best(fake_scores))}

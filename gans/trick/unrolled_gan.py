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
        * L_G = -E log sig(D_K(G(z))), D_K = D after `unroll` steps theta <- theta - unroll_lr grad L_D, differentiated
          through all of them

    Deviations:
        * paper: the steps are plain gradient descent on one batch of reals, where its experiments unroll Adam. G's loss
          is the non-saturating one at D_K, of fakes alone, where the authors have -L_D(D_K), in which the reals' half
          moves with G too. The uniform nets. With the rates of `nsgan` D leaves G behind: of 2,000 samples FID was 80
          at best in 667 steps with unroll_lr 0.005, and validation FID 76 in 350 steps with 0.001. With the rates of
          the authors' toy, G ten times as fast as D, it was 72 after 150 steps; of test digits it fell to 47 by step
          1,556 and rose to 82 by step 2,000, where D gains on G. How much of it is the rates' alone was not asked.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with unroll=5, unroll_lr=0.001, lr_g=1e-3, lr_d=1e-4: bit for bit
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

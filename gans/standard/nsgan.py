"""The original GAN: minimax and non-saturating."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from gans import losses
from gans.base import GAN
from gans.factors import REPLACED
from gans.registry import register

PAPER = "Goodfellow et al.: Generative Adversarial Nets, arXiv:1406.2661"


@register("nsgan", family="standard", year=2014, paper=PAPER)
class NSGAN(GAN):
    """GAN with the non-saturating loss: G maximises the log probability that D errs.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (eq. 1)
        * L_G = -E log sig(D(G(z))) (section 3)

    Deviations:
        * paper: Adam, not SGD with momentum; the uniform convolutional nets, not fully connected ones with maxout.
        * tutorial: its gan.py draws parabolas; on images this is its dcgan.py, with `dcgan`'s deviations.

    Same as:
        * `dcgan`: bit for bit; on one field only the losses of either paper are left, and they agree. What DCGAN adds,
          its init, its batch and D without dropout, is in `dcgan_paper`
    """

    conflicts: ClassVar[dict[str, str]] = {}

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return losses.logistic_d(real_scores, fake_scores, self.config.label_smoothing)

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return losses.nonsaturating_g(fake_scores)


@register("mmgan", family="standard", year=2014, paper=PAPER)
class MMGAN(NSGAN):
    """GAN with the minimax loss: G minimises what D maximises.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (eq. 1)
        * L_G = E log(1 - sig(D(G(z)))) (eq. 1); its gradient vanishes where D is sure, which is the point of the row

    Deviations:
        * paper: Adam, not SGD with momentum; the uniform convolutional nets, not fully connected ones with maxout.
        * tutorial: has no such script.
    """

    conflicts = NSGAN.conflicts | {"feature_matching": REPLACED}

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        losses.check_scores(fake_scores)
        return -softplus(fake_scores).mean()

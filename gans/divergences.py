"""Losses built on divergences and partition functions: scores in, a scalar to minimise out.

As in `gans.losses`, `real` and `fake` are raw scores [N] of D, large for real, and scores of another rank are refused.
Each docstring gives the paper and its formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gans.losses import check_scores

EXPONENT_LIMIT = 20.0
LOG_2 = math.log(2)
TINY = 1e-8


def clamped_exp(exponent: Tensor) -> Tensor:
    """e^u with u clamped to [-20, 20], so that it stays finite; its gradient is zero outside."""
    return exponent.clamp(-EXPONENT_LIMIT, EXPONENT_LIMIT).exp()


@dataclass(frozen=True)
class Divergence:
    """One f-divergence of reals from fakes. Nowozin et al. 2016, arXiv:1606.00709, sections 2.2 and 2.3.

    `activation` is T(v) = g_f(v), increasing in the score v and into the domain of f*; `conjugate` is f*(T(v)).
    """

    activation: Callable[[Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """-E T(r) + E f*(T(f)); at its minimum over D it is minus the divergence."""
        check_scores(real)
        check_scores(fake)
        return self.conjugate(fake).mean() - self.activation(real).mean()

    def exact_g_loss(self, fake: Tensor) -> Tensor:
        """-E f*(T(f)): G minimises what D maximises."""
        check_scores(fake)
        return -self.conjugate(fake).mean()

    def variant_g_loss(self, fake: Tensor) -> Tensor:
        """-E T(f), the paper's practical variant."""
        check_scores(fake)
        return -self.activation(fake).mean()


DIVERGENCES = {
    "kl": Divergence(lambda v: v, lambda v: clamped_exp(v - 1)),
    "reverse_kl": Divergence(lambda v: -clamped_exp(-v), lambda v: v - 1),
    "pearson": Divergence(lambda v: v, lambda v: v.square() / 4 + v),
    "hellinger": Divergence(lambda v: 1 - clamped_exp(-v), lambda v: clamped_exp(v) - 1),
    "js": Divergence(lambda v: LOG_2 - softplus(-v), lambda v: softplus(v) - LOG_2),
}


def log_mean_exp(scores: Tensor) -> Tensor:
    """log E e^s without overflow: [N] -> scalar."""
    return scores.logsumexp(0) - math.log(len(scores))


def boundary_seeking_g(fake: Tensor, log_z: Tensor) -> Tensor:
    """E (f - log Z)^2. Hjelm et al. 2018, arXiv:1702.08431, for continuous data."""
    check_scores(fake)
    return (fake - log_z).square().mean()


def log_partition(real: Tensor, fake: Tensor) -> Tensor:
    """log Z = log(sum e^r + sum e^f) over reals and fakes together. Lin 2017, arXiv:1704.06191."""
    check_scores(real, fake)
    return torch.cat([real, fake]).logsumexp(0)


def softmax_d(real: Tensor, fake: Tensor) -> Tensor:
    """-E r + log Z: all probability on the reals, evenly. Lin 2017, arXiv:1704.06191."""
    return log_partition(real, fake) - real.mean()


def softmax_g(real: Tensor, fake: Tensor) -> Tensor:
    """-(E r + E f) / 2 + log Z: the same probability for every real and fake. Lin 2017, arXiv:1704.06191."""
    return log_partition(real, fake) - (real.mean() + fake.mean()) / 2


def loss_sensitive_d(real_loss: Tensor, fake_loss: Tensor, margin: Tensor) -> Tensor:
    """E [margin + L(x) - L(x~)]_+ over pairs, all [N]; L is low for real. Qi 2017, arXiv:1701.06264."""
    check_scores(real_loss, fake_loss, margin)
    return (margin + real_loss - fake_loss).relu().mean()


def dual_d(favoured: Tensor, other: Tensor, weight: float) -> Tensor:
    """-weight E log sp(a) + E sp(b), a the raw scores of the kind that this D rewards. Nguyen et al. 2017, 1709.03831.

    D1's loss is `dual_d(real, fake, alpha)`, D2's `dual_d(fake, real, beta)`.
    """
    check_scores(favoured, other)
    return softplus(other).mean() - weight * (softplus(favoured) + TINY).log().mean()


def dual_g(fake1: Tensor, fake2: Tensor, beta: float) -> Tensor:
    """-E sp(f1) + beta E log sp(f2), raw scores of the fakes by D1 and D2. Nguyen et al. 2017, arXiv:1709.03831."""
    check_scores(fake1, fake2)
    return beta * (softplus(fake2) + TINY).log().mean() - softplus(fake1).mean()

"""Adversarial losses: scores in, a scalar to minimise out.

`real` and `fake` are raw scores [N] of D, large for real. Every function refuses scores of another rank, because a
`[N, 1]` beside a `[N]` broadcasts silently. Each docstring gives the paper and its formula.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def check_scores(*scores: Tensor) -> None:
    """Raises ValueError unless every tensor is a vector [N] of one common length."""
    shapes = [tuple(s.shape) for s in scores]
    if any(len(shape) != 1 for shape in shapes) or len(set(shapes)) > 1:
        raise ValueError(f"scores must be vectors [N] of one length, not {shapes}")


def logistic_d(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """-E log sig(r) - E log(1 - sig(f)). Goodfellow et al. 2014, arXiv:1406.2661, eq. 1 (minimised).

    With `smoothing` s the label of reals, and of them alone, is 1 - s: -E [(1 - s) log sig(r) + s log(1 - sig(r))].
    Salimans et al. 2016, arXiv:1606.03498, section 3.4.
    """
    check_scores(real)
    check_scores(fake)
    loss = softplus(-real).mean() + softplus(fake).mean()
    # log sig(r) - log(1 - sig(r)) = r
    return loss + smoothing * real.mean() if smoothing else loss


def nonsaturating_g(fake: Tensor) -> Tensor:
    """-E log sig(f). Goodfellow et al. 2014, arXiv:1406.2661, section 3."""
    check_scores(fake)
    return softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor, a: float, b: float) -> Tensor:
    """1/2 E (r - b)^2 + 1/2 E (f - a)^2, a the label of fakes, b of reals. Mao et al. 2017, arXiv:1611.04076, eq. 2."""
    check_scores(real)
    check_scores(fake)
    return ((real - b).square().mean() + (fake - a).square().mean()) / 2


def least_squares_g(fake: Tensor, c: float) -> Tensor:
    """1/2 E (f - c)^2, c what G wants D to believe. Mao et al. 2017, arXiv:1611.04076, eq. 2."""
    check_scores(fake)
    return (fake - c).square().mean() / 2


def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """E f - E r, the negative dual of the Wasserstein-1 distance. Arjovsky et al. 2017, arXiv:1701.07875, eq. 3."""
    check_scores(real)
    check_scores(fake)
    return fake.mean() - real.mean()


def wasserstein_g(fake: Tensor) -> Tensor:
    """-E f. Arjovsky et al. 2017, arXiv:1701.07875, theorem 3."""
    check_scores(fake)
    return -fake.mean()

"""Kernels on D's codes, and what is estimated with them: squared MMD, its witness, the repulsive loss, energy distance.

Codes are [N, d]. A kernel takes two sets of codes, [N, d] and [M, d], and gives the matrix [N, M]. Every estimator here
is a difference of kernel means, which a constant added to the kernel does not change; so k(x, y) - k(x, x) is returned,
by expm1, because float32 loses in 1 - e^-d the tiny distances of a clipped critic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import torch
from torch import Tensor

Kernel = Callable[[Tensor, Tensor], Tensor]


def check_codes(*codes: Tensor) -> None:
    """Raises ValueError unless every tensor is a matrix [N, d] of one common width."""
    shapes = [tuple(c.shape) for c in codes]
    if any(len(shape) != 2 for shape in shapes) or len({shape[1] for shape in shapes}) > 1:
        raise ValueError(f"codes must be matrices [N, d] of one width, not {shapes}")


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """||x_i - y_j||^2: codes [N, d] and [M, d] -> [N, M], from differences, since |x|^2 - 2xy + |y|^2 cancels."""
    check_codes(x, y)
    return (x[:, None] - y[None]).square().sum(2)


def gaussian(x: Tensor, y: Tensor, sigmas: Sequence[float] = (1.0,), low: float = 0.0, high: float = inf) -> Tensor:
    """sum_s exp(-||x - y||^2 / (2 s^2)) - 1, [N, M]; squared distances are clamped to [low, high] beforehand."""
    distances = squared_distances(x, y).clamp(low, high)
    return torch.stack([torch.expm1(-distances / (2 * sigma**2)) for sigma in sigmas]).sum(0)


def rational_quadratic(x: Tensor, y: Tensor, alphas: Sequence[float], linear: float = 0.0) -> Tensor:
    """sum_a (1 + ||x - y||^2 / (2 a))^-a - 1, plus linear * x.y: [N, M]."""
    distances = squared_distances(x, y)
    terms = [torch.expm1(-alpha * torch.log1p(distances / (2 * alpha))) for alpha in alphas]
    return torch.stack([*terms, linear * x @ y.T]).sum(0)


def off_diagonal_mean(matrix: Tensor) -> Tensor:
    """The mean of a square matrix's elements off the diagonal: [N, N] -> a scalar."""
    n = len(matrix)
    return (matrix.sum() - matrix.trace()) / (n * (n - 1))


def mmd2_biased(kernel: Kernel, x: Tensor, y: Tensor) -> Tensor:
    """Squared maximum mean discrepancy, never negative: E k(x, x') + E k(y, y') - 2 E k(x, y) over all pairs."""
    return kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean()


def mmd2_unbiased(kernel: Kernel, x: Tensor, y: Tensor) -> Tensor:
    """The same without the pairs of a code with itself, so that it averages 0 where x and y have one distribution."""
    return off_diagonal_mean(kernel(x, x)) + off_diagonal_mean(kernel(y, y)) - 2 * kernel(x, y).mean()


def witness(kernel: Kernel, at: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """E_j k(at_i, real_j) - E_j k(at_i, fake_j): [N]."""
    return kernel(at, real).mean(1) - kernel(at, fake).mean(1)


def repulsive_d(real_kernel: Kernel, fake_kernel: Kernel, real: Tensor, fake: Tensor) -> Tensor:
    """E_{i!=j} k(real_i, real_j) - E_{i!=j} k(fake_i, fake_j): minimised, reals repel and fakes attract each other.

    Wang et al. 2018, arXiv:1812.09916. Two kernels, because the bounded one bounds reals above and fakes below.
    """
    return off_diagonal_mean(real_kernel(real, real)) - off_diagonal_mean(fake_kernel(fake, fake))


def distance(x: Tensor, y: Tensor) -> Tensor:
    """||x_i - y_i|| of paired codes, two [N, d] -> [N], with 1e-5 under the root, whose gradient at zero is NaN."""
    check_codes(x, y)
    if len(x) != len(y):
        raise ValueError(f"paired codes must be of one length, not {len(x)} and {len(y)}")
    return ((x - y).square().sum(1) + 1e-5).sqrt()


def energy_distance(real: Tensor, fake: Tensor, other: Tensor) -> Tensor:
    """E ||r - f|| + E ||r - f'|| - E ||f - f'||, f and f' independent: the energy distance up to -E ||r - r'||.

    Bellemare et al. 2017, arXiv:1705.10743, algorithm 1. Paired codes, three [N, d].
    """
    return (distance(real, fake) + distance(real, other) - distance(fake, other)).mean()

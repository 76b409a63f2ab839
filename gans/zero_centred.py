"""Penalties that pull the gradient of D's score to zero, on reals, fakes or between them.

Unweighted: the factor (gamma/2 or lambda) belongs to the algorithm. Each takes the discriminator (images [N, 1, H, W]
-> scores [N]) and gives a scalar, differentiable in D's parameters. As in `penalties`, D must not couple images.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from gans.penalties import Critic, input_gradient_norm, interpolate


def squared_gradient(critic: Critic, images: Tensor) -> Tensor:
    """E ||grad D(x)||^2: R1 on reals, R2 on fakes. Mescheder et al. 2018, arXiv:1801.04406, there times gamma/2."""
    return input_gradient_norm(critic, images).square().mean()


def squared_gradient_between(critic: Critic, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """E ||grad D(x^)||^2 on interpolates x^ of reals and fakes. Thanh-Tung et al. 2019, arXiv:1902.03984."""
    return squared_gradient(critic, interpolate(real, fake, rng))


def jensen_shannon_regulariser(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E (1 - sig(r))^2 ||grad r||^2 + E sig(f)^2 ||grad f||^2. Roth et al. 2017, arXiv:1705.09367, times gamma/2 there.

    (1 - sig(u)) grad u is the gradient of log sig(u), and -sig(u) grad u that of log sig(-u) = log(1 - sig(u)), so the
    weights need no second pass through D and are differentiated too.
    """
    on_real = squared_gradient(lambda images: logsigmoid(critic(images)), real)
    return on_real + squared_gradient(lambda images: logsigmoid(-critic(images)), fake)

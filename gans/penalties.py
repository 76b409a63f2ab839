"""Penalties on the gradient of D's score with respect to its input images.

Each takes the discriminator (images [N, 1, H, W] -> scores [N]) and gives a scalar, differentiable in D's parameters.
They assume that a score depends on its own image alone: batch norm in D breaks that, which is why algorithms that call
them declare `PER_IMAGE`. The images are those that D sees: augmented and packed where factors say so.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

COUPLED = "couples the images of a batch, so the gradient of one image's score is ill-defined"
PER_IMAGE = {"bn": f"batch norm in D {COUPLED}", "minibatch": f"a minibatch head {COUPLED}"}
"""The conflicts of every algorithm that calls these."""

Critic = Callable[[Tensor], Tensor]


def input_gradient_norm(critic: Critic, images: Tensor) -> Tensor:
    """||grad_x D(x)||_2 for every image, over channels and pixels together: [N, ...] -> [N].

    The square root has 1e-12 under it, for its own gradient at zero is NaN.
    """
    # Fakes that carry a graph keep it: who looks ahead differentiates the penalty too.
    images = images if images.requires_grad else images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return (gradient.flatten(1).square().sum(1) + 1e-12).sqrt()


def interpolate(real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """e x + (1 - e) x~ with one e ~ U[0, 1] an image (not a pixel): two [N, 1, H, W] -> [N, 1, H, W]."""
    weight = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype, generator=rng)
    return torch.lerp(fake, real, weight)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """E (||grad D(x^)|| - 1)^2 on interpolates x^. Gulrajani et al. 2017, arXiv:1704.00028, eq. 3."""
    norm = input_gradient_norm(critic, interpolate(real, fake, rng))
    return (norm - 1).square().mean()

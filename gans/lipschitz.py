"""Further penalties on the gradient of D's score, built as those of `gans.penalties`, whose assumptions they share.

Each takes the discriminator (images [N, 1, H, W] -> scores [N]) and gives a scalar, differentiable in D's parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import relu

from gans.penalties import Critic, input_gradient_norm, interpolate


def one_sided_penalty(critic: Critic, real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """E ([||grad D(x^)|| - 1]_+)^2 on interpolates: slopes below 1 are free. Petzka et al. 2017, arXiv:1709.08894."""
    norm = input_gradient_norm(critic, interpolate(real, fake, rng))
    return relu(norm - 1).square().mean()


def gradient_power(
    critic: Critic, real: Tensor, fake: Tensor, power: float, rng: torch.Generator | None = None
) -> Tensor:
    """E ||grad D(x^)||_2^power on interpolates x^, the power of the norm and not of its square.

    Wu et al. 2018, arXiv:1712.01026; interpolates as in the authors' code.
    """
    return input_gradient_norm(critic, interpolate(real, fake, rng)).pow(power).mean()


def perturb(real: Tensor, noise: float, rng: torch.Generator | None = None) -> Tensor:
    """x + a d, d = noise * std * U[0, 1] a pixel, a ~ U[0, 1] an image; std is one number, of the whole batch.

    As in the notebook of DRAGAN's authors. The noise is one-sided there too. Images [N, 1, H, W], detached.
    """
    real = real.detach()
    pixels = torch.rand(real.shape, device=real.device, dtype=real.dtype, generator=rng)
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype, generator=rng)
    return real + share * noise * real.std(correction=0) * pixels


def perturbed_penalty(critic: Critic, real: Tensor, noise: float, rng: torch.Generator | None = None) -> Tensor:
    """E (||grad D(x')|| - 1)^2 on perturbed reals x'. Kodali et al. 2017, arXiv:1705.07215."""
    norm = input_gradient_norm(critic, perturb(real, noise, rng))
    return (norm - 1).square().mean()

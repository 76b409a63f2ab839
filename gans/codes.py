"""InfoGAN's codes: one of ten classes, one-hot, and two numbers ~ U(-1, 1); [N, 12]. Chen et al. 2016, 1606.03657."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, one_hot

CLASSES, NUMBERS = 10, 2
CODES = CLASSES + NUMBERS
ENTROPY = math.log(CLASSES) + NUMBERS * math.log(2)
"""H(c) in nats."""
SWEEP = 2.0
"""How far a sweep takes a number, beyond what G has seen; paper, figure 2."""
STEPS = 10


def draw(n: int, device: torch.device, rng: torch.Generator | None = None) -> Tensor:
    """n codes [n, 12], from `rng` on the device."""
    classes = torch.randint(CLASSES, (n,), device=device, generator=rng)
    numbers = 2 * torch.rand(n, NUMBERS, device=device, generator=rng) - 1
    return torch.cat([one_hot(classes, CLASSES), numbers], 1)


def log_likelihood(outputs: Tensor, codes: Tensor) -> Tensor:
    """log Q(c|x) in nats [N] of codes [N, 12]: Q's outputs [N, 12] are logits of the class and means of N(mean, 1)."""
    classes = (log_softmax(outputs[:, :CLASSES], 1) * codes[:, :CLASSES]).sum(1)
    squares = (codes[:, CLASSES:] - outputs[:, CLASSES:]).square()
    return classes - (squares + math.log(2 * math.pi)).sum(1) / 2


def sweeps(codes: Tensor) -> dict[str, Tensor]:
    """Each code in turn through its range, the others as they are: [N, 12] -> [N, steps, 12] each."""
    classes = codes[:, None].repeat(1, CLASSES, 1)
    classes[:, :, :CLASSES] = torch.eye(CLASSES, device=codes.device)
    found = {"class": classes}
    for i in range(NUMBERS):
        found[f"number_{i + 1}"] = sweep = codes[:, None].repeat(1, STEPS, 1)
        sweep[:, :, CLASSES + i] = torch.linspace(-SWEEP, SWEEP, STEPS, device=codes.device)
    return found

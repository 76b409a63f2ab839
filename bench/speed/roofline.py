"""The roof: the best rate of convolutions on this machine, and the arithmetic that a step asks for.

A step whose share of the roofline is 1 would spend no time on anything but its products, each at that rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn.functional import conv2d
from torch.utils.flop_counter import FlopCounterMode

from bench.speed.timing import Action

SHAPES = ((128, 28), (256, 14))
"""Channels in and out, and side of the images of 3x3 convolutions that leave no vector unit idle."""
BATCH = 32


def flops(step: Action) -> int:
    """Floating point operations of `step`, a product and a sum being two, of matrix products and convolutions alone."""
    with FlopCounterMode(display=False) as counter:
        step()
    total: int = counter.get_total_flops()
    return total


def convolutions(device: torch.device) -> dict[str, tuple[Action, int]]:
    """float32 convolutions that may show the best rate: by name, what to time and its operations."""
    found: dict[str, tuple[Action, int]] = {}
    for channels, side in SHAPES:
        images = torch.randn(BATCH, channels, side, side, device=device).to(memory_format=torch.channels_last)
        weight = torch.randn(channels, channels, 3, 3, device=device).to(memory_format=torch.channels_last)

        def convolve(images: torch.Tensor = images, weight: torch.Tensor = weight) -> None:
            with torch.no_grad():
                conv2d(images, weight, padding=1)
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        found[f"convolution {channels}x{side}x{side}"] = convolve, flops(convolve)
    return found


def best_rate(timed: Mapping[str, Sequence[float]], operations: Mapping[str, int]) -> float:
    """Operations a second of the convolution that is fastest in its median round.

    The median, because the step whose share is asked for is a median of the same rounds, on a machine as busy.
    """
    return max(count / sorted(timed[name])[len(timed[name]) // 2] for name, count in operations.items())

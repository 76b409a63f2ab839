"""The number formats that a trial may compute in: float32, or bfloat16 where the device has it.

Knows devices and turns; a trial's precision is part of its protocol, since it moves scores beyond rounding of float32.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from bench.errors import BenchError
from gans import Turn

PRECISIONS = ("fp32", "bf16")
"""In bf16 the forward passes of turns run under autocast; weights, optimizers, heads and batch norm stay float32."""


def supports(device: torch.device, precision: str) -> bool:
    """Whether the device itself computes in `precision`; what it would only emulate does not count."""
    if precision == "fp32":
        return True
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and any(value for name, value in torch.cpu.get_capabilities().items() if "bf16" in name)


def check(device: torch.device, precision: str) -> None:
    """BenchError where the device does not compute in `precision`."""
    if precision not in PRECISIONS:
        raise BenchError(f"--precision {precision}: allowed is {' or '.join(PRECISIONS)}")
    if not supports(device, precision):
        raise BenchError(f"--precision {precision}: this {device.type} has no bfloat16 arithmetic; leave it out (fp32)")


def in_precision(turn: Turn, device: torch.device, precision: str) -> Turn:
    """The turn with its loss computed in `precision`."""
    if precision == "fp32":
        return turn
    return replace(turn, loss=torch.autocast(device.type, torch.bfloat16)(turn.loss))

"""The number formats that a trial may compute in: float32, on a CUDA device TF32, or bfloat16 where the device has it.

Knows devices and turns; a trial's precision is part of its protocol, since it moves scores beyond rounding of float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from bench.errors import BenchError
from gans import Turn

PRECISIONS = ("fp32", "tf32", "bf16")
"""In tf32 a CUDA device rounds what it multiplies to 10 bits. In bf16 the forward passes of turns run under autocast;
weights, optimizers, images, heads and batch norm stay float32. Terms that an algorithm adds to its loss may be bf16."""


def supports(device: torch.device, precision: str) -> bool:
    """Whether the device itself computes in `precision`; what it would only emulate does not count."""
    if precision == "fp32":
        return True
    if device.type == "cuda":
        if precision == "tf32":
            return bool(torch.cuda.is_tf32_supported())
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if precision == "tf32":
        return False
    return device.type == "cpu" and any(value for name, value in torch.cpu.get_capabilities().items() if "bf16" in name)


def check(device: torch.device, precision: str) -> None:
    """BenchError where the device does not compute in `precision`."""
    if precision not in PRECISIONS:
        raise BenchError(f"--precision {precision}: allowed is {', '.join(PRECISIONS)}")
    if not supports(device, precision):
        raise BenchError(f"--precision {precision}: this {device.type} has no such arithmetic; leave it out (fp32)")


_KINDS = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
"""torch's switches of what a CUDA device multiplies and convolves float32 in."""


def multiply_in(precision: str) -> None:
    """From now on a CUDA device multiplies and convolves float32 as `precision` says.

    torch would round convolutions to TF32 by default: no float32, and not what a CPU computes.
    """
    for kind in _KINDS:
        kind.fp32_precision = "tf32" if precision == "tf32" else "ieee"


@contextmanager
def products(precision: str) -> Iterator[None]:
    """`multiply_in` for what is inside."""
    before = [kind.fp32_precision for kind in _KINDS]
    multiply_in(precision)
    try:
        yield
    finally:
        for kind, value in zip(_KINDS, before, strict=True):
            kind.fp32_precision = value


def in_precision(turn: Turn, device: torch.device, precision: str) -> Turn:
    """The turn with its loss computed in `precision`; `products` is the rest of it."""
    if precision != "bf16":
        return turn
    return replace(turn, loss=torch.autocast(device.type, torch.bfloat16)(turn.loss))

"""A training frozen and brought back: networks, optimizers, random numbers, so that it goes on as if never stopped.

Takes a GAN and the turns it gave, gives nested dicts of tensors and plain values that `torch.load` reads with
`weights_only=True`. What an algorithm keeps from one step to the next must be in its `state_dict` (a parameter, a
buffer, or `get_extra_state`); `gans.contract` checks that it is. Must not know loops, data or files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gans.base import GAN
from gans.turn import Turn


def _global_rng(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's global generators that a training on `device` draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def snapshot(gan: GAN, turns: Sequence[Turn]) -> dict[str, Any]:
    """The state between two steps. Tensors are the live ones: write or copy them before the next step."""
    return {
        "gan": gan.state_dict(),
        "optimizers": [turn.optimizer.state_dict() for turn in turns],
        "progress": gan.progress,
        "rng": None if gan.rng is None else gan.rng.get_state(),
        "global_rng": _global_rng(gan.device),
    }


def resume(gan: GAN, turns: Sequence[Turn], state: Mapping[str, Any]) -> None:
    """Brings `gan` and its `turns`, built alike and on a device of the same kind, to a state of `snapshot`.

    Raises RuntimeError, KeyError or ValueError where the state is that of another model.
    """
    gan.load_state_dict(state["gan"])
    for turn, optimizer in zip(turns, state["optimizers"], strict=True):
        turn.optimizer.load_state_dict(optimizer)
    gan.progress = state["progress"]
    if gan.rng is not None:
        gan.rng.set_state(state["rng"])
    states = state["global_rng"]
    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], gan.device)
    elif "mps" in states:
        torch.mps.set_rng_state(states["mps"])

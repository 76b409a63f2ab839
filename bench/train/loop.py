"""The training loop: turns over batches, counted and timed, with losses averaged on the device.

Owns the state between two steps, all of which `state_dict` gives and `load_state_dict` takes back.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bench.precision import in_precision, products
from bench.tasks import Stream
from bench.train.graphs import Replayed
from gans import GAN
from gans.snapshot import resume, snapshot


@dataclass
class Counts:
    """Where a trial stands; every curve is drawn against one of these."""

    steps: int = 0
    g_updates: int = 0
    d_updates: int = 0
    images: int = 0
    seconds: float = 0.0
    """Wall time of training alone, without evaluation and logging; of trials trained together each one's share."""


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return dict(module.named_parameters()) | dict(module.named_buffers())


class Diverged(Exception):
    """A loss became NaN or infinite; the message names the quantity, its turn, the step, and parameters like it."""


class Loop:
    """Trains `gan` on `batches` for `steps` steps in all, in `precision`; the weights to evaluate are in `generator`.

    Each step takes every turn that is due, on a CUDA device from `graphs` where asked for. Nothing in it waits for the
    device; `drain` and `state_dict` do.
    """

    def __init__(self, gan: GAN, batches: Stream, steps: int, precision: str = "fp32", *, graphs: bool = False) -> None:
        self.gan = gan.train()
        self.batches = batches
        self.steps = steps
        self.precision = precision
        self.turns = [in_precision(turn, gan.device, precision) for turn in gan.turns()]
        self._takes = [Replayed(turn, gan).take if graphs else turn.take for turn in self.turns]
        self.counts = Counts()
        self._pending: list[tuple[int, str, Tensor]] = []
        """What the turns gave since the last `drain`: step, scalar's name, value."""
        self._ema = copy.deepcopy(gan.generator) if gan.config.ema else None

    @property
    def generator(self) -> nn.Module:
        """The generator to evaluate: the moving average where the configuration asks for one, else G itself."""
        return self.gan.generator if self._ema is None else self._ema

    @torch.no_grad()
    def _average(self, averaged: nn.Module) -> None:
        """Moves the average by one G update, with less memory at first, lest it keep G's initial weights.

        After n updates the decay is at most (1 + n) / (10 + n), the warm-up of TensorFlow's moving averages; the first
        one is copied. Batch norm's counters are copied too, and spectral norm's singular vectors, for an average of
        unit vectors is none. Not torch's AveragedModel, which makes the host wait for a GPU.
        """
        n = self.counts.g_updates
        decay = min(self.gan.config.ema, (1 + n) / (10 + n)) if n > 1 else 0.0
        own, kept = _tensors(self.gan.generator), _tensors(averaged)
        mixed = {name for name in kept if kept[name].is_floating_point() and not name.endswith(("._u", "._v"))}
        copied = kept.keys() - mixed
        torch._foreach_lerp_([kept[name] for name in mixed], [own[name] for name in mixed], 1 - decay)
        if copied:
            torch._foreach_copy_([kept[name] for name in copied], [own[name] for name in copied])

    @property
    def period(self) -> int:
        """The fewest steps after which what is due begins anew: one, but n_d where D has more turns."""
        return math.lcm(*(turn.every for turn in self.turns))

    def run(self, steps: int) -> None:
        """Takes `steps` steps and adds their wall time."""
        started = time.perf_counter()
        with products(self.precision):
            for _ in range(steps):
                self._step()
        self.counts.seconds += time.perf_counter() - started

    def _step(self) -> None:
        batch = self.batches.next()
        self.gan.progress = self.counts.steps / self.steps
        self.counts.steps += 1
        self.counts.images += len(batch)
        for turn, take in zip(self.turns, self._takes, strict=True):
            if self.counts.steps % turn.every:
                continue
            scalars = take(batch)
            self._pending += [(self.counts.steps, f"{key}_{turn.name}", value) for key, value in scalars.items()]
            if turn.name == "d":
                self.counts.d_updates += 1
            elif turn.name == "g":
                self.counts.g_updates += 1
                if self._ema is not None:
                    self._average(self._ema)

    def drain(self) -> dict[str, float]:
        """The mean of every scalar since the last call; raises Diverged when one is not finite."""
        values = self._values()
        series: dict[str, list[float]] = {}
        for (step, key, _), value in zip(self._pending, values, strict=True):
            if not math.isfinite(value):
                name, _, turn = key.rpartition("_")
                raise Diverged(f"{name} of turn {turn} became {value} at step {step}{self._not_finite()}")
            series.setdefault(key, []).append(value)
        self._pending.clear()
        return {key: sum(values) / len(values) for key, values in series.items()}

    def _values(self) -> list[float]:
        """The pending values, in one wait for the device.

        The one place where the loop waits for it, hence part of the training time.
        """
        if not self._pending:
            return []
        started = time.perf_counter()
        values: list[float] = torch.stack([value for *_, value in self._pending]).tolist()
        self.counts.seconds += time.perf_counter() - started
        return values

    def _not_finite(self) -> str:
        """The parameters that are not finite now, as the end of a sentence."""
        names = [name for name, p in self.gan.named_parameters() if not p.isfinite().all()]
        more = f" and {len(names) - 1} more parameters" if len(names) > 1 else ""
        return f", and so did {names[0]}{more}" if names else ""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next steps depend on; tensors are the live ones."""
        values = self._values()  # first of all: it waits, which the counts and whatever reads the device would hide
        return {
            **snapshot(self.gan, self.turns),
            "ema": None if self._ema is None else self._ema.state_dict(),
            "batches": self.batches.state_dict(),
            "counts": asdict(self.counts),
            "pending": [(step, key, value) for (step, key, _), value in zip(self._pending, values, strict=True)],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of a loop over the same algorithm, settings and data."""
        resume(self.gan, self.turns, state)
        if self._ema is not None:
            self._ema.load_state_dict(state["ema"])
        self.batches.load_state_dict(state["batches"])
        for name, value in state["counts"].items():
            setattr(self.counts, name, value)
        # A Python float, and so float64, holds exactly what a scalar of either precision was; MPS has float32 alone.
        dtype = torch.float32 if self.gan.device.type == "mps" else torch.float64
        self._pending = [
            (step, key, torch.tensor(value, dtype=dtype, device=self.gan.device))
            for step, key, value in state["pending"]
        ]

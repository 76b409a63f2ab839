"""The training loop: turns over batches, counted and timed, with losses averaged on the device."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bench.tasks import Stream
from gans import GAN


@dataclass
class Counts:
    """Where a trial stands; every curve is drawn against one of these."""

    steps: int = 0
    g_updates: int = 0
    d_updates: int = 0
    images: int = 0
    seconds: float = 0.0
    """Wall time of training alone, without evaluation and logging."""


class Diverged(Exception):
    """A loss became NaN or infinite; the message names the turn, the quantity and the step."""


class Loop:
    """Trains `gan` on `batches` for `steps` steps in all; the weights to evaluate are in `generator`.

    Each step takes every turn that is due. Nothing in it waits for the device; `drain` does.
    """

    def __init__(self, gan: GAN, batches: Stream, steps: int) -> None:
        self.gan = gan.train()
        self.batches = batches
        self.steps = steps
        self.turns = gan.turns()
        self.counts = Counts()
        self._pending: list[tuple[str, Tensor]] = []
        self._ema = None
        if gan.config.ema:
            self._ema = AveragedModel(gan.generator, multi_avg_fn=self._average, use_buffers=True)

    @property
    def generator(self) -> nn.Module:
        """The generator to evaluate: the moving average where the configuration asks for one, else G itself."""
        return self.gan.generator if self._ema is None else self._ema.module

    @torch.no_grad()
    def _average(self, averaged: Sequence[Tensor], current: Sequence[Tensor], _: Tensor | int) -> None:
        """Moves the average by one G update, with less memory at first, lest it keep G's initial weights.

        After n updates the decay is at most (1 + n) / (10 + n), the warm-up of TensorFlow's moving averages.
        """
        n = self.counts.g_updates
        decay = min(self.gan.config.ema, (1 + n) / (10 + n))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(list(averaged), list(current), 1 - decay)
        else:  # counters of batch norm
            torch._foreach_copy_(list(averaged), list(current))

    def run(self, steps: int) -> None:
        """Takes `steps` steps and adds their wall time."""
        started = time.perf_counter()
        for _ in range(steps):
            self._step()
        self.counts.seconds += time.perf_counter() - started

    def _step(self) -> None:
        batch = self.batches.next()
        self.gan.progress = self.counts.steps / self.steps
        self.counts.steps += 1
        self.counts.images += len(batch)
        for turn in self.turns:
            if self.counts.steps % turn.every:
                continue
            self._pending += [(f"{key}_{turn.name}", value) for key, value in turn.take(batch).items()]
            if turn.name == "d":
                self.counts.d_updates += 1
            elif turn.name == "g":
                self.counts.g_updates += 1
                if self._ema is not None:
                    self._ema.update_parameters(self.gan.generator)

    def drain(self) -> dict[str, float]:
        """The mean of every scalar since the last call; raises Diverged when one is not finite.

        The one place where the loop waits for the device, hence part of the training time.
        """
        if not self._pending:
            return {}
        started = time.perf_counter()
        values = torch.stack([value for _, value in self._pending]).tolist()
        self.counts.seconds += time.perf_counter() - started
        series: dict[str, list[float]] = {}
        for (key, _), value in zip(self._pending, values, strict=True):
            series.setdefault(key, []).append(value)
        self._pending.clear()
        means = {key: sum(values) / len(values) for key, values in series.items()}
        for key, value in means.items():
            if not math.isfinite(value):
                name, _, turn = key.rpartition("_")
                raise Diverged(f"{name} of turn {turn} became {value} by step {self.counts.steps}")
        return means

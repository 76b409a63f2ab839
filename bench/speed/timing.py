"""Actions timed in turn, so that what else the machine does slows all of them alike, and what follows from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

Action = Callable[[], object]
Numbers = dict[str, float]
WARM_UP = 2
"""Turns of each action before the clock runs."""


def interleaved(actions: Mapping[str, Action], repeats: int, warm_up: int = WARM_UP) -> dict[str, list[float]]:
    """Wall seconds of each action in each of `repeats` rounds, every round taking all of them in turn."""
    for action in actions.values():
        for _ in range(warm_up):
            action()
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repeats):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def spread(name: str, values: Sequence[float]) -> Numbers:
    """The median and the quartiles (low, high) of `values`, under names that begin with `name`."""
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {f"{name}_median": float(median), f"{name}_low": float(low), f"{name}_high": float(high)}


def ratios(name: str, baseline: Sequence[float], ours: Sequence[float]) -> Numbers:
    """How many times as long the baseline takes, round by round: 2 is twice as fast as it."""
    return spread(name, [slow / fast for slow, fast in zip(baseline, ours, strict=True)])

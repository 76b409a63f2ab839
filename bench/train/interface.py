"""What a trial is given and what it gives: its settings, how it ended, who watches, and who has trials trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

import torch

from bench.defaults import CHECKPOINT_EVERY
from bench.plan import Trial
from bench.protocol import Budget, Preset
from bench.tasks import Task
from bench.train.loop import Counts
from bench.train.signals import Interrupts


@dataclass(frozen=True)
class Settings:
    """What every trial of a run shares."""

    preset: Preset
    budget: Budget
    samples: int
    device: torch.device
    task: Task
    checkpoint_every: float = CHECKPOINT_EVERY
    """Seconds."""
    precision: str = "fp32"
    graphs: bool = False
    """Whether turns are replayed as CUDA graphs."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    status: str
    """finished, diverged, failed or interrupted"""
    reason: str
    scores: dict[str, float]
    counts: Counts


class Watcher(Interface):
    """Whoever shows progress."""

    def trial_started(self, trial: Trial, steps: int) -> None: ...
    def progressed(self, trial: Trial, counts: Counts, scalars: dict[str, float]) -> None: ...
    def evaluated(self, trial: Trial, counts: Counts, scores: dict[str, float]) -> None: ...
    def trial_ended(self, trial: Trial, outcome: Outcome) -> None: ...
    def say(self, text: str) -> None:
        """One line for people."""


class Silence:
    """A watcher that shows nothing."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


@dataclass(frozen=True)
class Order:
    """A trial to be trained, as it travels to the process that does it, which has the same plan."""

    number: int
    """Its place in the plan."""
    fingerprint: str
    parent: str
    """The id of the run that it belongs to."""
    untrained: Mapping[str, float]
    """Scores of the untrained generator."""
    patience: float = 0.0
    """Seconds to wait for another process to let go of it."""


@dataclass(frozen=True)
class Ended:
    """What became of an order."""

    number: int
    outcome: Outcome | None = None
    """None where another process has the trial, or where `lost`."""
    run_id: str | None = None
    """Its run, once the store has it."""
    lost: str = ""
    """Why it has no outcome though it was tried again: how its process died."""
    patience: float = 0.0
    """Seconds to wait until that process, where `lost`, has let go of it."""


class Engine(Interface):
    """Whoever trains trials: this process, several of them, or a cluster."""

    def run(self, orders: Sequence[Order], watcher: Watcher, interrupts: Interrupts) -> Iterator[Ended]:
        """Trains each, and gives what became of it as it ends.

        A signal lets all finish their step and save it; KeyboardInterrupt is raised then. So is what ends a run: NoRoom
        and BenchError.
        """
        ...

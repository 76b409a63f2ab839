"""What a trial is given and what it gives: the settings of its run, how it ended, and who watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol as Interface

import torch

from bench.plan import Trial
from bench.protocol import Budget, Preset
from bench.tasks import Task
from bench.train.loop import Counts

CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints of a trial, by default."""


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
    def progressed(self, counts: Counts, scalars: dict[str, float]) -> None: ...
    def evaluated(self, counts: Counts, scores: dict[str, float]) -> None: ...
    def trial_ended(self, trial: Trial, outcome: Outcome) -> None: ...
    def say(self, text: str) -> None:
        """One line for people."""

"""Live progress: bars on a terminal, one line an evaluation elsewhere (files, CI logs, notebooks)."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bench.plan import Trial
from bench.train.interface import Outcome, Watcher
from bench.train.loop import Counts

SHOWN = 3
"""Scores in a line, those that the yardstick names first; the table at the end has them all."""


def _first(scores: dict[str, float]) -> dict[str, float]:
    return dict(itertools.islice(scores.items(), SHOWN))


def _values(scalars: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3g}" for name, value in scalars.items())


def _rate(counts: Counts) -> float:
    return counts.steps / max(counts.seconds, 1e-9)


def _verdict(outcome: Outcome) -> str:
    if outcome.status != "finished":
        return f"{outcome.status}: {outcome.reason}"
    scores = "  ".join(f"{name} {value:.2f}" for name, value in _first(outcome.scores).items())
    return f"{scores}  ({outcome.counts.seconds:.0f} s of training, {_rate(outcome.counts):.1f} steps/s)"


class LineDisplay:
    """Prints a line when a trial starts, is evaluated and ends."""

    def __init__(self, trials: int, console: Console) -> None:
        self.trials, self.console = trials, console
        self.started = 0
        self.steps = 0
        self.losses: dict[str, float] = {}

    def say(self, text: str) -> None:
        """One line for people, never broken."""
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    @property
    def place(self) -> str:
        """'[trial/trials]' of the current one."""
        return f"[{self.started}/{self.trials}]"

    def trial_started(self, trial: Trial, steps: int) -> None:
        self.started += 1
        self.steps, self.losses = steps, {}
        self.say(f"{self.place} {trial}: {steps:,} steps")

    def progressed(self, counts: Counts, scalars: dict[str, float]) -> None:
        self.losses |= {name: value for name, value in scalars.items() if name.startswith("loss_")}

    def evaluated(self, counts: Counts, scores: dict[str, float]) -> None:
        left = (self.steps - counts.steps) / _rate(counts)
        self.say(
            f"{self.place}   step {counts.steps:,}/{self.steps:,}  {_rate(counts):.1f} steps/s  {left:.0f} s left  "
            f"{_values(self.losses)}  {_values(_first(scores))}"
        )

    def trial_ended(self, trial: Trial, outcome: Outcome) -> None:
        self.say(f"{self.place} {trial}: {_verdict(outcome)}")


class BarDisplay(LineDisplay):
    """A bar for the current trial with its losses and last scores; a line stays for each trial that ended."""

    def __init__(self, trials: int, console: Console, progress: Progress) -> None:
        super().__init__(trials, console)
        self.progress = progress
        self.task: TaskID | None = None
        self.scores: dict[str, float] = {}

    def trial_started(self, trial: Trial, steps: int) -> None:
        self.started += 1
        self.losses, self.scores = {}, {}
        self.task = self.progress.add_task(f"{self.place} {trial}", total=steps, rate="", values="")

    def _update(self, counts: Counts) -> None:
        if self.task is not None:
            self.progress.update(
                self.task,
                completed=counts.steps,
                rate=f"{_rate(counts):.1f} steps/s",
                values=_values(self.losses | self.scores),
            )

    def progressed(self, counts: Counts, scalars: dict[str, float]) -> None:
        super().progressed(counts, scalars)
        self._update(counts)

    def evaluated(self, counts: Counts, scores: dict[str, float]) -> None:
        self.scores = _first(scores)
        self._update(counts)

    def trial_ended(self, trial: Trial, outcome: Outcome) -> None:
        if self.task is not None:
            self.progress.remove_task(self.task)
            self.task = None
        super().trial_ended(trial, outcome)


@contextmanager
def display(trials: int) -> Iterator[Watcher]:
    """The display that suits this output."""
    console = Console()
    if not sys.stdout.isatty():
        yield LineDisplay(trials, console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[values]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield BarDisplay(trials, console, progress)

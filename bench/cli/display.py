"""Live progress: bars on a terminal, one line per evaluation elsewhere (files, CI logs, notebooks)."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bench.plan import Trial
from bench.train.interface import Outcome, Watcher
from bench.train.loop import Counts
from reports.numbers import number

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
    scores = "  ".join(f"{name} {number(value)}" for name, value in _first(outcome.scores).items())
    return f"{scores}  ({outcome.counts.seconds:.0f} s of training, {_rate(outcome.counts):.1f} steps/s)"


@dataclass
class Row:
    """What is shown of a trial that runs."""

    place: str
    """'[3/12]'"""
    steps: int
    since: tuple[float, int] | None = None
    """When this display was first told of progress, and the step then."""
    losses: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    bar: TaskID | None = None

    def left(self, counts: Counts) -> float:
        """Seconds to the last step at the pace seen so far, evaluations and whatever else runs included."""
        since = self.since
        if since is None or since[1] == counts.steps:  # nothing seen so far
            since = time.monotonic() - counts.seconds, 0
        then, step = since
        return (self.steps - counts.steps) * (time.monotonic() - then) / (counts.steps - step)


class LineDisplay:
    """Prints a line when a trial starts, is evaluated and ends; several may run at once."""

    def __init__(self, trials: int, console: Console) -> None:
        self.trials, self.console = trials, console
        self.rows: dict[Trial, Row] = {}
        """The trials that were started, in order."""

    def say(self, text: str) -> None:
        """One line for people, never broken."""
        self.console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _begin(self, trial: Trial, steps: int) -> Row:
        """The row of a trial, which keeps its place when it is begun again."""
        known = self.rows.get(trial)
        place = known.place if known else f"[{len(self.rows) + 1}/{self.trials}]"
        self.rows[trial] = Row(place, steps)
        return self.rows[trial]

    def trial_started(self, trial: Trial, steps: int) -> None:
        row = self._begin(trial, steps)
        self.say(f"{row.place} {trial}: {steps:,} steps")

    def progressed(self, trial: Trial, counts: Counts, scalars: dict[str, float]) -> None:
        row = self.rows[trial]
        row.since = row.since or (time.monotonic(), counts.steps)
        row.losses |= {name: value for name, value in scalars.items() if name.startswith("loss_")}

    def evaluated(self, trial: Trial, counts: Counts, scores: dict[str, float]) -> None:
        row = self.rows[trial]
        pace = f"{_rate(counts):.1f} steps/s  {row.left(counts):.0f} s left"
        self.say(
            f"{row.place}   step {counts.steps:,}/{row.steps:,}  {pace}  "
            f"{_values(row.losses)}  {_values(_first(scores))}"
        )

    def trial_ended(self, trial: Trial, outcome: Outcome) -> None:
        place = self.rows[trial].place if trial in self.rows else f"[-/{self.trials}]"
        self.say(f"{place} {trial}: {_verdict(outcome)}")


class BarDisplay(LineDisplay):
    """A bar for each trial that runs, with its losses and last scores; a line stays for each that ended."""

    def __init__(self, trials: int, console: Console, progress: Progress) -> None:
        super().__init__(trials, console)
        self.progress = progress

    def trial_started(self, trial: Trial, steps: int) -> None:
        self._remove(trial)
        row = self._begin(trial, steps)
        row.bar = self.progress.add_task(f"{row.place} {trial}", total=steps, rate="", values="")

    def _remove(self, trial: Trial) -> None:
        row = self.rows.get(trial)
        if row is not None and row.bar is not None:
            self.progress.remove_task(row.bar)
            row.bar = None

    def _update(self, trial: Trial, counts: Counts) -> None:
        row = self.rows[trial]
        if row.bar is not None:
            self.progress.update(
                row.bar,
                completed=counts.steps,
                rate=f"{_rate(counts):.1f} steps/s",
                values=_values(row.losses | row.scores),
            )

    def progressed(self, trial: Trial, counts: Counts, scalars: dict[str, float]) -> None:
        super().progressed(trial, counts, scalars)
        self._update(trial, counts)

    def evaluated(self, trial: Trial, counts: Counts, scores: dict[str, float]) -> None:
        self.rows[trial].scores = _first(scores)
        self._update(trial, counts)

    def trial_ended(self, trial: Trial, outcome: Outcome) -> None:
        self._remove(trial)
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

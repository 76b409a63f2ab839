"""`bench plan`: what a run would do, how much of it is done, and how long the rest will take."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import plan_file
from bench.cli.run_options import Asked, run_options

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

    from bench.plan import Cell, Trial
    from bench.request import Grid
    from bench.train.calibrate import Estimate
    from bench.train.conditions import Conditions


def _print_schema(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(json.dumps(plan_file.schema(context.command.params), indent=2))
        context.exit()


@dataclass
class Progress:
    """What there is of a grid already."""

    finished: dict[Trial, MlflowRun] = field(default_factory=dict)
    """Trials that are in the store, with their runs."""
    steps: dict[Trial, int] = field(default_factory=dict)
    """Trials that were broken off, with the step of their newest checkpoint."""


@click.command()
@click.option(
    "--schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON schema of a plan's file.",
)
@click.option("--no-timing", is_flag=True, help="Train no steps to tell the hours: print the grid and what is done.")
@run_options
def plan(asked: Asked, no_timing: bool) -> int:
    """Print the grid of 'bench run' with skips and reasons, what is done of it, and the hours of the rest.

    A trial is taken to last as long as finished ones of its cell on a device like this one, where the store has some;
    else a few steps of it and one evaluation are timed here. Nothing is recorded.
    """
    from bench.track import has_experiment
    from bench.train.conditions import Conditions
    from reports.numbers import plural

    grid = asked.grid()
    trials, seeds = grid.plan.trials, sorted({trial.seed for trial in grid.plan.trials})
    there = has_experiment(grid.request.experiment)
    conditions = Conditions(grid) if trials and (there or not no_timing) else None
    progress = _progress(grid, conditions) if conditions and there and not grid.request.fresh else Progress()
    counts = plural(len(trials), "trial"), plural(len(grid.plan.cells), "cell"), plural(len(seeds), "seed")
    click.echo("{}\n{}: {} x {}".format(grid.header(), *counts))
    if progress.finished or progress.steps:
        begun = len(progress.finished) + len(progress.steps)
        click.echo(
            f"{len(progress.finished)} done, {len(progress.steps)} broken off with a checkpoint, "
            f"{len(trials) - begun} to begin"
        )
    estimate = None if no_timing or conditions is None else _estimator(conditions, progress, trials)
    seconds = 0.0
    for cell, own in _by_cell(trials).items():
        seconds += _cell(cell, own, progress, estimate)
    for skip in grid.plan.skips:
        click.echo(f"  {skip.cell.label}   skipped: {skip.reason}")
    if estimate is not None:
        shared = f", {asked.jobs} at a time about {_duration(seconds / asked.jobs)} at best" if asked.jobs > 1 else ""
        click.echo(f"about {_duration(seconds)} of work on this device{shared}")
    return 0


def _by_cell(trials: Iterable[Trial]) -> dict[Cell, list[Trial]]:
    found: dict[Cell, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.cell, []).append(trial)
    return found


def _progress(grid: Grid, conditions: Conditions) -> Progress:
    from bench.spool import Spool
    from bench.track import Store
    from bench.train.checkpoint import Checkpoints
    from bench.train.run import known

    spool = Spool(Store(grid.request.experiment))
    found = Progress(known(conditions, spool))
    for trial in grid.plan.trials:
        step = Checkpoints(spool.folder(conditions.fingerprint(trial))).newest()
        if trial not in found.finished and step is not None:
            found.steps[trial] = step
    return found


def _estimator(conditions: Conditions, progress: Progress, trials: Iterable[Trial]) -> Callable[[Cell], Estimate]:
    """For cells of which something is left to do; prints how many of them it will time."""
    from bench.train.calibrate import Stopwatch, from_store
    from reports.numbers import plural

    stopwatch = Stopwatch(conditions)
    finished = _by_cell(progress.finished)
    left = _by_cell(trial for trial in trials if trial not in progress.finished)
    known = {cell: from_store([progress.finished[one] for one in finished.get(cell, [])], conditions) for cell in left}
    timed = sum(estimate is None for estimate in known.values())
    if timed:
        click.echo(f"steps of {plural(timed, 'cell')} are timed here to tell the hours; --no-timing leaves it out")
    return lambda cell: known[cell] or stopwatch(cell)


def _cell(cell: Cell, trials: list[Trial], progress: Progress, estimate: Callable[[Cell], Estimate] | None) -> float:
    """Prints a cell's line and gives the seconds that it still takes."""
    seeds = [trial.seed for trial in trials]
    words = [cell.label, f"seeds {seeds[0]}..{seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"]
    done = sum(trial in progress.finished for trial in trials)
    if done:
        words.append(f"{done} done")
    words += [f"seed {trial.seed} at step {progress.steps[trial]:,}" for trial in trials if trial in progress.steps]
    left = 0.0
    if estimate is not None and done < len(trials):
        guess = estimate(cell)
        words.append(f"{_duration(guess.seconds)} per trial ({guess.source})")
        parts = (1 - progress.steps.get(trial, 0) / guess.steps for trial in trials if trial not in progress.finished)
        left = guess.seconds * sum(parts)
    click.echo("  " + "   ".join(words))
    return left


def _duration(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"

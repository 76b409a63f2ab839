"""`bench run`: a grid trained, scored, recorded and compared."""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import options, report
from bench.cli.setup import announce
from bench.errors import BenchError

if TYPE_CHECKING:
    import torch

    from bench.plan import Plan
    from bench.protocol import Budget, Preset
    from bench.tasks import Scoring
    from bench.track import Store

MOST = 1_000_000_000
"""Of any budget: far beyond what anybody waits for, and small enough to count with."""


@click.command()
@click.option("--algos", required=True, metavar="NAMES", help="Algorithms, with commas; 'bench list' shows all.")
@click.option(
    "--task",
    "task_name",
    metavar="NAME",
    help="mnist, curves, stacked_mnist, inpainting, translation or super_resolution; default: the algorithms' own.",
)
@click.option("--bn", metavar="on|off|on/off", help="Batch norm in the discriminator; default: the algorithm's own.")
@click.option(
    "--set", "assignments", multiple=True, metavar="[ALGO.]FIELD=VALUE", help="A setting; several values make a factor."
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds a cell.")
@click.option(
    "--first-seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="The first of them."
)
@click.option("--preset", metavar="smoke|quick|full", help="Default: full on a GPU, else quick.")
@click.option("--epochs", type=click.IntRange(1, MOST), help="Budget: passes over the real images.")
@click.option("--steps", type=click.IntRange(1, MOST), help="Budget: batches of real images.")
@click.option("--g-updates", type=click.IntRange(1, MOST), help="Budget: updates of the generator.")
@click.option("--samples", type=click.IntRange(1, 1_000_000), help="Images scored at the end; default: the preset's.")
@options.device
@options.data
@options.data_dir
@click.option("--offline", is_flag=True, help="Try no download (also BENCH_OFFLINE=1).")
@options.metrics
@options.inception_weights
@options.experiment
@click.option(
    "--report", "out", type=click.Path(path_type=Path, dir_okay=False), default=report.DEFAULT, show_default=True
)
@click.option(
    "--checkpoint-every",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How much training a crash may cost; the same command goes on from the newest checkpoint.",
)
@click.option(
    "--select",
    type=click.Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="The weights that are scored: of the last step, or of the one with the best FID against validation images.",
)
@click.option(
    "--precision",
    default="fp32",
    show_default=True,
    metavar="fp32|bf16",
    help="What trials compute in; bf16 is faster where the device has it, and a protocol of its own.",
)
@click.option("--fresh", is_flag=True, help="Train again what is finished, and begin anew what was broken off.")
@click.option("--dry-run", is_flag=True, help="Print the grid with skips and reasons, run nothing.")
@click.pass_obj
def run(
    given: Sequence[str],
    algos: str,
    task_name: str | None,
    bn: str | None,
    assignments: tuple[str, ...],
    seeds: int,
    first_seed: int,
    preset: str | None,
    epochs: int | None,
    steps: int | None,
    g_updates: int | None,
    samples: int | None,
    device: str,
    data: str,
    data_dir: Path | None,
    offline: bool,
    metrics: str | None,
    inception_weights: str | None,
    experiment: str,
    out: Path,
    checkpoint_every: float,
    select: str,
    precision: str,
    fresh: bool,
    dry_run: bool,
) -> int:
    """Train, score and compare every cell of a grid: algorithms x BN x settings x seeds."""
    from bench import plan as planning
    from bench import tasks
    from bench.environment import pick_device
    from bench.precision import check as check_precision

    names = planning.split_names(algos)
    task = tasks.choose(task_name, names, data)
    plan = planning.expand(
        names, bn=bn, assignments=assignments, seeds=seeds, first_seed=first_seed, misfit=task.misfit
    )
    if math.isnan(checkpoint_every):
        raise BenchError("--checkpoint-every nan: allowed is a number of seconds, inf for never")
    chosen_device = pick_device(device)
    check_precision(chosen_device, precision)
    chosen = task.preset(_preset(preset, "full" if chosen_device.type == "cuda" else "quick"))
    budget = _budget(chosen, epochs=epochs, steps=steps, g_updates=g_updates)
    samples = samples or chosen.samples
    if dry_run:
        _print_plan(plan, _header(chosen, budget, samples, chosen_device))
        return 0
    if not plan.trials:
        raise BenchError("nothing to run, every cell is a skip: " + "; ".join(sorted({s.reason for s in plan.skips})))

    from bench import results, spool
    from bench.cli.display import display
    from bench.evaluate import MIN_SAMPLES
    from bench.track import Store
    from bench.train.interface import Settings
    from bench.train.run import Run
    from reports import tables

    if samples < MIN_SAMPLES:
        raise BenchError(
            f"--samples {samples}: allowed is {MIN_SAMPLES} or more, fewer images give no FID worth the name"
        )
    images = task.load(data_dir=data_dir, offline=offline)
    if select == "best":
        images = task.with_validation(images)
    samples = task.count(images, samples)
    if samples < MIN_SAMPLES:
        raise BenchError(
            f"the task {task.name} has {samples} held-out examples here, fewer than the {MIN_SAMPLES} that FID needs; "
            "give all of MNIST with --data-dir"
        )
    header = _header(chosen, budget, samples, chosen_device)
    scoring = tasks.Scoring(samples, metrics, inception_weights, data_dir, offline)
    yardstick = task.yardstick(chosen_device, images, scoring)
    store = Store(experiment)
    spool.sync(store)
    announce(images)
    click.echo(f"{header}\n{len(plan.trials)} trials, {len(images):,} examples of {images.name} from {images.source}")
    for skip in plan.skips:
        click.echo(f"skipped {skip.cell.label}: {skip.reason}")
    shared = _shared_arguments(chosen, budget, device, scoring, experiment, task.name, data, select)
    shared += [] if precision == "fp32" else ["--precision", precision]
    current = Run(
        plan,
        Settings(chosen, budget, samples, chosen_device, task, checkpoint_every, precision),
        images,
        yardstick,
        spool.Spool(store),
        invocation=shlex.join(["bench", *given]),
        options=shared,
        fresh=fresh,
    )
    if current.known:
        click.echo(f"{len(current.known)} of them finished before and not trained again (--fresh does)")
    with display(len(current.trials)) as watcher:
        outcomes = current.execute(watcher)
    _deliver(store)
    loaded = results.load(experiment=experiment, parent=current.parent.run_id, also=current.run_ids)
    for protocol in tables.protocols(loaded):
        click.echo(f"\n{tables.as_text(tables.leaderboard(loaded, protocol))}")
        effects = tables.factor_effects(loaded, protocol)
        effects.attrs.clear()  # the protocol stands above the leaderboard already
        if effects["both"].any():
            click.echo(f"\n{tables.as_text(effects)}")
    if yardstick.notice:
        click.echo(yardstick.notice)
    page = report.write(results.load(experiment=experiment), out)
    _attach(page, store, current.parent.run_id)
    click.echo(f"\nreport: {page}\nruns:   {_how_to_open(store.uri)}")
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


def _deliver(store: Store) -> None:
    """What the store did not take while it was trained; BenchError where it does not take it now either."""
    from bench import spool

    failures = spool.sync(store).failures
    if failures:
        raise BenchError(
            f"the trials are done, but {store.uri} does not take their results ({failures[0]}); they wait in "
            f"{spool.WORK}; when the store is back: bench sync && bench report"
        )


def _attach(page: Path, store: Store, run_id: str | None) -> None:
    """The report as an artifact of its run. It lies in the directory already, so that nothing is lost without it."""
    from bench.track import cause

    try:
        assert run_id is not None
        store.add_file(run_id, page, None)
    except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
        click.echo(f"the store does not take the report: {cause(error)}", err=True)


def _header(preset: Preset, budget: Budget, samples: int, device: torch.device) -> str:
    from bench.environment import device_name

    return f"preset {preset.name}: {budget} a trial, {samples:,} samples scored, on {device_name(device)}"


def _how_to_open(uri: str) -> str:
    if uri.startswith("http"):
        return f"{uri} (in a browser)"
    given = f" --backend-store-uri {shlex.quote(uri)}" if "MLFLOW_TRACKING_URI" in os.environ else ""
    return f"{uri} (open with: mlflow ui{given})"


def _preset(name: str | None, default: str) -> Preset:
    from bench.protocol import PRESETS

    if (name or default) not in PRESETS:
        raise BenchError(f"--preset {name}: allowed is {', '.join(PRESETS)}")
    return PRESETS[name or default]


def _budget(preset: Preset, **given: int | None) -> Budget:
    from bench.protocol import Budget

    amounts = {unit: amount for unit, amount in given.items() if amount is not None}
    if len(amounts) > 1:
        flags = " and ".join(f"--{unit.replace('_', '-')}" for unit in amounts)
        raise BenchError(f"{flags} exclude each other; give one budget")
    return next((Budget(amount, unit) for unit, amount in amounts.items()), preset.budget)


def _shared_arguments(
    preset: Preset, budget: Budget, device: str, scoring: Scoring, experiment: str, task: str, data: str, select: str
) -> list[str]:
    """The arguments of this run that a rerun of one cell needs too."""
    arguments = ["--task", task, "--preset", preset.name]
    if budget != preset.budget:
        arguments += [f"--{budget.unit.replace('_', '-')}", str(budget.amount)]
    if scoring.samples != preset.samples:
        arguments += ["--samples", str(scoring.samples)]
    if data != "mnist":
        arguments += ["--data", data]
    if select != "last":
        arguments += ["--select", select]
    if device != "auto":
        arguments += ["--device", device]
    given = {"data-dir": scoring.data_dir, "metrics": scoring.metrics, "inception-weights": scoring.inception_weights}
    for option, value in given.items():
        if value is not None:
            arguments += [f"--{option}", str(value)]
    if experiment != "bench":
        arguments += ["--experiment", experiment]
    return arguments


def _print_plan(plan: Plan, header: str) -> None:
    seeds = sorted({trial.seed for trial in plan.trials})
    click.echo(f"{header}\n{len(plan.trials)} trials: {len(plan.cells)} cells x {len(seeds)} seeds")
    for cell in plan.cells:
        click.echo(
            f"  {cell.label}   seeds {seeds[0]}..{seeds[-1]}" if len(seeds) > 1 else f"  {cell.label}   seed {seeds[0]}"
        )
    for skip in plan.skips:
        click.echo(f"  {skip.cell.label}   skipped: {skip.reason}")

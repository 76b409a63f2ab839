"""`bench run`: a grid trained, scored, recorded and compared."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import report
from bench.cli.run_options import Asked, run_options
from bench.cli.setup import announce
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.request import Grid
    from bench.track import Store
    from bench.train.interface import Engine
    from bench.train.workplace import Workplace


@click.command()
@click.pass_obj
@run_options
def run(given: Sequence[str], asked: Asked) -> int:
    """Train, score and compare every cell of a grid: algorithms x BN x settings x seeds.

    PLAN is a YAML file with these options as keys ('bench plan --schema'); options on the command line override
    those of the file.
    """
    grid = asked.grid()

    from bench import results
    from bench.cli.display import display
    from bench.spool import Spool
    from bench.sync import sync
    from bench.track import Store
    from bench.train.conditions import Conditions
    from bench.train.run import Run
    from bench.train.workplace import Workplace
    from reports import tables
    from reports.numbers import plural

    conditions = Conditions(grid)
    images = conditions.data
    store = Store(grid.request.experiment)
    sync(store)
    announce(images)
    trials = len(grid.plan.trials)
    click.echo(grid.header(conditions.settings.samples))
    click.echo(f"{plural(trials, 'trial')}, {len(images):,} examples of {images.name} from {images.source}")
    for skip in grid.plan.skips:
        click.echo(f"skipped {skip.cell.label}: {skip.reason}")
    workplace = Workplace(conditions, Spool(store), fresh=grid.request.fresh)
    current = Run(workplace, shlex.join(["bench", *given]))
    if current.known:
        click.echo(f"{len(current.known)} of them finished before and not trained again (--fresh does)")
    with _engine(asked, grid, workplace) as engine, display(len(current.trials)) as watcher:
        outcomes = current.execute(engine, watcher)
    _deliver(store)
    loaded = results.load(experiment=store.experiment, parent=current.parent.run_id, also=current.run_ids)
    for protocol in tables.protocols(loaded):
        click.echo(f"\n{tables.as_text(tables.leaderboard(loaded, protocol))}")
        effects = tables.factor_effects(loaded, protocol)
        effects.attrs.clear()  # the protocol stands above the leaderboard already
        if effects["both"].any():
            click.echo(f"\n{tables.as_text(effects)}")
    if conditions.yardstick.notice:
        click.echo(conditions.yardstick.notice)
    page = report.write(results.load(experiment=store.experiment), asked.out)
    _attach(page, store, current.parent.run_id)
    click.echo(f"\nreport: {page}\nruns:   {_how_to_open(store)}")
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


@contextmanager
def _engine(asked: Asked, grid: Grid, workplace: Workplace) -> Iterator[Engine]:
    """Who trains."""
    import torch

    if asked.ray is not None:
        from bench.train.on_ray import cluster

        with cluster(asked.ray, grid.request, grid.plan.trials, asked.gpu_share, workplace.spool.store.uri) as engine:
            yield engine
    elif asked.jobs > 1:
        from bench.train.processes import Processes

        yield Processes(grid.request, grid.plan.trials, asked.jobs, torch.get_num_threads())
    else:
        from bench.train.lanes import InProcess

        yield InProcess(workplace, asked.together)


def _deliver(store: Store) -> None:
    """What the store did not take while it was trained; BenchError where it does not take it now either."""
    from bench.spool import WORK
    from bench.sync import sync
    from bench.track import shown

    failures = sync(store).failures
    if failures:
        raise BenchError(
            f"the trials are done, but {shown(store.uri)} does not take their results ({failures[0]}); they wait in "
            f"{WORK}; when the store is back: bench sync && bench report"
        )


def _attach(page: Path, store: Store, run_id: str | None) -> None:
    """The report as an artifact of its run. It lies in the directory already, so that nothing is lost without it."""
    from bench.track import cause

    try:
        assert run_id is not None
        store.add_file(run_id, page, None)
    except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
        click.echo(f"the store does not take the report: {cause(error)}", err=True)


def _how_to_open(store: Store) -> str:
    """Where the runs are, and the address at which MLflow shows them: its front page is one for language models."""
    from bench.track import shown

    place, page = shown(store.uri), f"#/experiments/{store.experiment_id}?workflowType=machine_learning"
    if store.uri.startswith("http"):
        return f"{place.rstrip('/')}/{page}"
    given = ' --backend-store-uri "$MLFLOW_TRACKING_URI"' if "MLFLOW_TRACKING_URI" in os.environ else ""
    return f"{place}\n        mlflow ui{given} shows them at http://127.0.0.1:5000/{page}"

"""`bench run`: a grid trained, scored, recorded and compared."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import report
from bench.cli.run_options import Asked, run_options
from bench.cli.setup import announce, left_out
from bench.errors import BenchError

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

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

    from bench import results, stored
    from bench.cli.display import display
    from bench.spool import Spool
    from bench.sync import sync
    from bench.track import PARENT, Store
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
    trials, samples, metrics = len(grid.plan.trials), conditions.settings.samples, grid.request.metrics
    click.echo(grid.header(samples))
    if lacking := left_out(conditions.yardstick, metrics, samples):
        click.echo(f"left out with so few samples: {lacking}")
    click.echo(f"{plural(trials, 'trial')}, {len(images):,} examples of {images.name} from {images.source}")
    for skip in grid.plan.skips:
        click.echo(f"skipped {skip.cell.label}: {skip.reason}")
    workplace = Workplace(conditions, Spool(store), fresh=grid.request.fresh)
    current = Run(workplace, shlex.join(["bench", *given]))
    if current.known:
        click.echo(f"{len(current.known)} of them finished before and not trained again (--fresh does)")
        if missing := _not_measured(metrics, samples, current.known.values()):
            click.echo(f"some of these were not scored by {', '.join(missing)}, as --metrics asks; --fresh does it")
    with _engine(asked, grid, workplace) as engine, display(len(current.trials)) as watcher:
        outcomes = current.execute(engine, watcher)
    _deliver(store)
    run_id = _run_id(store, current.parent.id)
    runs, known = stored.runs(store.client, store.experiment_id), set(current.run_ids)
    own = [each for each in runs if each.data.tags.get(PARENT) == run_id or each.info.run_id in known]
    loaded = results.of_runs(store, own)
    for protocol in tables.protocols(loaded):
        click.echo(f"\n{tables.as_text(tables.leaderboard(loaded, protocol))}")
        effects = tables.factor_effects(loaded, protocol)
        effects.attrs.pop("protocol", None)  # it stands above the leaderboard already
        if effects["both"].any():
            click.echo(f"\n{tables.as_text(effects)}")
    if conditions.yardstick.notice:
        click.echo(conditions.yardstick.notice)
    page = report.write(results.of_runs(store, runs), asked.out)
    _attach(page, store, run_id)
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


def _not_measured(metrics: str | None, n: int, known: Iterable[MlflowRun]) -> list[str]:
    """Those of `--metrics` that some of these trials were not scored by, as their commands tell."""
    from bench.metrics import DEFAULT, choose
    from bench.plan import split_names
    from bench.track import PREFIX

    if metrics is None:
        return []
    asked = [metric.name for metric in choose(metrics, n)]
    lacking: set[str] = set()
    for run in known:
        given = re.search(r"--metrics '?([\w, ]+)", run.data.tags.get(f"{PREFIX}command", ""))
        had = {"fid", *split_names(given[1])} if given else set(DEFAULT)
        lacking |= set() if "all" in had else set(asked) - had
    return [name for name in asked if name in lacking]


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


def _run_id(store: Store, journal: str) -> str:
    """MLflow's id of the run of this journal, all of which was delivered, perhaps just now by `bench.sync`."""
    found = store.find(journal)
    if found is None:
        raise BenchError("the trials are done, but their run was deleted in the store; see what is there: bench report")
    return str(found.info.run_id)


def _attach(page: Path, store: Store, run_id: str) -> None:
    """The report as an artifact of its run. It lies in the directory already, so that nothing is lost without it."""
    from bench.track import cause

    try:
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

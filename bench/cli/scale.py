"""`bench scale`: how cost grows with slots, writers and trials on this machine."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import rich_click as click

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.track import Store

T = TypeVar("T")


def _numbers(_: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and len(word) <= 6 and int(word) for word in words):
        raise BenchError(f"--{parameter.name} {text[:40]}: allowed are whole numbers from 1 to 999,999, with commas")
    return [int(word) for word in words]


@click.command()
@click.option(
    "--slots",
    default="1,2,4",
    show_default=True,
    callback=_numbers,
    help="Numbers of parallel Ray slots to measure, with commas.",
)
@click.option("--writers", default="1,4", show_default=True, callback=_numbers, help="Processes that write to a store.")
@click.option("--trials", default="100", show_default=True, callback=_numbers, help="Trials in a store that is read.")
@click.option(
    "--seconds", type=click.FloatRange(0.01), default=2.0, show_default=True, help="Length of each simulated trial."
)
def scale(slots: list[int], writers: list[int], trials: list[int], seconds: float) -> None:
    """Measure with simulated trials: efficiency of Ray, writes to MLflow, and the time of a report.

    Works in a folder of its own, which is removed; only writers use MLFLOW_TRACKING_URI, where that is set. Without Ray
    no slots are measured.
    """
    from bench.track import Store

    if find_spec("ray") is None:
        click.echo("slots: not measured without Ray; pip install 'gan-bench[ray]'")
        slots = []
    with tempfile.TemporaryDirectory() as name, _tracking(f"sqlite:///{name}/writers.db"):
        store = Store("scale")
        for number in slots:
            _slots(number, seconds, store)
        for number in writers:
            _writers(number, seconds, store)
        for number in trials:
            _report(number, Path(name))


@contextmanager
def _tracking(uri: str) -> Iterator[None]:
    """Inside, processes that are started write there, unless the user named another place."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        yield
        return
    os.environ["MLFLOW_TRACKING_URI"] = uri
    try:
        yield
    finally:
        del os.environ["MLFLOW_TRACKING_URI"]


def _slots(number: int, seconds: float, store: Store) -> None:
    from bench import scale as measure
    from bench.request import Request
    from bench.train.on_ray import cluster

    trials = measure.plan(4 * number).trials
    # On the CPU, where they wait: a GPU would take four at a time, and the other slots would stay empty.
    with cluster("local", Request(algos="", device="cpu"), trials, None, store.uri, slots=number) as engine:
        # In which Ray starts a process for each slot.
        measure.timed(engine, measure.sleep, number, 0.0, together=True)
        wall, _ = measure.timed(engine, measure.sleep, len(trials), seconds)
    found = measure.Efficiency(number, len(trials), seconds, wall)
    click.echo(
        f"{number:>5} slots    {len(trials)} trials of {seconds:g} s in {wall:.1f} s: efficiency "
        f"{found.efficiency:.0%}, {found.overhead * 1000:.0f} ms per trial beside it"
    )


def _writers(number: int, seconds: float, store: Store) -> None:
    from bench import scale as measure
    from bench.request import Request
    from bench.train.processes import Processes

    request = Request(algos="", experiment=store.experiment)
    engine = Processes(request, measure.plan(number).trials, number, number)
    _, ended = measure.timed(engine, measure.write, number, seconds, together=True)
    rate = sum(each.outcome.scores["points"] for each in ended if each.outcome)
    click.echo(f"{number:>5} writers  {rate:,.0f} points/s in calls of {measure.POINTS}, {rate / number:,.0f} each")


def _clocked(work: Callable[[], T]) -> tuple[T, str]:
    """What the work gives, and how long it took, waiting included and not."""
    started, at_work = time.perf_counter(), time.process_time()
    found = work()
    return found, f"{time.perf_counter() - started:.1f} s ({time.process_time() - at_work:.1f} s at work)"


def _report(number: int, folder: Path) -> None:
    from bench import results
    from bench import scale as measure
    from bench.track import Store
    from reports import html

    uri = f"sqlite:///{folder}/trials-{number}.db"
    measure.fill(Store(uri=uri), number, max(number // 10, 1), measure.POINTS)
    started = time.perf_counter()
    loaded, read = _clocked(lambda: results.load(uri))
    page, written = _clocked(lambda: html.write(loaded, folder / "report.html"))
    click.echo(
        f"{number:>5} trials   {time.perf_counter() - started:.1f} s for a page of {page.stat().st_size / 1e6:.1f} MB: "
        f"rows read in {read}, curves read and all written in {written}"
    )

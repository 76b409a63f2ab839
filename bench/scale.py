"""How cost grows with the number of trials, slots and writers: measured with simulated trials of known length.

Takes numbers, gives measurements. Simulated trials train nothing; stores are filled with invented figures.
"""

from __future__ import annotations

import functools
import json
import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import Protocol as Interface

from bench.errors import BenchError
from bench.plan import Plan, expand
from bench.protocol import Protocol
from bench.request import Request
from bench.spool import Spool
from bench.track import PREFIX, Store
from bench.train.interface import Ended, Engine, Order, Outcome, Silence, Watcher
from bench.train.loop import Counts
from bench.train.signals import Interrupts
from bench.train.worker import Work

POINTS = 100
"""Points in one call of a writer."""
PATIENCE = 600.0
"""Seconds until all processes of a measurement must have started."""


@dataclass(frozen=True)
class Meeting:
    """Where simulated trials wait until all of them run at once, each in a process of its own."""

    folder: str
    trials: int

    def attend(self, number: int) -> None:
        """Waits for the others."""
        folder = Path(self.folder)
        (folder / str(number)).touch()
        until = time.monotonic() + PATIENCE
        while (there := len(list(folder.iterdir()))) < self.trials:
            if time.monotonic() > until:
                raise BenchError(f"of {self.trials} simulated trials only {there} were begun in {PATIENCE:.0f} s")
            time.sleep(0.01)


def sleep(
    request: Request, order: Order, watcher: Watcher, interrupts: Interrupts, *, seconds: float, meeting: Meeting | None
) -> Ended:
    """A simulated trial: it lasts so many seconds and does nothing."""
    if meeting is not None:
        meeting.attend(order.number)
    time.sleep(seconds)
    return Ended(order.number, Outcome("finished", "", {}, Counts()))


def write(
    request: Request, order: Order, watcher: Watcher, interrupts: Interrupts, *, seconds: float, meeting: Meeting | None
) -> Ended:
    """A simulated writer: sends points for so many seconds; its score is how many per second."""
    store = Store(request.experiment)
    run_id = store.add(f"writer {order.number}", "writer")
    if meeting is not None:
        meeting.attend(order.number)
    sent, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        store.add_points(
            run_id, [(f"metric {i}", random.random(), int(time.time() * 1000), sent) for i in range(POINTS)]
        )
        sent += POINTS
    rate = sent / (time.perf_counter() - started)
    store.set_status(run_id, "FINISHED")
    return Ended(order.number, Outcome("finished", "", {"points": rate}, Counts()))


def plan(trials: int) -> Plan:
    """A plan of so many trials, none of which is trained."""
    import gans

    return expand(gans.names()[:1], seeds=trials)


class Workers(Engine, Interface):
    """An engine that can be given another work than training."""

    work: Work


def timed(
    engine: Workers, work: Callable[..., Ended], trials: int, seconds: float, *, together: bool = False
) -> tuple[float, list[Ended]]:
    """Wall time of so many simulated trials of a length, and what became of them; `work` is `sleep` or `write`.

    Where `together`, none begins before all are ready, so that each has a process of its own, already started.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Interrupts() as interrupts:
        engine.work = functools.partial(work, seconds=seconds, meeting=Meeting(folder, trials) if together else None)
        orders = [Order(number, "", "", {}) for number in range(trials)]
        ended = list(engine.run(orders, Silence(), interrupts))
    lost = [each.lost for each in ended if each.lost]
    if lost or len(ended) != trials:
        raise BenchError(f"{len(lost)} of {trials} simulated trials were lost: {', '.join(sorted(set(lost)))}")
    return time.perf_counter() - started, ended


@dataclass(frozen=True)
class Efficiency:
    """What slots did with simulated trials."""

    slots: int
    trials: int
    seconds: float
    """Of one trial."""
    wall: float

    @property
    def efficiency(self) -> float:
        """The part of all slots' time that was spent in trials."""
        return self.trials * self.seconds / (self.slots * self.wall)

    @property
    def overhead(self) -> float:
        """Seconds per trial that its slot did something else, or nothing."""
        return self.slots * self.wall / self.trials - self.seconds


def fill(store: Store, trials: int, cells: int, points: int) -> None:
    """Writes so many finished trials of invented figures, each with `points` points a curve, into a sqlite store.

    The first trial goes the usual way; the others are copies of its rows with figures of their own, for what is
    measured is how long reading takes.
    """
    from mlflow.store.tracking.dbmodels import models
    from sqlalchemy import create_engine, insert, select

    first = _invented(store, points)
    engine = create_engine(store.uri)
    tables = [model.__table__ for model in (models.SqlRun, models.SqlTag, models.SqlParam, models.SqlMetric)]
    tables.append(models.SqlLatestMetric.__table__)
    with engine.begin() as connection:
        rows = {
            table: [dict(row._mapping) for row in connection.execute(select(table).where(table.c.run_uuid == first))]
            for table in tables
        }
        for start in range(1, trials, 500):
            batch = range(start, min(start + 500, trials))
            for table in tables:
                copies = [copy for n in batch for copy in _copies(rows[table], n, cells)]
                connection.execute(insert(table), copies)
    engine.dispose()


def _copies(rows: list[dict[str, Any]], number: int, cells: int) -> Iterator[dict[str, Any]]:
    run_id = uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex
    cell, seed = number % cells, number // cells
    shift = 1 + cell / cells + random.Random(number).gauss(0, 0.02)
    tags = {"seed": str(seed), "fingerprint": f"{number:016x}", "journal": run_id}
    tags |= dict.fromkeys(("name", "cell"), f"simulated lr_d={cell}")
    tags["config"] = json.dumps({"bn": True, "lr_d": float(cell)})
    for row in rows:
        copy = row | {"run_uuid": run_id}
        name = row.get("key", "").removeprefix(PREFIX)
        if name in tags:
            copy["value"] = tags[name]
        elif "step" in row and "fid" in name:
            copy["value"] = row["value"] * shift
        yield copy


def _invented(store: Store, points: int) -> str:
    """The id of the run of one trial whose curves have `points` points."""
    protocol = Protocol(
        task="mnist", dataset="mnist", data_fingerprint="0" * 16, data_images=60_000, budget=f"{points} steps",
        samples=10_000, weights="raw", extractor="simulated",
    )  # fmt: skip
    writer = Spool(store).start("simulated", "trial")
    tags = {"name": "simulated lr_d=0", "cell": "simulated lr_d=0", "algorithm": "simulated", "family": "simulated"}
    tags |= {"track": "noise-to-image", "seed": "0", "status": "finished", "reason": "", "fingerprint": "0" * 16}
    tags |= {
        "config": '{"bn": true, "lr_d": 0.0}',
        "protocol": protocol.to_json(),
        "year": "2026",
        "diagnosis": "healthy",
    }
    writer.tags(tags | {"preset": "quick", "device": "simulated", "command": "bench scale"})
    writer.params({"algorithm": "simulated", "seed": 0, "steps": points, "params_g": 1, "params_d": 1})
    for step in range(1, points + 1):
        at = {"g_updates": step, "d_updates": step, "images": 64 * step, "seconds": step / 10}
        writer.metrics({"loss_d": 1 / step, "loss_g": 2 / step} | at, step)
        if step % 10 == 0:
            writer.metrics({"mnist_fid_2k": 30 + 100 / step, "mnist_is_2k": 6.0}, step)
    writer.metrics({"mnist_fid_10k": 30.0, "mnist_is_10k": 6.0, "eval_seconds": 9.0, "log_seconds": 1.0}, points)
    writer.close("FINISHED")
    assert writer.run_id is not None
    return writer.run_id

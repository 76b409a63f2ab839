"""The merge: rows of an exported file become runs of a store, unless they are there already or contradict it.

Takes results of a file and a store, writes through `bench.track`. Everything is checked before anything is written.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException

from bench import stored
from bench.columns import NAMES, POSITION, PROTOCOL, RESULTS
from bench.errors import BenchError
from bench.journal import BATCH
from bench.pictures import SAMPLES
from bench.protocol import Protocol
from bench.results import Results, keys
from bench.stored import COUNTS
from bench.track import Store, cause

TOLD = 100
"""Rows between two lines of progress."""
COSTS = (*POSITION, "eval_seconds", "log_seconds")
TAGS = (
    "name", "algorithm", "family", "no_gan", "paper", "track", "cell", "reason", "diagnosis", "preset", "device",
    "command", "commit", "code",
)  # fmt: skip


@dataclass(frozen=True)
class Merged:
    """What became of a file's rows."""

    added: int
    present: int
    """Rows that the store had already."""


def merge(results: Results, store: Store, say: Callable[[str], None] = lambda text: None) -> Merged:
    """Adds what is new, saying how far it is; BenchError, and nothing written, when a trial contradicts the store.

    A trial that the store has without a result, be it failed, interrupted or still running, is added if the file has
    one, and so is one that the store has of other code only. Reference rows and skips are never in contradiction: they
    are made anew by every run.
    """
    known = _stored(store)
    new = [
        row
        for key, row in zip(keys(results.trials), results.trials.to_dict("records"), strict=True)
        if not _is_there(row, known.get(key, []), results.experiment)
    ]
    if new:
        _write(results, new, store, say)
    return Merged(len(new), len(results.trials) - len(new))


def _stored(store: Store) -> dict[str, list[dict[Any, Any]]]:
    """Every row of the store by its key, the newest first, but for those that a broken-off import began."""
    found: dict[str, list[dict[Any, Any]]] = {}
    runs = stored.runs(store.client, store.experiment_id)
    if runs:
        there = stored.rows(runs).sort_values("started", ascending=False)
        there = there[(there["imported"] == "") | (there["status"] != "running")]
        for key, row in zip(keys(there), there.to_dict("records"), strict=True):
            found.setdefault(key, []).append(row)
    return found


def _is_there(row: dict[Any, Any], there: list[dict[Any, Any]], file: str) -> bool:
    """Whether the store has the row; BenchError where the same code gave other figures there."""
    if row["kind"] != "trial" or row["status"] not in RESULTS:
        return bool(there)
    ended = [here for here in there if here["status"] in RESULTS]
    if any(_difference(row, here) is None for here in ended):
        return True
    here = next((here for here in ended if here["code"] == row["code"]), None)
    if here is None:
        return False
    name, makers = _difference(row, here), [f"on {each['device']}" for each in (row, here)]
    versions = [each["versions"].get("torch") for each in (row, here)]
    if versions[0] != versions[1]:
        makers = [f"{maker} with torch {version}" for maker, version in zip(makers, versions, strict=True)]
    raise BenchError(
        f"{file} contradicts the store: {name} of {row['cell']} seed={row['seed']} (fingerprint {row['fingerprint']}) "
        f"is {row[name]} {makers[0]}, in the store {here[name]} {makers[1]}; nothing was imported; keep both apart "
        "with --experiment NAME"
    )


def _difference(row: dict[Any, Any], here: dict[Any, Any]) -> str | None:
    """The first figure that two results of a trial do not agree in, or None."""
    names = ["status", "fid", *(name for name in row if name in here and name not in NAMES)]
    return next((n for n in names if pd.notna(row[n]) and pd.notna(here[n]) and row[n] != here[n]), None)


def _write(results: Results, rows: list[dict[Any, Any]], store: Store, say: Callable[[str], None]) -> None:
    try:
        parent = store.add(f"import {results.experiment}", "run")
        tags = {"imported": results.experiment, "command": f"bench import {results.store}"}
        store.write(parent, tags=tags, params={})
        status = "KILLED"
        curves = dict(iter(results.curves.groupby("run_id")))
        try:
            for done, row in enumerate(rows):
                if done and done % TOLD == 0:
                    say(f"[{done:,}/{len(rows):,}] rows")
                _write_row(row, curves.get(row["run_id"], results.curves.iloc[:0]), results, store, parent)
            status = "FINISHED"
        finally:
            store.set_status(parent, status)
    except (MlflowException, OSError) as error:
        raise BenchError(f"the store does not take what {results.experiment} holds: {cause(error)}") from error


def _write_row(row: dict[Any, Any], curves: pd.DataFrame, results: Results, store: Store, parent: str) -> None:
    seed = f" seed={row['seed']}" if row["kind"] == "trial" else ""
    started = round(row["started"].timestamp() * 1000)  # pandas takes a time without a zone for UTC
    run_id = store.add(f"{row['name']}{seed}", row["kind"], parent, started=started)
    params: dict[str, object] = {}
    if row["kind"] == "trial":
        counts = {name: row[name] for name in COUNTS if pd.notna(row[name])}
        params = {"algorithm": row["algorithm"], "seed": row["seed"], **row["config"], **counts}
    # Until it is whole, so that an import that is broken off leaves no row that looks finished.
    tags = _tags(row) | {"imported": results.experiment, "status": "running"}
    store.write(run_id, tags=tags, params={name: str(value) for name, value in params.items()})
    now = int(time.time() * 1000)
    points = [(name, value, now, step) for step, values in _points(row, curves) for name, value in values.items()]
    for start in range(0, len(points), BATCH):
        store.add_points(run_id, points[start : start + BATCH])
    picture = results.artifact(row["run_id"], SAMPLES)
    if picture is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, SAMPLES)
            path.write_bytes(picture)
            store.add_file(run_id, path, None)
    store.write(run_id, tags={"status": row["status"]}, params={})
    ended = {"finished": "FINISHED", "skipped": "FINISHED", "interrupted": "KILLED"}
    store.set_status(run_id, ended.get(row["status"], "FAILED"))


def _tags(row: dict[Any, Any]) -> dict[str, str]:
    tags = {name: row[name] for name in TAGS}
    tags |= {name: str(row[name]) for name in ("year", "seed") if pd.notna(row[name])}
    tags |= {name: json.dumps(row[name]) for name in ("config", "versions", "deviations") if row[name]}
    tags["protocol"] = Protocol(**{name: row[name] for name in PROTOCOL}).to_json()
    return tags | ({"fingerprint": row["fingerprint"]} if row["kind"] == "trial" else {})


def _points(row: dict[Any, Any], curves: pd.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    """Step and the metrics logged at it, in order; at last what the row has beyond its curves."""
    last, shown = 0, dict[str, float]()
    for step, here in curves.groupby("step"):
        values = dict(zip(here["metric"], here["value"], strict=True))
        values |= here[list(POSITION)].iloc[0].dropna().to_dict()
        last, shown = int(str(step)), shown | values
        yield last, values
    names = [name for name in row if name in COSTS or name not in NAMES]
    rest = {name: float(row[name]) for name in names if pd.notna(row[name]) and row[name] != shown.get(name)}
    if rest:
        yield last, rest

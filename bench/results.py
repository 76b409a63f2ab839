"""Results: what was measured, as frames. The only door through which reports see it, wherever it lies.

`load()` reads MLflow stores and exported files, one or several, and gives one row a trial, reference row or skipped
cell (`trials`) and, when asked, the points of their curves (`points`, `curves`); `bench.columns` says what the columns
are. Repeats of a trial (same fingerprint) count once: the last one with a result, else the last one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from bench import frames, stored, track
from bench.album import Album
from bench.columns import RESULTS, typed
from bench.defaults import EXPERIMENT
from bench.errors import BenchError
from bench.examination import Examination
from bench.files import is_there
from bench.points import Parts, Points, Table
from bench.stored import Archive
from bench.track import HINT, Store, open_client, shown

ALLOWED = (
    "allowed are a tracking URI (sqlite:///mlflow.db, http://host:5000), a folder with mlflow.db, that file, each with "
    "#EXPERIMENT behind it where wanted, or an exported .parquet or .csv"
)


@dataclass(frozen=True, eq=False)
class Results:
    """Frames of one or several sources, and the files of their runs on demand. Immutable, frames included."""

    trials: pd.DataFrame
    """The columns of `bench.columns.TRIALS`, and one a metric."""
    points: Points
    """What was logged in training, read when it is asked for."""
    experiment: str
    store: str
    archives: Mapping[str, Archive | Album]
    """Run id -> where its files are."""
    examination: Examination | None = None
    """What `bench doctor` found last, where it was asked."""

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Every logged point; the columns of `bench.columns.CURVES`."""
        return self.points.of()

    def artifact(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, or None when it has none of that name."""
        archive = self.archives.get(run_id)
        return archive.read(run_id, path) if archive else None

    def artifacts(self, run_id: str, folder: str) -> list[str]:
        """The paths of the files in a run's folder, sorted; none where it has no such folder."""
        archive = self.archives.get(run_id)
        return archive.list(run_id, folder) if archive else []


def keys(trials: pd.DataFrame) -> pd.Series[str]:
    """Equal for rows that repeat each other: a trial's fingerprint; name, protocol and track of other rows."""
    return trials["fingerprint"].where(trials["kind"] == "trial", trials["name"] + trials["protocol"] + trials["track"])


def latest(trials: pd.DataFrame) -> pd.DataFrame:
    """Repeats dropped: the last with a result stays, else the last; of equals the one that was measured here.

    A divergence is a result: that other code once finished does not hide it. Nor does an earlier result of newer code
    hide a later one: who reads need not have the code, so cannot tell. What an import left half-written stays
    behind the same row imported again.
    """
    order = pd.DataFrame(
        {
            "key": keys(trials),
            "has_result": trials["status"].isin(RESULTS),
            "started": trials["started"],
            "own": trials["imported"] == "",
            "whole": trials["status"] != "running",
        }
    ).sort_values(["has_result", "started", "own", "whole"])
    kept = trials.loc[order.drop_duplicates("key", keep="last").index]
    return kept.sort_values(["started", "name", "seed", "run_id"], ignore_index=True)


def load(*sources: str | Path, experiment: str | None = None) -> Results:
    """Reads everything from these sources and merges it; by default from one store.

    A source is a tracking URI, a sqlite file, a folder that holds `mlflow.db`, each with `#experiment` behind it where
    wanted, or a file of `bench export`. The default store is MLFLOW_TRACKING_URI, else MLflow's own in the working
    directory; the default experiment BENCH_EXPERIMENT, else 'bench'. Raises BenchError when a source cannot be read, or
    has no such experiment or nothing in it.
    """
    experiment = experiment or os.environ.get("BENCH_EXPERIMENT") or EXPERIMENT
    if not sources:
        uri = track.tracking_uri()
        track.check_there(uri, f"no experiment '{experiment}'")
        return _from_store(uri, experiment)
    return _merged([_from_source(str(source), experiment) for source in sources])


def _from_source(source: str, experiment: str) -> Results:
    place, mark, named = source, "", ""
    if "#" in source and not is_there(Path(source)):
        place, mark, named = source.rpartition("#")
    file = track.sqlite_path(place)
    if "://" in place and file is None:
        return _from_store(place, named or experiment)
    if file is not None or Path(place).suffix not in frames.FORMATS:
        return _from_store(_sqlite(file or Path(place)), named or experiment)
    if mark:
        raise BenchError(f"{place} is an exported file and holds no experiments; leave '#{named}' out")
    return from_file(Path(place))


def from_file(path: Path) -> Results:
    """A file of `bench export`, with curves and pictures beside it. BenchError when it is none, or not whole."""
    trials, curves = frames.read(path)
    trials = latest(trials.assign(imported=path.name))
    album = Album.beside(path, trials)
    archives = dict.fromkeys(album.files, album)
    points = Table(curves[curves["run_id"].isin(trials["run_id"])])
    return Results(trials, points, path.name, str(path), archives)


def _sqlite(path: Path) -> str:
    """The URI of an MLflow store that is a file, or lies in this folder by its usual name."""
    path = path / "mlflow.db" if is_there(path) and path.is_dir() else path
    if not is_there(path) or not path.is_file():
        raise BenchError(f"no results in {path}: no such file; {ALLOWED}")
    try:
        # MLflow itself would make its tables in whatever database it is given. Only who may write can take back what a
        # process that died was at; rw makes no file, and reads where writing is not allowed.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as database:
            database.execute("SELECT 1 FROM experiments").fetchone()
    except sqlite3.Error as error:
        raise BenchError(f"{path} is no MLflow store: {error}; {ALLOWED}") from error
    return f"sqlite:///{path.resolve()}"


def of_runs(store: Store, runs: list[Run]) -> Results:
    """Those of these runs of a store, as `bench.stored.runs` has read them."""
    return _of_runs(runs, store.client, store.uri, store.experiment, store.experiment_id)


def _from_store(uri: str, experiment: str) -> Results:
    client = open_client(uri)
    found = client.get_experiment_by_name(experiment)
    if found is None:
        names = ", ".join(e.name for e in client.search_experiments()) or "none"
        raise BenchError(f"no experiment '{experiment}' in {shown(uri)} (it has: {names}); {HINT}")
    return _of_runs(stored.runs(client, found.experiment_id), client, uri, experiment, found.experiment_id)


def _of_runs(runs: list[Run], client: MlflowClient, uri: str, experiment: str, experiment_id: str) -> Results:
    if not runs:
        raise BenchError(f"no runs in experiment '{experiment}' of {shown(uri)}; {HINT}")
    trials = latest(stored.rows(runs))
    kept = set(trials["run_id"])
    points = stored.Logged(client, experiment_id, [run for run in runs if run.info.run_id in kept])
    archives = dict.fromkeys(kept, Archive(client, uri, runs))
    examination = stored.examination(client, experiment_id)
    return Results(trials, points, experiment, shown(uri), archives, examination)


def _merged(parts: list[Results]) -> Results:
    """Several sources as one; a run that two of them hold (a store and its export) keeps the curves of one."""
    trials = pd.concat([part.trials.assign(part=i) for i, part in enumerate(parts)], ignore_index=True)
    trials = latest(trials)
    points = [(part.points, frozenset(trials.loc[trials["part"] == i, "run_id"])) for i, part in enumerate(parts)]
    archives: dict[str, Archive | Album] = {}
    for part in parts:  # a store has more of a run than an album
        archives |= {
            run_id: archive
            for run_id, archive in part.archives.items()
            if run_id not in archives or isinstance(archives[run_id], Album)
        }
    return Results(
        typed(trials.drop(columns="part")),
        Parts(points),
        ", ".join(dict.fromkeys(part.experiment for part in parts)),
        ", ".join(dict.fromkeys(part.store for part in parts)),
        archives,
        next((part.examination for part in parts if part.examination is not None), None),
    )

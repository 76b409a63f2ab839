"""One experiment of an MLflow store, read: runs as rows, logged points as curves, and the runs' files."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
from mlflow.entities import Metric, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bench import database, track
from bench.columns import NAMES, POSITION, TRIALS, typed
from bench.errors import BenchError, one_line
from bench.examination import Examination
from bench.files import is_there
from bench.points import positioned
from bench.protocol import Protocol, metric_name
from bench.track import KIND, PARENT, PREFIX, local_path, open_client, search, sqlite_path

TAGS = [column.name for column in TRIALS if column.kind == "text" and column.name not in ("run_id", "parent_id")]
"""Columns of text; those that the protocol gives are filled in by it."""
SERVER = "mlartifacts"
"""Where an MLflow server puts files, beside its database; its addresses do not say so."""
AT_ONCE = 8
"""Calls of a server; MLflow keeps ten connections."""
COUNTS = ("steps", "params_g", "params_d")

log = logging.getLogger(__name__)


class Archive:
    """The files of a store's runs, found also where a sqlite store was moved or copied together with them.

    MLflow notes absolute paths. When such a path is not there, the same run's folder is looked for beside the database.
    """

    def __init__(self, client: MlflowClient, uri: str, runs: Iterable[Run]) -> None:
        self.client = client
        self._noted = {run.info.run_id: run.info.artifact_uri for run in runs}
        database = sqlite_path(uri)
        self._beside = None if database is None else database.parent

    def fetch(self, run_id: str, path: str, folder: str) -> Path | None:
        """A run's file on this machine's disk, downloaded to `folder` if need be; None when it has no such file."""
        here = self._folder(run_id)
        try:
            found = here / path if here else Path(self.client.download_artifacts(run_id, path, folder))
            return found if found.is_file() else None
        except (MlflowException, OSError):
            return None

    def read(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, or None when it has none of that name."""
        with tempfile.TemporaryDirectory() as folder:
            found = self.fetch(run_id, path, folder)
            return found.read_bytes() if found else None

    def list(self, run_id: str, folder: str) -> list[str]:
        """The paths of the files in a run's folder, sorted; none where it has no such folder."""
        here = self._folder(run_id)
        try:
            if here:
                return sorted(str(file.relative_to(here)) for file in (here / folder).glob("*") if file.is_file())
            return sorted(file.path for file in self.client.list_artifacts(run_id, folder) if not file.is_dir)
        except (MlflowException, OSError):
            return []

    def _folder(self, run_id: str) -> Path | None:
        """The folder of a run's files where the store keeps it on this machine, or None."""
        uri = self._noted[run_id]
        noted = local_path(uri)
        if noted is not None and is_there(noted):
            return noted
        if self._beside is None:  # a server's own disk, perhaps
            return None
        parts = (noted or Path(unquote(urlsplit(uri).path))).parts
        tails = [Path(*parts[i:]) for i in range(1, len(parts) - 1)]
        folders = [root / tail for root in (self._beside, self._beside / SERVER) for tail in tails]
        return next((folder for folder in folders if folder.is_dir()), noted)


def _described(found: Iterable[Run]) -> list[Run]:
    """Those that have begun to be described."""
    return [run for run in found if f"{PREFIX}protocol" in run.data.tags]


def runs(client: MlflowClient, experiment_id: str) -> list[Run]:
    """The trials, references and skips of an experiment."""
    if database.is_database(client):
        found = [run for run in database.runs(client, experiment_id) if run.data.tags.get(KIND) != "run"]
    else:
        found = search(client, [experiment_id], f"tags.`{KIND}` != 'run'")
    return _described(found)


def examination(client: MlflowClient, experiment_id: str) -> Examination | None:
    """What `bench doctor` of this version found last, where the experiment has it."""
    found = search(client, [experiment_id], f"tags.`{KIND}` = 'doctor'")
    texts = [run.data.tags.get(f"{PREFIX}examination") for run in sorted(found, key=lambda run: run.info.start_time)]
    whole = [text for text in texts if text]
    try:
        return Examination.from_json(whole[-1]) if whole else None
    except ValueError:
        log.warning("what 'bench doctor' found last is of another version of bench; run it again to see it in reports")
        return None


def rows(found: Iterable[Run]) -> pd.DataFrame:
    """These runs as a frame, one row each."""
    try:
        frame = pd.DataFrame([_row(run) for run in found])
        return typed(frame.reindex(columns=[*NAMES, *(name for name in frame if name not in NAMES)]))
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise BenchError(
            f"a run in the store is none of this version of bench ({one_line(error, 100)}); delete it, "
            "or choose another --experiment"
        ) from error


@lru_cache(1_000)
def _protocol(text: str) -> tuple[Protocol, dict[str, Any]]:
    """A protocol with the columns that it gives; thousands of runs share one."""
    protocol = Protocol.from_json(text)
    return protocol, dataclasses.asdict(protocol) | {"protocol": protocol.id, "protocol_text": str(protocol)}


def _row(run: Run) -> dict[str, Any]:
    """One run as a row."""
    tags = {key.removeprefix(PREFIX): value for key, value in run.data.tags.items() if key.startswith(PREFIX)}
    params, metrics = run.data.params, run.data.metrics
    protocol, about = _protocol(tags["protocol"])
    config = dict(json.loads(tags.get("config", "{}")))
    row: dict[str, Any] = {key: tags.get(key, "") for key in TAGS}
    if tags["kind"] == "trial" and row["status"] == "running" and run.info.status != "RUNNING":
        row |= {"status": "interrupted", "reason": "the run ended without a result"}
    row |= about | {
        "run_id": run.info.run_id,
        "parent_id": run.data.tags.get(PARENT, ""),
        "year": int(tags["year"]) if "year" in tags else None,
        "seed": int(tags["seed"]) if "seed" in tags else None,
        "bn": config.get("bn"),
        "config": config,
        "versions": dict(json.loads(tags.get("versions", "{}"))),
        "deviations": list(map(str, json.loads(tags.get("deviations", "[]")))),
        "started": pd.Timestamp(run.info.start_time, unit="ms"),
        **{name: int(params[name]) if name in params else None for name in COUNTS},
        **metrics,
    }
    names = [metric_name(metric, protocol.samples, protocol.prefix) for metric in ("fid", "is")]
    fid, inception_score = (metrics.get(name, math.nan) for name in names)
    return row | {"fid": fid, "is_": inception_score}


class Logged:
    """The points of these runs of a store, asked for when they are wanted (see `bench.points.Points`).

    A database gives those of many runs in one query. A server is asked once per curve, which it keeps here, for its API
    has nothing else that is exact; several calls wait for it at once.
    """

    def __init__(self, client: MlflowClient, experiment_id: str, runs: Iterable[Run]) -> None:
        self.client = client
        self.experiment_id = experiment_id
        self._names = {run.info.run_id: list(run.data.metrics) for run in runs}
        self._kept: dict[tuple[str, str], list[Metric]] = {}

    def of(self, metrics: Collection[str] | None = None, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """By run and metric, in the order in which they were logged."""
        wanted = self._names.keys() if run_ids is None else set(run_ids)
        order = [run_id for run_id in self._names if run_id in wanted]
        if database.is_database(self.client):
            found = database.points(self.client, self.experiment_id, metrics, None if run_ids is None else order)
        else:
            found = self._from_server(order, metrics)
        return positioned(found, order)

    def _from_server(self, run_ids: Collection[str], metrics: Collection[str] | None) -> pd.DataFrame:
        wanted = [
            (run_id, name)
            for run_id in run_ids
            for name in self._names[run_id]
            if metrics is None or name in metrics or name in POSITION
        ]
        new = [key for key in wanted if key not in self._kept]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda key: self.client.get_metric_history(*key), new)
            self._kept.update(zip(new, found, strict=True))
        points = [(key[0], point.step, key[1], point.value) for key in wanted for point in self._kept[key]]
        return pd.DataFrame(points, columns=["run_id", "step", "metric", "value"])

    def metrics(self, run_ids: Collection[str]) -> Counter[str]:
        """From what the runs say of their last values."""
        names = (name for run_id in run_ids for name in self._names.get(run_id, ()))
        return Counter(name for name in names if name not in POSITION)


def find_run(run_id: str) -> tuple[Archive, Run]:
    """The trial whose run id starts with `run_id`, and where its files are.

    BenchError when there is none or more than one.
    """
    uri = track.tracking_uri()
    track.check_there(uri, f"no trial with a run id that starts with '{run_id}'")
    client = open_client(uri)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    found = _described(search(client, ids, f"tags.`{KIND}` = 'trial'"))
    matches = [run for run in found if run.info.run_id.startswith(run_id)]
    if len(matches) != 1:
        problem = "no trial" if not matches else f"{len(matches)} trials"
        some = (
            ", ".join(f"{run.info.run_id[:8]} ({run.info.run_name})" for run in (matches or found)[:5]) or "none at all"
        )
        raise BenchError(f"{problem} with a run id that starts with '{run_id}'; there are: {some}")
    return Archive(client, uri, matches), matches[0]

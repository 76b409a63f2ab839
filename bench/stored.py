"""One experiment of an MLflow store, read: runs as rows, logged points as curves, and the runs' files."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bench import track
from bench.columns import CURVES, DTYPES, NAMES, POSITION, TRIALS, typed
from bench.errors import BenchError
from bench.examination import Examination
from bench.protocol import Protocol, metric_name
from bench.track import PREFIX, local_path, open_client, search

TAGS = [column.name for column in TRIALS if column.kind == "text" and column.name not in ("run_id", "parent_id")]
"""Columns of text; those that the protocol gives are filled in by it."""
SERVER = "mlartifacts"
"""Where an MLflow server puts files, beside its database; its addresses do not say so."""
TOGETHER = 500
"""Runs in one query; databases limit the parameters of one."""
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
        parts = urlsplit(uri)
        self._beside = Path(parts.path[1:]).parent if parts.scheme == "sqlite" else None

    def fetch(self, run_id: str, path: str, folder: str) -> Path | None:
        """A run's file on this machine's disk, downloaded to `folder` if need be; None when it has no such file."""
        here = self._folder(run_id)
        try:
            found = here / path if here else Path(self.client.download_artifacts(run_id, path, folder))
        except (MlflowException, OSError):
            return None
        return found if found.is_file() else None

    def read(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, or None when it has none of that name."""
        with tempfile.TemporaryDirectory() as folder:
            found = self.fetch(run_id, path, folder)
            return found.read_bytes() if found else None

    def list(self, run_id: str, folder: str) -> list[str]:
        """The paths of the files in a run's folder, sorted; none where it has no such folder."""
        here = self._folder(run_id)
        if here:
            return sorted(str(file.relative_to(here)) for file in (here / folder).glob("*") if file.is_file())
        try:
            return sorted(file.path for file in self.client.list_artifacts(run_id, folder) if not file.is_dir)
        except (MlflowException, OSError):
            return []

    def _folder(self, run_id: str) -> Path | None:
        """The folder of a run's files where the store keeps it on this machine, or None."""
        uri = self._noted[run_id]
        noted = local_path(uri)
        if noted is not None and noted.exists():
            return noted
        if self._beside is None:  # a server's own disk, perhaps
            return None
        parts = Path(unquote(urlsplit(uri).path)).parts
        tails = [Path(*parts[i:]) for i in range(1, len(parts) - 1)]
        folders = [root / tail for root in (self._beside, self._beside / SERVER) for tail in tails]
        return next((folder for folder in folders if folder.is_dir()), noted)


def _described(client: MlflowClient, experiment_ids: list[str], query: str) -> list[Run]:
    """Every run that fits and has begun to be described."""
    return [run for run in search(client, experiment_ids, query) if f"{PREFIX}protocol" in run.data.tags]


def runs(client: MlflowClient, experiment_id: str, parent: str | None = None) -> list[Run]:
    """The trials, references and skips of an experiment, or of one parent run of it."""
    query = f"tags.`{PREFIX}kind` != 'run'" + (f" AND tags.`mlflow.parentRunId` = '{parent}'" if parent else "")
    return _described(client, [experiment_id], query)


def named(client: MlflowClient, experiment_id: str, run_ids: Iterable[str]) -> list[Run]:
    """The runs of these ids, many in one call."""
    ids = [f"'{run_id}'" for run_id in sorted(run_ids)]
    found: list[Run] = []
    for start in range(0, len(ids), TOGETHER):
        some = ", ".join(ids[start : start + TOGETHER])
        found += search(client, [experiment_id], f"attributes.run_id IN ({some})")
    return found


def examination(client: MlflowClient, experiment_id: str) -> Examination | None:
    """What `bench doctor` of this version found last, where the experiment has it."""
    found = search(client, [experiment_id], f"tags.`{PREFIX}kind` = 'doctor'")
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
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BenchError(
            f"a run in the store is none of this version of bench ({' '.join(str(error).split())[:100]}); delete it, "
            "or choose another --experiment"
        ) from error
    return typed(frame.reindex(columns=[*NAMES, *(name for name in frame if name not in NAMES)]))


def _row(run: Run) -> dict[str, Any]:
    """One run as a row."""
    tags = {key.removeprefix(PREFIX): value for key, value in run.data.tags.items() if key.startswith(PREFIX)}
    params, metrics = run.data.params, run.data.metrics
    protocol = Protocol.from_json(tags["protocol"])
    config = dict(json.loads(tags.get("config", "{}")))
    row: dict[str, Any] = {key: tags.get(key, "") for key in TAGS}
    if tags["kind"] == "trial" and row["status"] == "running" and run.info.status != "RUNNING":
        row |= {"status": "interrupted", "reason": "the run ended without a result"}
    row |= dataclasses.asdict(protocol)
    row |= {
        "run_id": run.info.run_id,
        "parent_id": run.data.tags.get("mlflow.parentRunId", ""),
        "year": int(tags["year"]) if "year" in tags else None,
        "seed": int(tags["seed"]) if "seed" in tags else None,
        "bn": config.get("bn"),
        "config": config,
        "protocol": protocol.id,
        "protocol_text": str(protocol),
        "versions": dict(json.loads(tags.get("versions", "{}"))),
        "deviations": list(map(str, json.loads(tags.get("deviations", "[]")))),
        "started": pd.Timestamp(run.info.start_time, unit="ms"),
        **{name: int(params[name]) if name in params else None for name in COUNTS},
        **metrics,
    }
    names = [metric_name(metric, protocol.samples, protocol.prefix) for metric in ("fid", "is")]
    fid, inception_score = (metrics.get(name, math.nan) for name in names)
    return row | {"fid": fid, "is_": inception_score}


def curves(client: MlflowClient, runs: list[Run]) -> pd.DataFrame:
    """Every logged point of these runs, with the position it was logged at; by run, in the order given, and metric."""
    database = urlsplit(client.tracking_uri).scheme not in ("http", "https", "file", "")
    points = _from_database(client, runs) if database else _from_server(client, runs)
    frame = pd.DataFrame(points, columns=["run_id", "step", "metric", "value"]).astype({"step": DTYPES["whole"]})
    position = frame[frame["metric"].isin(POSITION)].drop_duplicates(["run_id", "step", "metric"], keep="last")
    wide = position.set_index(["run_id", "step", "metric"])["value"].unstack().reindex(columns=list(POSITION))
    frame = frame[~frame["metric"].isin(POSITION)]
    order = pd.Series(range(len(runs)), index=[run.info.run_id for run in runs])
    frame = frame.assign(order=frame["run_id"].map(order)).sort_values(["order", "metric"], kind="stable")
    return typed(frame.drop(columns="order").merge(wide.reset_index(), on=["run_id", "step"], how="left"), CURVES)


def _from_server(client: MlflowClient, runs: list[Run]) -> list[tuple[str, int, str, float]]:
    """Every point, one call a curve, for a server's API has nothing else that is exact; several wait for it at once."""
    names = [(run.info.run_id, key) for run in runs for key in run.data.metrics]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        histories = pool.map(lambda name: client.get_metric_history(*name), names)
        return [
            (run_id, point.step, key, point.value)
            for (run_id, key), points in zip(names, histories, strict=True)
            for point in points
        ]


def _from_database(client: MlflowClient, runs: list[Run]) -> list[tuple[str, int, str, float]]:
    """The same from a database, in one query for many runs, past SQLAlchemy's rows: there may be millions."""
    from mlflow.store.tracking.dbmodels.models import SqlMetric as Point
    from sqlalchemy import case, null, select

    store = client._tracking_client.store
    columns = (Point.run_uuid, Point.step, Point.key, case((Point.is_nan, null()), else_=Point.value))
    points: list[tuple[str, int, str, float]] = []
    with store.ManagedSessionMaker() as session:
        connection = session.connection()
        for start in range(0, len(runs), TOGETHER):
            ids = [run.info.run_id for run in runs[start : start + TOGETHER]]
            query = select(*columns).where(Point.run_uuid.in_(ids)).order_by(Point.timestamp, Point.step)
            text = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(str(text))
                points += cursor.fetchall()
    return points


def find_run(run_id: str) -> tuple[Archive, Run]:
    """The trial whose run id starts with `run_id`, and where its files are.

    BenchError when there is none or more than one.
    """
    uri = track.tracking_uri()
    track.check_there(uri, f"no trial with a run id that starts with '{run_id}'")
    client = open_client(uri)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    found = _described(client, ids, f"tags.`{PREFIX}kind` = 'trial'")
    matches = [run for run in found if run.info.run_id.startswith(run_id)]
    if len(matches) != 1:
        problem = "no trial" if not matches else f"{len(matches)} trials"
        some = (
            ", ".join(f"{run.info.run_id[:8]} ({run.info.run_name})" for run in (matches or found)[:5]) or "none at all"
        )
        raise BenchError(f"{problem} with a run id that starts with '{run_id}'; there are: {some}")
    return Archive(client, uri, matches), matches[0]

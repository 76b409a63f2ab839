"""Results: the store read back as frames. The only door through which reports see what was measured.

`load()` gives one row a trial, reference row or skipped cell (`trials`) and every logged point (`curves`). Repeats of a
trial (same fingerprint) count once: the last one that finished, else the last one.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bench import track
from bench.errors import BenchError
from bench.protocol import Protocol, metric_name
from bench.track import EXPERIMENT, PREFIX, open_client, search

POSITION = ("g_updates", "d_updates", "images", "seconds")
TEXT = (
    "name", "algorithm", "family", "no_gan", "paper", "track", "cell", "status", "reason", "diagnosis", "preset",
    "device", "command", "commit",
)  # fmt: skip
COLUMNS = (
    "run_id", "parent_id", "kind", *TEXT, "year", "seed", "bn", "config", "protocol", "protocol_text", "samples",
    "budget", "dataset", "data_fingerprint", "extractor", "weights", "prefix", "steps", *POSITION, "eval_seconds",
    "log_seconds", "params_g", "params_d", "versions", "started", "fingerprint", "deviations", "fid", "is_",
)  # fmt: skip


@dataclass
class Results:
    """Frames of one experiment, and its artifacts on demand. Columns are those of `COLUMNS` plus one a metric."""

    trials: pd.DataFrame
    curves: pd.DataFrame
    """run_id, step, metric, value, and the position of that step: g_updates, d_updates, images, seconds."""
    experiment: str
    store: str
    client: MlflowClient

    def artifact(self, run_id: str, path: str) -> bytes | None:
        """The content of a run's file, or None when it has none of that name."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                return Path(self.client.download_artifacts(run_id, path, folder)).read_bytes()
            except (MlflowException, OSError):
                return None

    def artifacts(self, run_id: str, folder: str) -> list[str]:
        """The paths of the files in a run's folder, sorted; none where it has no such folder."""
        try:
            return sorted(file.path for file in self.client.list_artifacts(run_id, folder) if not file.is_dir)
        except (MlflowException, OSError):
            return []


def _row(run: Run) -> dict[str, Any]:
    """One run as a row."""
    tags = {key.removeprefix(PREFIX): value for key, value in run.data.tags.items() if key.startswith(PREFIX)}
    params, metrics = run.data.params, run.data.metrics
    protocol = Protocol.from_json(tags["protocol"])
    config = json.loads(tags.get("config", "{}"))
    row: dict[str, Any] = {key: tags.get(key, "") for key in TEXT}
    if tags["kind"] == "trial" and row["status"] == "running" and run.info.status != "RUNNING":
        row |= {"status": "interrupted", "reason": "the run ended without a result"}
    row |= {
        "run_id": run.info.run_id,
        "parent_id": run.data.tags.get("mlflow.parentRunId", ""),
        "kind": tags["kind"],
        "year": int(tags["year"]) if "year" in tags else None,
        "seed": int(tags["seed"]) if "seed" in tags else None,
        "bn": config.get("bn"),
        "config": config,
        "protocol": protocol.id,
        "protocol_text": str(protocol),
        "samples": protocol.samples,
        "budget": protocol.budget,
        "dataset": protocol.dataset,
        "data_fingerprint": protocol.data_fingerprint,
        "extractor": protocol.extractor,
        "weights": protocol.weights,
        "prefix": protocol.prefix,
        "versions": json.loads(tags.get("versions", "{}")),
        "deviations": json.loads(tags.get("deviations", "[]")),
        "fingerprint": tags.get("fingerprint", run.info.run_id),
        "started": pd.Timestamp(run.info.start_time, unit="ms"),
        "steps": int(params["steps"]) if "steps" in params else None,
        "params_g": int(params["params_g"]) if "params_g" in params else None,
        "params_d": int(params["params_d"]) if "params_d" in params else None,
    }
    row |= metrics
    names = [metric_name(metric, protocol.samples, protocol.prefix) for metric in ("fid", "is")]
    fid, inception_score = (metrics.get(name, math.nan) for name in names)
    return row | {"fid": fid, "is_": inception_score}


def _latest(trials: pd.DataFrame) -> pd.DataFrame:
    """Repeats dropped: of each trial, reference row or skipped cell the last finished one stays, else the last."""
    key = trials["fingerprint"].where(trials["kind"] == "trial", trials["name"] + trials["protocol"] + trials["track"])
    finished = (trials["status"] == "finished").rename("finished")
    order = pd.concat([key.rename("key"), finished, trials["started"]], axis=1).sort_values(["finished", "started"])
    return trials.loc[order.drop_duplicates("key", keep="last").index].sort_values("started", ignore_index=True)


def _curves(client: MlflowClient, runs: Iterable[Run]) -> pd.DataFrame:
    """Every logged point of these runs, with the position it was logged at."""
    points = [
        (run.info.run_id, point.step, key, point.value)
        for run in runs
        for key in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, key)
    ]
    frame = pd.DataFrame(points, columns=["run_id", "step", "metric", "value"])
    position = frame[frame["metric"].isin(POSITION)]
    wide = position.pivot_table(index=["run_id", "step"], columns="metric", values="value", aggfunc="last")
    wide = wide.reindex(columns=list(POSITION)).reset_index()
    return frame[~frame["metric"].isin(POSITION)].merge(wide, on=["run_id", "step"], how="left")


def load(
    tracking_uri: str | None = None,
    experiment: str | None = None,
    parent: str | None = None,
    also: Collection[str] = (),
) -> Results:
    """Reads an experiment (default: BENCH_EXPERIMENT, else 'bench'), or one parent run of it and the runs in `also`.

    The store is `tracking_uri`, else MLFLOW_TRACKING_URI, else MLflow's default in the working directory. Raises
    BenchError when the store cannot be opened or holds no such experiment or nothing in it.
    """
    uri = track.tracking_uri(tracking_uri)
    experiment = experiment or os.environ.get("BENCH_EXPERIMENT") or EXPERIMENT
    client = open_client(uri)
    found = client.get_experiment_by_name(experiment)
    hint = "run one with: bench run --algos dcgan --bn on/off"
    if found is None:
        names = ", ".join(e.name for e in client.search_experiments()) or "none"
        raise BenchError(f"no experiment '{experiment}' in {uri} (it has: {names}); {hint}")
    query = f"tags.`{PREFIX}kind` != 'run'" + (f" AND tags.`mlflow.parentRunId` = '{parent}'" if parent else "")
    runs = search(client, [found.experiment_id], query)
    runs += [client.get_run(run_id) for run_id in set(also) - {run.info.run_id for run in runs}]
    if not runs:
        raise BenchError(f"no runs in experiment '{experiment}' of {uri}; {hint}")
    frame = pd.DataFrame([_row(run) for run in runs])
    trials = _latest(frame.reindex(columns=[*COLUMNS, *(c for c in frame.columns if c not in COLUMNS)]))
    trials = trials.astype({"seed": "Int64", "year": "Int64", "bn": "boolean"})
    kept = set(trials["run_id"])
    curves = _curves(client, [run for run in runs if run.info.run_id in kept])
    return Results(trials, curves, experiment, uri, client)


def find_run(run_id: str, tracking_uri: str | None = None) -> tuple[MlflowClient, Run]:
    """The trial whose run id starts with `run_id`; BenchError when there is none or more than one."""
    client = open_client(track.tracking_uri(tracking_uri))
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = search(client, ids, f"tags.`{PREFIX}kind` = 'trial'")
    matches = [run for run in runs if run.info.run_id.startswith(run_id)]
    if len(matches) != 1:
        problem = "no trial" if not matches else f"{len(matches)} trials"
        some = (
            ", ".join(f"{run.info.run_id[:8]} ({run.info.run_name})" for run in (matches or runs)[:5]) or "none at all"
        )
        raise BenchError(f"{problem} with a run id that starts with '{run_id}'; there are: {some}")
    return client, matches[0]

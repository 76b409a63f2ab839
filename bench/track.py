"""The store: MLflow, written in batches. Takes values and pictures, gives runs; knows nothing of training.

Layout: one experiment; a parent run per `bench run`; a child run per trial, per reference row and per skipped cell,
told apart by the tag `bench.kind`. Everything a report needs is in tags, params, metrics and artifacts of these runs.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

# Before mlflow is imported: a tool that works offline must not phone home, nor draw bars over ours.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bench.errors import BenchError

EXPERIMENT = "bench"
PREFIX = "bench."
_BATCH = 800
"""MLflow takes up to 1,000 metrics in one call."""


def _quiet() -> None:
    # Its migration of a fresh sqlite file logs two lines that mean nothing to the user.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def tracking_uri(given: str | None = None) -> str:
    """The store in use: `given`, else MLFLOW_TRACKING_URI, else MLflow's default in the working directory."""
    return given or os.environ.get("MLFLOW_TRACKING_URI") or str(mlflow.get_tracking_uri())


def open_client(uri: str) -> MlflowClient:
    """A client whose store answers; BenchError in one line otherwise."""
    _quiet()
    parts = urlsplit(uri)
    try:
        if parts.scheme in ("http", "https"):
            # MLflow itself would retry a dead server for minutes.
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
            socket.create_connection((parts.hostname or "", port), timeout=5).close()
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
        cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise BenchError(
            f"cannot open the MLflow store '{uri}': {cause}; set MLFLOW_TRACKING_URI to a store that works, "
            "or unset it to use the working directory"
        ) from error
    return client


def local_path(uri: str) -> Path | None:
    """The folder that an artifact URI names; None when it is not on a disk."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path) if parts.scheme else uri) if parts.scheme in ("", "file") else None


class RunWriter:
    """One MLflow run being written; metrics wait until `flush` or until a batch is full."""

    def __init__(self, client: MlflowClient, run_id: str) -> None:
        self._client = client
        self._metrics: list[Metric] = []
        self.run_id = run_id
        self.seconds = 0.0
        """Wall time spent in the store."""

    def tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags, each name prefixed by 'bench.'."""
        self._client.log_batch(self.run_id, tags=[RunTag(PREFIX + key, value) for key, value in tags.items()])

    def params(self, params: Mapping[str, object]) -> None:
        """Sets params."""
        self._client.log_batch(self.run_id, params=[Param(key, str(value)) for key, value in params.items()])

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Adds one point to each curve."""
        now = int(time.time() * 1000)
        self._metrics += [Metric(key, value, now, step) for key, value in values.items()]
        if len(self._metrics) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Sends what waits."""
        started = time.perf_counter()
        while self._metrics:
            self._client.log_batch(self.run_id, metrics=self._metrics[:_BATCH])
            del self._metrics[:_BATCH]
        self.seconds += time.perf_counter() - started

    def image(self, picture: NDArray[np.uint8], key: str, step: int) -> None:
        """Adds a picture to the run's image series `key`."""
        started = time.perf_counter()
        self._client.log_image(self.run_id, picture, key=key, step=step)
        self.seconds += time.perf_counter() - started

    def artifact(self, name: str, content: bytes) -> None:
        """Stores a file; `name` may hold one folder, 'latent/sweep.png'."""
        started = time.perf_counter()
        parent, _, base = name.rpartition("/")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / base
            path.write_bytes(content)
            self._client.log_artifact(self.run_id, str(path), parent or None)
        self.seconds += time.perf_counter() - started

    def close(self, status: str) -> None:
        """Sends what waits and ends the run with an MLflow status: FINISHED, FAILED or KILLED."""
        self.flush()
        self._client.set_terminated(self.run_id, status)


class Store:
    """One experiment of an MLflow store, opened for writing. Raises BenchError when it cannot be opened."""

    def __init__(self, experiment: str = EXPERIMENT, uri: str | None = None) -> None:
        self.uri = tracking_uri(uri)
        self.experiment = experiment
        self.client = open_client(self.uri)
        self.experiment_id = self._open_experiment()

    def _open_experiment(self) -> str:
        try:
            found = self.client.get_experiment_by_name(self.experiment)
            if found is None:
                # Else the UI guesses, takes image series for an evaluation of language models, and hides the charts.
                kind = {"mlflow.experimentKind": "custom_model_development"}
                return str(self.client.create_experiment(self.experiment, tags=kind))
        except MlflowException as error:
            raise BenchError(f"cannot create the experiment '{self.experiment}': {error.message}") from error
        if found.lifecycle_stage != "active":
            raise BenchError(
                f"the experiment '{self.experiment}' was deleted in {self.uri}; "
                "restore it there or choose another --experiment"
            )
        folder = local_path(found.artifact_location)
        if folder is not None and not folder.parent.parent.exists():
            raise BenchError(
                f"the store {self.uri} was moved here, but MLflow would put new files of the experiment "
                f"'{self.experiment}' where it came from ({folder}); choose another --experiment, and read both with "
                "'bench report --from'"
            )
        return str(found.experiment_id)

    def start(self, name: str, kind: str, parent: RunWriter | None = None, started: int | None = None) -> RunWriter:
        """A new run: `kind` is 'run' for the parent, else 'trial', 'reference' or 'skip'.

        `started` is in milliseconds since 1970, by default now.
        """
        tags = {PREFIX + "kind": kind}
        if parent is not None:
            tags["mlflow.parentRunId"] = parent.run_id
        run = self.client.create_run(self.experiment_id, start_time=started, run_name=name, tags=tags)
        return RunWriter(self.client, run.info.run_id)

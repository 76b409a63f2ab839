"""The store: MLflow, written in batches. Takes values, pictures and files; knows nothing of training.

What a run records goes through `bench.spool` first, which keeps it on disk until it is here. So each call may come
again after a kill in its midst, and must not double what it did.

Layout: one experiment; a parent run per `bench run`; a child run per trial, per reference row and per skipped cell,
told apart by the tag `bench.kind`. Everything a report needs is in tags, params, metrics and artifacts of these runs.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock
from PIL import Image

# Before mlflow is imported: a tool that works offline must not phone home, nor draw bars over ours.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# A server that is gone holds up the training as long as this; what it was to get is kept and sent later.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow
from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from bench.defaults import EXPERIMENT
from bench.errors import BenchError, first_line
from bench.files import is_there

HINT = "run one with: bench run --algos dcgan --bn on/off"
PREFIX = "bench."
KIND = f"{PREFIX}kind"
PARENT = "mlflow.parentRunId"
"""MLflow's tag of a run inside another."""
JOURNAL = f"{PREFIX}journal"
"""The tag that tells which journal of `bench.spool` a run is written from."""
LONGEST_NAME = 250
"""Of a run: PostgreSQL refuses a longer one."""


def _quiet() -> None:
    # Its migration of a fresh sqlite file logs two lines that mean nothing to the user.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # A traceback of what is raised, and said by us in one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def tracking_uri(given: str | None = None) -> str:
    """The store in use: `given`, else what MLflow was told, by MLFLOW_TRACKING_URI say, else its own default here."""
    return given or str(mlflow.get_tracking_uri())


def cause(error: BaseException) -> str:
    """What went wrong in the store, in the first line of its own words."""
    return first_line(getattr(error, "orig", None) or error)


def shown(uri: str) -> str:
    """The URI for people's eyes: without a user's name and password."""
    return re.sub(r"//[^/@\s]*@", "//", uri)


def sqlite_path(uri: str) -> Path | None:
    """The file of a sqlite store; None for others."""
    return Path(uri.partition("?")[0].removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def check_there(uri: str, missing: str) -> None:
    """BenchError that begins with `missing` where a sqlite store has no file: who only reads must not make it."""
    path = sqlite_path(uri)
    if path is not None and is_there(path.parent) and path.parent.is_dir() and not is_there(path):
        raise BenchError(f"{missing}: there is no {path} yet; {HINT}")


def _make_sqlite(uri: str) -> None:
    """Makes a store in a sqlite file that is not there yet: by one process, and whole or not at all.

    MLflow's own making of the tables bears neither a second process nor a kill in its midst, after which the file would
    never open again.
    """
    path = sqlite_path(uri)
    if path is None or path.exists() or not os.access(path.parent, os.W_OK):
        return
    partial = path.with_name(path.name + ".partial")
    lock = FileLock(path.with_name(path.name + ".lock"))
    with lock:
        if not path.exists():
            partial.unlink(missing_ok=True)
            MlflowClient(f"sqlite:///{partial}").search_experiments(max_results=1)
            partial.rename(path)
        # Whoever waits for the lock finds the store made.
        Path(lock.lock_file).unlink(missing_ok=True)


def open_client(uri: str) -> MlflowClient:
    """A client whose store answers; BenchError in one line otherwise."""
    _quiet()
    try:
        parts = urlsplit(uri)
        if parts.scheme in ("http", "https"):
            # MLflow itself would retry a dead server for longer.
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
            socket.create_connection((parts.hostname or "", port), timeout=5).close()
        _make_sqlite(uri)
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
        raise BenchError(
            f"cannot open the MLflow store '{shown(uri)}': {cause(error)}; set MLFLOW_TRACKING_URI to a store that "
            "works, or unset it to use the working directory"
        ) from error
    return client


def has_experiment(name: str) -> bool:
    """Whether the store is there and has this experiment; makes neither. BenchError when it cannot be opened."""
    uri = tracking_uri()
    path = sqlite_path(uri)
    if path is not None and not path.exists():
        return False
    return open_client(uri).get_experiment_by_name(name) is not None


def search(client: MlflowClient, experiment_ids: list[str], query: str) -> list[Run]:
    """Every active run that fits, page by page."""
    runs: list[Run] = []
    token = None
    while True:
        page = client.search_runs(experiment_ids, query, ViewType.ACTIVE_ONLY, page_token=token)
        runs += page
        token = page.token
        if not token:
            return runs


def local_path(uri: str) -> Path | None:
    """The folder that an artifact URI names; None when it is not on a disk."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path) if parts.scheme else uri) if parts.scheme in ("", "file") else None


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
                try:
                    return str(self.client.create_experiment(self.experiment, tags=kind))
                except MlflowException:  # another process may have been a moment faster
                    found = self.client.get_experiment_by_name(self.experiment)
                    if found is None:
                        raise
        except MlflowException as error:
            raise BenchError(f"cannot create the experiment '{self.experiment}': {error.message}") from error
        if found.lifecycle_stage != "active":
            raise BenchError(
                f"the experiment '{self.experiment}' was deleted in {shown(self.uri)}; "
                "restore it there or choose another --experiment"
            )
        folder = local_path(found.artifact_location)
        if folder is not None and self._came_from(folder, str(found.experiment_id)):
            raise BenchError(
                f"the store {shown(self.uri)} was moved or copied here, but MLflow would put new files of the "
                f"experiment '{self.experiment}' where it came from ({folder}); choose another --experiment, and read "
                "both with 'bench report --from'"
            )
        return str(found.experiment_id)

    def _came_from(self, folder: Path, experiment_id: str) -> bool:
        """Whether `folder`, where MLflow puts the experiment's files, is of another place than the store's."""
        database = sqlite_path(self.uri)
        beside = None if database is None else database.parent / "mlruns" / experiment_id
        if beside is None or not is_there(beside):
            return not is_there(folder.parent.parent)
        return not (is_there(folder) and folder.samefile(beside))

    def find(self, journal: str) -> Run | None:
        """The run that is written from this journal, where there is one."""
        runs = search(self.client, [self.experiment_id], f"tags.`{JOURNAL}` = '{journal}'")
        return runs[0] if runs else None

    def create(self, name: str, kind: str, journal: str, parent: str | None, started: float) -> str:
        """The id of the run of this journal, a new one where there is none yet.

        `parent` is the parent's journal; `started` is in seconds since 1970.
        """
        found = self.find(journal)
        if found is not None:
            return str(found.info.run_id)
        above = None if parent is None else self.find(parent)
        parent_id = None if above is None else above.info.run_id
        return self.add(name, kind, parent_id, {JOURNAL: journal}, round(started * 1000))

    def add(
        self,
        name: str,
        kind: str,
        parent: str | None = None,
        tags: Mapping[str, str] | None = None,
        started: int | None = None,
    ) -> str:
        """The id of a new run: `kind` is 'run' for a parent, 'trial', 'reference' or 'skip' below it, or another.

        A long name is cut; `parent` is an id; `started` is in milliseconds since 1970, by default now.
        """
        tags = {KIND: kind} | dict(tags or {})
        if parent is not None:
            tags[PARENT] = parent
        run = self.client.create_run(self.experiment_id, start_time=started, run_name=name[:LONGEST_NAME], tags=tags)
        return str(run.info.run_id)

    def runs(self, kind: str, **tags: str) -> list[Run]:
        """The runs of a kind that have these tags."""
        wanted = {"kind": kind} | tags
        query = " AND ".join(f"tags.`{PREFIX}{key}` = '{value}'" for key, value in wanted.items())
        return search(self.client, [self.experiment_id], query)

    def write(self, run_id: str, *, tags: Mapping[str, str], params: Mapping[str, str]) -> None:
        """Sets tags, each name prefixed by 'bench.', and params."""
        self.client.log_batch(
            run_id,
            tags=[RunTag(PREFIX + key, value) for key, value in tags.items()],
            params=[Param(key, value) for key, value in params.items()],
        )

    def add_points(self, run_id: str, points: Iterable[tuple[str, float, int, int]]) -> None:
        """Adds points (metric, value, time in ms, step), at most 1,000; the store keeps equal ones once."""
        self.client.log_batch(run_id, metrics=[Metric(*point) for point in points])

    def add_image(self, run_id: str, path: Path, key: str, step: int, time_ms: int) -> None:
        """Adds a picture to the run's image series `key`.

        As MLflow's `log_image` does it, a picture and a smaller one under names that its UI reads, but under the same
        names when it comes again.
        """
        name = f"{key}+step+{step}+timestamp+{time_ms}+{uuid.uuid5(uuid.UUID(run_id), f'{key} {step}')}"
        with tempfile.TemporaryDirectory() as folder, Image.open(path) as picture:
            files = [Path(folder) / f"{name}.png", Path(folder) / f"{name}+compressed.webp"]
            picture.save(files[0])
            picture.thumbnail((256, 256))
            picture.save(files[1])
            for file in files:
                self.client.log_artifact(run_id, str(file), "images")
        self.client.set_tag(run_id, "mlflow.loggedImages", "true")

    def add_file(self, run_id: str, path: Path, folder: str | None) -> None:
        """Stores a file under its own name in a folder of the run's artifacts."""
        self.client.log_artifact(run_id, str(path), folder)

    def set_status(self, run_id: str, status: str) -> None:
        """RUNNING, or ended: FINISHED, FAILED or KILLED."""
        if status == "RUNNING":
            self.client.update_run(run_id, status)
        else:
            self.client.set_terminated(run_id, status)

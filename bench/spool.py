"""The spool: every result is on disk before it goes to the store, and stays until it has arrived.

Owns the folder `bench-work` of the working directory. In it each run that is being written has `<id>/`, removed when
the run has ended and all of it is in the store, and `<id>.lock`, held by the process that writes:

    journal.jsonl      what is to be recorded, one entry a line, in order; files of entries lie beside it
    delivered.json     how many entries the store has
    checkpoint-*.pt    of trials only, `bench.train.checkpoint`'s

A trial's folder follows from its fingerprint and its store, so that the next `bench run` finds it again. What nobody
writes any more is delivered by `bench.sync`. Knows the store through `bench.track.Store`, and nothing of training.
"""

from __future__ import annotations

import functools
import hashlib
import math
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.journal import Journal, NoRoom, TooEarly, begun, deliver, run_folder
from bench.locks import try_lock, unlock
from bench.pictures import png_bytes
from bench.track import Store, cause, shown

WORK = Path("bench-work")
PATIENCE = 60.0
"""Seconds after a failed delivery in which no other is tried."""


class RunWriter:
    """One run being recorded; nothing is sent before `flush`. Holds the run's lock until it is ended."""

    def __init__(self, journal: Journal, spool: Spool, lock: FileLock, *, goes_on: bool = False) -> None:
        self.journal, self._spool, self._lock, self._goes_on = journal, spool, lock, goes_on
        self._remember()
        self.seconds = 0.0
        """Wall time spent in the store."""

    def release(self) -> None:
        """Leaves the run as it is, to whoever goes on with it."""
        self._lock.release()

    @property
    def folder(self) -> Path:
        """Where the trial's checkpoints may lie."""
        return self.journal.folder

    @property
    def id(self) -> str:
        """The run's own id, by which those below it name it."""
        return str(self.journal.start["id"])

    @property
    def run_id(self) -> str | None:
        """MLflow's id, once the store has the run."""
        return self.journal.run_id

    def position(self) -> int:
        """Where the record stands, all of it safe on the disk; what comes later can be undone by `rewind`."""
        return self.journal.secure()

    def rewind(self, position: int) -> None:
        """Forgets what came after `position`, unless the store has it already; a run that was stopped runs again."""
        self.journal.truncate(position)
        self._remember()
        if self._goes_on:
            self.journal.append({"op": "status", "status": "RUNNING"})

    def _remember(self) -> None:
        """The last step of each series, so that a trial that goes on from an older checkpoint adds no point twice."""
        self._steps: dict[str, int] = {}
        for entry in self.journal.entries:
            if entry["op"] in ("points", "image"):
                keys = entry["values"] if entry["op"] == "points" else [f"image {entry['key']}"]
                self._steps |= dict.fromkeys(keys, entry["step"])

    def _is_new(self, series: str, step: int) -> bool:
        return step > self._steps.get(series, -1)

    def tags(self, tags: Mapping[str, str]) -> None:
        """Sets tags, each name prefixed by 'bench.'."""
        self.journal.append({"op": "tags", "values": dict(tags)})

    def params(self, params: Mapping[str, object]) -> None:
        """Sets params."""
        self.journal.append({"op": "params", "values": {key: str(value) for key, value in params.items()}})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Adds one point to each curve, unless it has one of this step or a later one."""
        new = {key: float(value) for key, value in values.items() if self._is_new(key, step)}
        if new:
            self.journal.append({"op": "points", "values": new, "step": step, "time": int(time.time() * 1000)})
            self._steps |= dict.fromkeys(new, step)

    def series(self, key: str) -> list[float]:
        """The values of a curve so far, in order."""
        return [entry["values"][key] for entry in self.journal.entries if key in entry.get("values", {})]

    def image(self, picture: NDArray[np.uint8], key: str, step: int) -> None:
        """Adds a picture to the run's image series `key`, unless that has one of this step or a later one."""
        if self._is_new(f"image {key}", step):
            entry = {"op": "image", "file": f"{key}-{step}.png", "key": key, "step": step}
            self.journal.append(entry | {"time": int(time.time() * 1000)}, png_bytes(picture))
            self._steps[f"image {key}"] = step

    def artifact(self, name: str, content: bytes) -> None:
        """Stores a file; `name` may hold one folder, 'latent/sweep.png'."""
        folder, _, _ = name.rpartition("/")
        self.journal.append({"op": "file", "file": name, "folder": folder or None}, content)

    def flush(self) -> None:
        """Sends what waits; where the store does not take it, says so once and keeps it."""
        started = time.perf_counter()
        self._spool.try_to_deliver(self.journal)
        self.seconds += time.perf_counter() - started

    def suspend(self, status: str = "KILLED") -> None:
        """Ends the run for now, with an MLflow status: the next `bench run` goes on with it."""
        self.journal.append({"op": "status", "status": status})
        self.flush()
        self._lock.release()

    def close(self, status: str, clear: Callable[[], None] = lambda: None) -> None:
        """Ends the run for good with an MLflow status: FINISHED, FAILED or KILLED. Its folder goes when all is sent.

        `clear` removes what else lies in the folder; it is called when the end is recorded, before others may write.
        """
        self.journal.append({"op": "close", "status": status})
        clear()
        self.flush()
        if self.journal.complete:
            self.journal.remove()
        unlock(self._lock)


class Taken(Exception):
    """A trial that is not to be trained now, and why; `run_id` is the run that has its result, where there is one."""

    def __init__(self, reason: str, run_id: str | None = None) -> None:
        super().__init__(reason)
        self.run_id = run_id


@dataclass(frozen=True)
class Place:
    """Where a store is; it is opened when it is first needed."""

    uri: str
    experiment: str


class Spool:
    """The runs that are being written to one store from one working directory."""

    def __init__(self, place: Store | Place, root: Path = WORK) -> None:
        self.place, self.root = place, root.absolute()
        self._quiet_until, self._warned = 0.0, False
        self._parents: dict[str, Journal] = {}
        """Of the runs that were begun here, by their own ids."""

    @functools.cached_property
    def store(self) -> Store:
        """The store itself; BenchError where it cannot be opened."""
        return self.place if isinstance(self.place, Store) else Store(self.place.experiment, self.place.uri)

    def try_to_deliver(self, journal: Journal) -> None:
        """Sends what waits, and the parent's before it, unless the store failed a moment ago."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            above = self._parents.get(journal.start["parent"])
            if above is not None and above.run_id is None:
                deliver(above, self.store)
            deliver(journal, self.store)
        except TooEarly:  # its parent is another process's, which says so
            self._quiet_until = time.monotonic() + PATIENCE
        except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
            self._quiet_until = time.monotonic() + PATIENCE
            if not self._warned:
                gone = f"the store {shown(self.place.uri)} takes nothing ({cause(error)})"
                warnings.warn(f"{gone}; results wait in {self.root}, 'bench sync' delivers them", stacklevel=2)
            self._warned = True

    def _begin(
        self, folder: Path, lock: FileLock, run_id: str, name: str, kind: str, parent: str | None, made_by: str | None
    ) -> RunWriter:
        journal = Journal(folder)
        start = {"op": "start", "id": run_id, "name": name, "kind": kind, "time": time.time(), "parent": parent}
        start |= {"uri": self.place.uri, "experiment": self.place.experiment, "made_by": made_by}
        journal.append(start)
        writer = RunWriter(journal, self, lock)
        writer.flush()
        return writer

    def start(self, name: str, kind: str, parent: RunWriter | None = None) -> RunWriter:
        """A new run, of a kind as `Store.add` has it; trials that can go on later are claimed."""
        run_id = uuid.uuid4().hex
        folder = run_folder(self.root, run_id)
        lock = try_lock(folder)
        assert lock is not None
        writer = self._begin(folder, lock, run_id, name, kind, None if parent is None else parent.id, None)
        if parent is None:
            self._parents[run_id] = writer.journal
        return writer

    def folder(self, fingerprint: str) -> Path:
        """Where the trial of this fingerprint is written, and its checkpoints lie."""
        place = hashlib.sha256(f"{self.place.uri}\n{self.place.experiment}".encode()).hexdigest()[:6]
        return self.root / f"{fingerprint}-{place}"

    def is_begun_again(self, fingerprint: str, since: float) -> bool:
        """Whether the trial was begun here after `since`, in seconds since 1970, and is not done with."""
        return since < begun(self.folder(fingerprint)) < math.inf

    def claim(
        self,
        fingerprint: str,
        name: str,
        parent: str,
        *,
        made_by: str | None,
        fresh: bool,
        finished: Callable[[], str | None],
        say: Callable[[str], None],
        patience: float = 0.0,
    ) -> RunWriter:
        """The trial of this fingerprint, begun below the run `parent` or gone on with: where `fresh`, only its own.

        What was begun by another program than `made_by` is not gone on with, for one run is of one program; None takes
        any. `finished` gives, once nobody else can begin it, the run in which the store has it already. Waits
        `patience` seconds for another process to let go of it. Raises Taken where it is not to be trained here and now.
        """
        folder = self.folder(fingerprint)
        lock = try_lock(folder, patience)
        if lock is None:
            raise Taken("another 'bench run' trains it now")
        try:
            journal = Journal(folder)
            if journal.entries and self._is_there(journal):
                foreign = made_by not in (None, journal.start.get("made_by"))
                if not (journal.closed or foreign or (fresh and journal.start["parent"] != parent)):
                    return RunWriter(journal, self, lock, goes_on=True)
                if foreign and not journal.closed:
                    say("what was begun of it is of other code, torch or device and not used")
                self._put_aside(journal)
        except (BenchError, Taken) as error:
            lock.release()
            if isinstance(error, NoRoom):
                raise
            raise Taken(str(error)) from error
        if journal.entries:
            journal.remove()
        run_id = finished()
        if run_id is not None:
            unlock(lock)
            raise Taken("another 'bench run' has just finished it", run_id)
        return self._begin(folder, lock, uuid.uuid4().hex, name, "trial", parent, made_by)

    def _put_aside(self, journal: Journal) -> None:
        """Ends a run that is not gone on with; Taken where it has results that the store does not take."""
        has_results = journal.closed
        if not has_results:
            journal.append({"op": "close", "status": "KILLED"})
        self.try_to_deliver(journal)
        if has_results and not journal.complete:
            raise Taken("its earlier results wait for the store: 'bench sync'")

    def _is_there(self, journal: Journal) -> bool:
        """Whether the run that the journal belongs to was not deleted in the store."""
        try:
            return journal.run_id is None or self.store.find(journal.start["id"]) is not None
        except Exception:  # a store that is gone may come back with it
            return True

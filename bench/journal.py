"""A journal: what is to be recorded of one run, on disk in order, and how much of it the store has.

Takes entries and files, sends them to a `bench.track.Store`, each at least once, which that bears. `bench.spool` says
where what lies. Knows nothing of locks, nor of which runs there are.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files import write_atomically
from bench.track import Store

JOURNAL, DELIVERED = "journal.jsonl", "delivered.json"
BATCH = 800
"""Points in one call of the store, which takes up to 1,000."""

Entry = dict[str, Any]


KEYS: dict[str, dict[str, Any]] = {
    "start": {"id": str, "name": str, "kind": str, "parent": str | None, "time": float, "uri": str, "experiment": str},
    "tags": {"values": dict},
    "params": {"values": dict},
    "points": {"values": dict, "step": int, "time": int},
    "image": {"file": str, "key": str, "step": int, "time": int},
    "file": {"file": str, "folder": str | None},
    "status": {"status": str},
    "close": {"status": str},
}
"""What an entry of each kind holds."""


class TooEarly(Exception):
    """A run whose parent the store has not heard of: what comes later finds it there."""


class NoRoom(BenchError):
    """The disk does not take what is to be recorded."""


def _check(entries: list[Any]) -> None:
    """ValueError unless each is an entry that this module could have written, the first one the run's start."""
    for number, entry in enumerate(entries):
        wanted = KEYS[entry["op"]]
        fits = all(isinstance(entry[key], kind) for key, kind in wanted.items())
        if not fits or (entry["op"] == "start") != (number == 0) or ".." in Path(entry.get("file", "")).parts:
            raise ValueError(entry)


def is_unheard(folder: Path) -> bool:
    """Whether there is a run in this folder of which the store has not heard yet, read without its lock."""
    return (folder / JOURNAL).exists() and not (folder / DELIVERED).exists()


def begun(folder: Path) -> float:
    """When the run of a folder was begun, in seconds since 1970, read without its lock; infinity where that fails."""
    try:
        with (folder / JOURNAL).open("rb") as file:
            return float(json.loads(file.readline())["time"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return math.inf


class Journal:
    """The entries of one run on disk. Raises NoRoom where they cannot be written, BenchError where they are damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / JOURNAL
        self._delivered_path = folder / DELIVERED
        self.entries: list[Entry] = []
        self.delivered = self.tried = 0
        """How many entries the store has, and how many it may have: a kill leaves it open."""
        self.run_id: str | None = None
        if self._path.exists():
            try:
                self._read()
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise BenchError(f"{self._path} is damaged; remove {folder}, what it holds is lost") from error
            except OSError as error:
                raise BenchError(f"{self._path} cannot be read or mended: {error.strerror or error}") from error

    def _read(self) -> None:
        *lines, torn = self._path.read_bytes().split(b"\n")
        self.entries = [json.loads(line) for line in lines]
        _check(self.entries)
        if torn:  # the process died while it wrote
            self._rewrite()
        if self._delivered_path.exists():
            state = json.loads(self._delivered_path.read_bytes())
            self.run_id, self.delivered, self.tried = state["run_id"], state["delivered"], state["tried"]
            if not (isinstance(self.run_id, str) and 1 <= self.delivered <= self.tried <= len(self.entries)):
                raise ValueError(state)

    def _rewrite(self) -> None:
        write_atomically(self._path, "".join(f"{json.dumps(entry)}\n" for entry in self.entries).encode())

    def _no_room(self, error: OSError) -> NoRoom:
        return NoRoom(
            f"results cannot be written to {self.folder}: {error.strerror or error}; make room and give the same "
            "command again, without --fresh where it had that: it goes on where this one stopped"
        )

    def append(self, entry: Entry, content: bytes | None = None) -> None:
        """Adds an entry, and the content of its file, which is on the disk first."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path = self.folder / entry["file"]
                path.parent.mkdir(exist_ok=True)
                write_atomically(path, content)
            size = self._path.stat().st_size if self._path.exists() else 0
            try:
                with self._path.open("a") as file:
                    file.write(f"{json.dumps(entry)}\n")
            except BaseException:
                with self._path.open("r+") as file:
                    file.truncate(size)
                raise
        except OSError as error:
            raise self._no_room(error) from error
        self.entries.append(entry)

    def remove(self) -> None:
        """Removes the folder, the journal first: what a kill leaves of the rest then means nothing."""
        self._path.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def secure(self) -> int:
        """The number of entries, all of which are on the disk itself then."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        return len(self.entries)

    def truncate(self, count: int) -> None:
        """Drops entries behind the first `count` that the store cannot have; the start of the run always stays."""
        kept = max(count, self.tried, 1)
        if len(self.entries) > kept:
            del self.entries[kept:]
            self._rewrite()

    def note_delivery(self, run_id: str, delivered: int) -> None:
        """Remembers that the first `delivered` entries have arrived, and that all others may be on their way."""
        tried = len(self.entries)
        state = {"run_id": run_id, "delivered": delivered, "tried": tried}
        # On the disk first: what is sent without that note would be sent once more after a kill.
        write_atomically(self._delivered_path, json.dumps(state).encode())
        self.run_id, self.delivered, self.tried = run_id, delivered, tried

    def forget_delivery(self) -> None:
        """Lets all of it be sent again, to a new run."""
        self._delivered_path.unlink(missing_ok=True)
        self.run_id, self.delivered, self.tried = None, 0, 0

    @property
    def start(self) -> Entry:
        """The first entry: id, name, kind, parent, uri and experiment of the run; of newer ones also `made_by`."""
        return self.entries[0]

    @property
    def closed(self) -> bool:
        """Whether the run has ended for good."""
        return bool(self.entries[-1]["op"] == "close")

    @property
    def complete(self) -> bool:
        """Whether the store has all of it."""
        return self.delivered == len(self.entries)

    @property
    def settled(self) -> bool:
        """Whether the run has ended, be it that a trial may go on later."""
        return bool(self.entries[-1].get("status", "RUNNING") != "RUNNING")


def _send(store: Store, journal: Journal, run_id: str, entry: Entry) -> None:
    """One entry, other than points, to the store."""
    match entry["op"]:
        case "tags":
            store.write(run_id, tags=entry["values"], params={})
        case "params":
            store.write(run_id, tags={}, params=entry["values"])
        case "image":
            store.add_image(run_id, journal.folder / entry["file"], entry["key"], entry["step"], entry["time"])
        case "file":
            store.add_file(run_id, journal.folder / entry["file"], entry["folder"])
        case "status" | "close":
            store.set_status(run_id, entry["status"])


def run_folder(root: Path, run_id: str) -> Path:
    """Where a run other than a trial is written, by its own id."""
    return root / run_id[:16]


def deliver(journal: Journal, store: Store) -> None:
    """Sends what the store has not got. May be repeated after any interruption.

    Raises what the store raises, and TooEarly while the run's parent waits for the store.
    """
    start = journal.start
    journal.secure()  # so that a power cut leaves no journal shorter than what was noted as delivered
    if journal.run_id is None:
        if start["parent"] is not None and is_unheard(run_folder(journal.folder.parent, start["parent"])):
            raise TooEarly("the run that it belongs to still waits for the store")
        new = store.create(start["name"], start["kind"], start["id"], start["parent"], start["time"])
        journal.note_delivery(new, 1)
    run_id = journal.run_id
    assert run_id is not None
    if journal.tried < len(journal.entries):
        journal.note_delivery(run_id, journal.delivered)
    while journal.delivered < len(journal.entries):
        end = journal.delivered
        points: list[tuple[str, float, int, int]] = []
        while end < len(journal.entries) and journal.entries[end]["op"] == "points":
            entry = journal.entries[end]
            if points and len(points) + len(entry["values"]) > BATCH:
                break
            points += [(key, value, entry["time"], entry["step"]) for key, value in entry["values"].items()]
            end += 1
        if points:
            store.add_points(run_id, points)
        elif end == journal.delivered:
            _send(store, journal, run_id, journal.entries[end])
            end += 1
        journal.note_delivery(run_id, end)

"""Delivers what waits in `bench-work`: results that a store did not take, and the end of runs whose process died.

Takes the folder that `bench.spool` fills, gives what became of each run in it. Trains nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from bench.errors import BenchError
from bench.journal import Journal, begun, deliver
from bench.locks import try_lock, unlock
from bench.spool import WORK
from bench.track import Store, cause


@dataclass
class Synced:
    """What `sync` did; why runs still wait, and what cannot be read, one line a run."""

    delivered: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """Names of trials that a 'bench run' would go on with."""
    failures: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def _waiting(root: Path, damaged: list[str]) -> Iterator[tuple[Journal, FileLock]]:
    """The journals that nobody writes now, each locked in its turn; what is wrong with others goes to `damaged`."""
    folders = [folder for folder in root.iterdir() if folder.is_dir()] if root.is_dir() else []
    # A parent is older than its children, which need it in the store.
    for folder in sorted(folders, key=begun):
        if (lock := try_lock(folder)) is None:
            continue
        try:
            journal = Journal(folder)
        except BenchError as error:
            damaged.append(str(error))
            lock.release()
            continue
        if journal.entries:
            yield journal, lock
        else:  # the process died before its first word
            shutil.rmtree(folder, ignore_errors=True)
            unlock(lock)


def sync(only: Store | None = None) -> Synced:
    """Delivers what waits in `bench-work`, each run to its own store, or what belongs to one store alone."""
    done = Synced()
    stores = {} if only is None else {(only.uri, only.experiment): only}
    for journal, lock in _waiting(WORK, done.damaged):
        start = journal.start
        place = start["uri"], start["experiment"]
        if start["kind"] != "trial" and not journal.closed:
            journal.append({"op": "close", "status": "KILLED"})
        if only is None or place in stores:
            try:
                if place not in stores:
                    stores[place] = Store(start["experiment"], start["uri"])
                if journal.settled:
                    if journal.run_id and not journal.complete and stores[place].find(start["id"]) is None:
                        journal.forget_delivery()  # its run was deleted there, or the whole store
                    deliver(journal, stores[place])
                elif journal.run_id and stores[place].find(start["id"]):
                    # Its process died. What it did after its checkpoint it will do again, so none of that is sent.
                    stores[place].set_status(journal.run_id, "KILLED")
            except Exception as error:  # sqlite, SQLAlchemy, HTTP and MLflow each raise their own
                done.failures.append(f"{start['name']}: {cause(error)}")
        if journal.closed and journal.complete:
            done.delivered.append(start["name"])
            journal.remove()
            unlock(lock)
            continue
        if not journal.closed:
            done.unfinished.append(start["name"])
        lock.release()
    return done

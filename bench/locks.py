"""Locks: who may write to a folder now. A process that dies lets go of its locks; knows nothing of what is written."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError

TRIES = 10
"""To make a lock in a folder that others remove and make again; each has a moment's chance to be in the way."""


def try_lock(folder: Path, patience: float = 0.0) -> FileLock | None:
    """The lock of a folder, held; None where another process still holds it after `patience` seconds.

    BenchError where locks cannot be made.
    """
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    tries = 0
    while True:
        try:
            folder.parent.mkdir(exist_ok=True)
            lock.acquire(timeout=patience, poll_interval=0.2)
            return lock
        except Timeout:
            return None
        except OSError as error:  # a folder that may not be written to, or a lock that another user made
            tries += 1
            if isinstance(error, FileNotFoundError) and tries < TRIES:  # `unlock` elsewhere has just removed the folder
                continue
            place = folder.parent
            raise BenchError(
                f"cannot write to {place} ({error.strerror or error}): make it writable, or go to a folder that is"
            ) from error


def unlock(lock: FileLock) -> None:
    """Lets go of a lock whose folder is done with, and removes it."""
    # Removed while it is held: whoever opened it just now finds it gone and makes a new one (filelock sees to it).
    path = Path(lock.lock_file)
    path.unlink(missing_ok=True)
    lock.release()
    with contextlib.suppress(OSError):  # the last one takes the folder with it
        path.parent.rmdir()

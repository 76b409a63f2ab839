"""Locks: who may write to a folder now. A process that dies lets go of its locks; knows nothing of what is written."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError


def try_lock(folder: Path, patience: float = 0.0) -> FileLock | None:
    """The lock of a folder, held; None where another process still holds it after `patience` seconds.

    BenchError where locks cannot be made.
    """
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    try:
        folder.parent.mkdir(exist_ok=True)
        lock.acquire(timeout=patience, poll_interval=0.2)
    except Timeout:
        return None
    except OSError as error:  # a folder that may not be written to, or a lock that another user made
        raise BenchError(
            f"cannot write to {folder.parent} ({error.strerror or error}): make it writable, or go to a folder that is"
        ) from error
    return lock


def unlock(lock: FileLock) -> None:
    """Lets go of a lock whose folder is done with, and removes it."""
    # Removed while it is held: whoever opened it just now finds it gone and makes a new one (filelock sees to it).
    path = Path(lock.lock_file)
    path.unlink(missing_ok=True)
    lock.release()
    with contextlib.suppress(OSError):  # the last one takes the folder with it
        path.parent.rmdir()

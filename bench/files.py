"""Files that are whole or not there. Takes bytes; knows nothing of what they mean."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """`content` at `path`, on the disk itself before the name points to it; what was there stays until then.

    Raises OSError, and leaves nothing behind, where it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

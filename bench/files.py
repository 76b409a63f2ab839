"""Files written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bench.errors import BenchError


def write_atomically(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, never half of one; folders are made. BenchError when it cannot be."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise BenchError(f"cannot write {path} ({error.strerror}): give a place that is writable") from error

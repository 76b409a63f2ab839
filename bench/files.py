"""Files that are whole or not there. Takes bytes; knows nothing of what they mean."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bench.errors import BenchError


def is_there(path: Path) -> bool:
    """Whether there is a file or folder of this name, which may be longer than any: of such pathlib raises OSError."""
    try:
        return path.exists()
    except OSError:
        return False


def show(path: Path) -> str:
    """The path as people know it, but on one line whatever characters it is made of."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def slug(text: str) -> str:
    """The text as a part of a file's name: letters and digits, and one hyphen for whatever lies between them."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text)


def write_atomically(path: Path, content: bytes) -> None:
    """`content` at `path`, on the disk itself before the name points to it; what was there stays until then.

    Raises OSError, and leaves nothing behind, where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def save(path: Path, content: bytes) -> None:
    """The same for a file that the user asked for: its folder is made, and what goes wrong is a BenchError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # /dev/stdout is written to, not replaced
            path.write_bytes(content)
        else:
            write_atomically(path, content)
    except OSError as error:
        raise BenchError(f"cannot write {path} ({error.strerror}): give a place that is writable") from error

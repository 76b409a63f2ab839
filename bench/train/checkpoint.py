"""Checkpoints: a trial's state on disk, written whole or not at all, the newest two kept.

Takes nested dicts of tensors and plain values, gives the newest that is undamaged. Owns `checkpoint-<steps>.pt` in the
trial's folder of `bench-work`: a SHA-256 of what follows, then torch's format, which is read with `weights_only=True`,
so that a file can never run code. Must not know what the state means.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from bench.files import write_atomically

KEPT = 2
_DIGEST = hashlib.sha256().digest_size


class Damaged(Exception):
    """A checkpoint that cannot be used, and why."""


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    content = path.read_bytes()
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        raise Damaged(f"{path.name} is damaged or cut short")
    try:
        state = torch.load(io.BytesIO(content[_DIGEST:]), map_location=device, weights_only=True)
    except Exception as error:  # torch.load promises no set of exceptions for a file of another kind
        raise Damaged(f"{path.name} is no checkpoint of this program") from error
    if not isinstance(state, dict):
        raise Damaged(f"{path.name} is no checkpoint of this program")
    return state


def _steps(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


class Checkpoints:
    """The checkpoints of one trial in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _paths(self) -> list[Path]:
        """Newest first."""
        found = [path for path in self.folder.glob("checkpoint-*.pt") if re.fullmatch(r"checkpoint-\d+", path.stem)]
        return sorted(found, key=_steps, reverse=True)

    def newest(self) -> int | None:
        """The steps that the newest was taken after, where there is one."""
        return next(map(_steps, self._paths()), None)

    def save(self, steps: int, state: dict[str, Any]) -> None:
        """Writes the state after `steps` steps and drops all but the newest two. OSError where it cannot be written."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        write_atomically(self.folder / f"checkpoint-{steps}.pt", hashlib.sha256(content).digest() + content)
        for old in self._paths()[KEPT:]:
            old.unlink()

    def load(self) -> Iterator[dict[str, Any] | Damaged]:
        """The states, newest first, on the CPU; for one that cannot be used, what is wrong with it."""
        for path in self._paths():
            try:
                yield _read(path, torch.device("cpu"))
            except (Damaged, OSError) as error:
                yield Damaged(str(error))

    def clear(self) -> None:
        """Removes them all."""
        for path in self._paths():
            path.unlink()

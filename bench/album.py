"""The album of an exported file: the grids of samples of its trials and reference rows as PNG files in a folder.

In 16 shades a channel, which nobody tells from 256 at this size and which make the files a third, so that an album can
be committed with its file. The names say what is shown and do not change when a file is imported and exported again.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from PIL import Image

from bench.errors import BenchError
from bench.files import save, slug
from bench.pictures import PNG_SIGNATURE, SAMPLES, png_bytes, shaded

if TYPE_CHECKING:
    from bench.results import Results

LARGEST = 2_000_000
"""Bytes of a picture that is read."""
NAMED_BY = ("run_id", "kind", "name", "seed", "fingerprint", "track", "protocol")
"""Columns that a picture's name is made of, and the run's id."""


def folder(file: Path) -> Path:
    """Where the pictures of an exported file are: `results.pictures` beside `results.parquet`."""
    return file.with_suffix(".pictures")


def names(trials: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Run id and file name of every row that has samples: 'dcgan-bn-on-0-1a2b3c4d.png'."""
    for row in trials.loc[trials["kind"] != "skip", list(NAMED_BY)].to_dict("records"):
        own = (row["seed"], row["fingerprint"][:8]) if row["kind"] == "trial" else (row["track"], row["protocol"])
        yield row["run_id"], slug("-".join(map(str, (row["name"], *own)))).strip("-").lower() + ".png"


def write(results: Results, file: Path) -> list[Path]:
    """Writes the pictures that are there; gives their files. Those of an earlier export that are none now are deleted.

    BenchError where they cannot be written.
    """
    written = []
    for run_id, name in names(results.trials):
        content = results.artifact(run_id, SAMPLES)
        if content is not None:
            written.append(folder(file) / name)
            save(written[-1], reduced(content))
    for old in set(folder(file).glob(f"*-{'[0-9a-f]' * 8}.png")) - set(written):
        old.unlink()
    return written


def reduced(content: bytes) -> bytes:
    """A PNG in 16 shades a channel; BenchError when it is none."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            return png_bytes(shaded(np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BenchError(f"a picture of samples is damaged: {error}; export without --pictures") from error


class Album:
    """The pictures of an exported file, as `bench.stored.Archive` gives the files of a store."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files
        """Run id -> its picture, of those that have one."""

    @classmethod
    def beside(cls, file: Path, trials: pd.DataFrame) -> Album:
        """The album beside an exported file, perhaps an empty one."""
        if not folder(file).is_dir():
            return cls({})
        paths = ((run_id, folder(file) / name) for run_id, name in names(trials))
        return cls({run_id: path for run_id, path in paths if path.is_file()})

    def read(self, run_id: str, path: str) -> bytes | None:
        """The grid of a row's samples; None for anything else, and for what is no PNG or too large for one."""
        found = self.files.get(run_id) if path == SAMPLES else None
        if found is None or found.stat().st_size > LARGEST:
            return None
        content = found.read_bytes()
        return content if content.startswith(PNG_SIGNATURE) else None

    def list(self, run_id: str, folder: str) -> list[str]:
        """Nothing: an album has no folders."""
        return []

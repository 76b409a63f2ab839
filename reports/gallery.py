"""The gallery: pictures out of the store, as the page shows them, each with its note or with why there is none."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.pictures import SAMPLES, TRAINING
from reports.looks import Look
from reports.numbers import number

if TYPE_CHECKING:
    from bench.results import Results

LATENT = "latent"
"""The folder of a run's pictures of its latent space."""
GRID_BYTES, ALL_BYTES = 3_000_000, 6_000_000
"""Of all grids, and of all pictures, as base64; what goes beyond is named. The page stays below 10 MB as long as text
and drawings take four: of the 79 rows of `quick.parquet`, in ten groups, they take three; of 2,000 cells, eight."""


@dataclass
class Room:
    """Characters of base64 that pictures may still take."""

    left: int

    def take(self, data: str) -> bool:
        """Takes what `data` needs, if so much is left."""
        if len(data) > self.left:
            return False
        self.left -= len(data)
        return True


@dataclass(frozen=True)
class Picture:
    """A picture of a cell; without `data`, why it is `missing`, or where to find it if it was `left_out`."""

    label: str
    shows: str
    """'samples', 'training', 'interpolation': what of the cell it is of."""
    note: str
    look: Look | None
    data: str | None
    """Base64."""
    kind: str
    """png or gif"""
    missing: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Gallery:
    """The pictures of one group."""

    samples: list[Picture]
    gifs: list[Picture]
    latent: list[Picture]


def galleries(results: Results, groups: Sequence[Sequence[dict[Any, Any]]], seen: dict[str, Look]) -> list[Gallery]:
    """Of the rows whose pictures are shown, those of each group together.

    All grids have room first, then all animations, then the latent spaces.
    """

    def pictures(row: dict[Any, Any], path: str, room: Room) -> Picture:
        return picture(results, row, path, seen, room)

    grids = Room(GRID_BYTES)
    samples = [[pictures(row, SAMPLES, grids) for row in rows] for rows in groups]
    rest = Room(ALL_BYTES - GRID_BYTES + grids.left)
    gifs = [[pictures(row, TRAINING, rest) for row in rows if row["kind"] == "trial"] for rows in groups]
    latent = [
        [
            replace(one, note=f"{one.shows}, {one.note}")
            for row in rows
            for one in (pictures(row, path, rest) for path in results.artifacts(row["run_id"], LATENT))
        ]
        for rows in groups
    ]
    return [Gallery(*each) for each in zip(samples, gifs, latent, strict=True)]


def representatives(rows: pd.DataFrame, labels: Sequence[str]) -> list[dict[Any, Any]]:
    """The row whose pictures stand for a label: the first seed that finished, else the first; never the best one.

    In the order of `labels`; one that has neither trial nor reference is left out.
    """
    candidates = rows[rows["label"].isin(labels) & rows["kind"].isin(["trial", "reference"])]
    order = candidates.assign(unfinished=candidates["status"] != "finished").sort_values(["unfinished", "seed"])
    first = {row["label"]: row for row in order.drop_duplicates("label").to_dict("records")}
    return [first[label] for label in labels if label in first]


def shows(path: str) -> str:
    """'samples.png' -> 'samples', 'latent/sweep_category.png' -> 'sweep of category'."""
    return path.rpartition("/")[2].rpartition(".")[0].replace("sweep_", "sweep of ").replace("_", " ")


def picture(results: Results, row: dict[Any, Any], path: str, seen: dict[str, Look], room: Room) -> Picture:
    """The picture at `path` of a run, as long as there is room for it."""
    content = results.artifact(row["run_id"], path)
    data = None if content is None else base64.b64encode(content).decode()
    missing = left_out = ""
    if data is None:
        missing = f"{row['imported']} holds no {path}" if row["imported"] else f"no {path} in the store"
    elif not room.take(data):
        left_out = f"{path} of run {row['run_id']}"
        data = None
    notes = [] if pd.isna(row["seed"]) else [f"seed {row['seed']}"]
    if pd.notna(row["fid"]) and row["status"] == "finished":
        notes.append(f"FID {number(row['fid'])}")
    elif row["status"] != "finished":
        notes.append(row["status"])
    label, kind = row["label"], path.rpartition(".")[2]
    return Picture(label, shows(path), ", ".join(notes), seen.get(label), data, kind, missing, left_out)

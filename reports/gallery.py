"""The gallery: pictures out of the store, as the page shows them, each with its note or with why there is none."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.looks import Look
from reports.numbers import number

if TYPE_CHECKING:
    from bench.results import Results

LATENT = "latent"
"""The folder of a run's pictures of its latent space."""


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
    """A picture of a cell, or in `missing` why there is none."""

    label: str
    note: str
    look: Look | None
    data: str | None
    """Base64."""
    kind: str
    """png or gif"""
    missing: str


def representatives(rows: pd.DataFrame, labels: Sequence[str]) -> list[dict[Any, Any]]:
    """The row whose pictures stand for a label: the first seed that finished, else the first; never the best one.

    In the order of `labels`; one that has neither trial nor reference is left out.
    """
    candidates = rows[rows["label"].isin(labels) & rows["kind"].isin(["trial", "reference"])]
    order = candidates.assign(unfinished=candidates["status"] != "finished").sort_values(["unfinished", "seed"])
    first = {row["label"]: row for row in order.drop_duplicates("label").to_dict("records")}
    return [first[label] for label in labels if label in first]


def latent_name(path: str) -> str:
    """'latent/sweep_category.png' -> 'sweep of category'."""
    return path.removeprefix(f"{LATENT}/").removesuffix(".png").replace("sweep_", "sweep of ").replace("_", " ")


def picture(
    results: Results, row: dict[Any, Any], path: str, seen: dict[str, Look], room: Room, what: str = ""
) -> Picture:
    content = results.artifact(row["run_id"], path)
    data = None if content is None else base64.b64encode(content).decode()
    missing = ""
    if data is None:
        missing = f"{row['imported']} holds no {path}" if row["imported"] else f"no {path} in the store"
    elif not room.take(data):
        missing = f"left out to keep this page small; it is {path} of run {row['run_id']}"
        data = None
    notes = [what] if what else []
    notes += [] if pd.isna(row["seed"]) else [f"seed {row['seed']}"]
    if pd.notna(row["fid"]) and row["status"] == "finished":
        notes.append(f"FID {number(row['fid'])}")
    elif row["status"] != "finished":
        notes.append(row["status"])
    return Picture(row["label"], ", ".join(notes), seen.get(row["label"]), data, path.rsplit(".")[-1], missing)

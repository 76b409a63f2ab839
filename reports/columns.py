"""Columns: what a table shows. Takes frames of `reports.tables`; the terminal, Markdown and HTML all show them so."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.groups import STATUSES
from reports.numbers import (
    EFFECT,
    NOTHING,
    PROBABILITY,
    SIGNED,
    TWO_DECIMALS,
    duration,
    estimated,
    number,
    p_value,
    short,
    span,
    worst,
)

Row = dict[Any, Any]
ACRONYMS = ("fid", "is", "kid", "kl", "l1", "psnr", "ssim")


def interval(row: Row) -> str:
    """The interval of a leaderboard row, or why it has none."""
    if row["kind"] == "reference":
        return "reference"
    if row["seeds"] == 0:
        return outcome(row)
    if row["seeds"] == 1:
        return "needs 2+ seeds" if row["trials"] == 1 else f"1 of {int(row['trials'])} finished"
    return span(row["fid_low"], row["fid_high"])


def outcome(row: Row) -> str:
    """'finished', 'skipped', or counts where the trials of a cell ended differently: '2 finished, 1 diverged'."""
    if row["kind"] == "reference":
        return ""
    counts = {name: int(row[name]) for name in STATUSES if row[name]}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def seeds(row: Row) -> str:
    """Trials that finished of those that were started: '2/3', '3/3, 1 collapsed'."""
    if not row["trials"]:
        return NOTHING
    collapsed = f", {int(row['collapsed'])} collapsed" if row["collapsed"] else ""
    return f"{int(row['seeds'])}/{int(row['trials'])}{collapsed}"


def estimate(row: Row, name: str, form: str = TWO_DECIMALS) -> str:
    """The columns `name`, `name`_low and `name`_high in one: '0.67 [0.09, 0.99]'."""
    return estimated(row[name], row[f"{name}_low"], row[f"{name}_high"], form)


def mean(row: Row) -> str:
    """FID, with an asterisk where seeds that diverged are missing from it."""
    return number(row["fid"]) + ("*" if row["kind"] == "cell" and row["seeds"] and row["diverged"] else "")


def rank(row: Row) -> str:
    """'1', or '1-3' where cells are not separable."""
    if math.isnan(row["rank_low"]):
        return NOTHING
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return str(low) if low == high else f"{low}-{high}"


def better(row: Row) -> str:
    """The cell that a comparison speaks for, or why for none."""
    return row["better"] or ("not separable" if row["tried"] > 1 else "not compared")


@dataclass(frozen=True)
class Column:
    """One column of a table for people; `key` names the frame's column that it is sorted by."""

    heading: str
    key: str
    write: Callable[[Row], str]
    right: bool = True
    wide: bool = False
    """Left out of a terminal without room for it."""


def _text(heading: str, key: str) -> Column:
    return Column(heading, key, lambda row: str(row[key]), right=False)


def _number(heading: str, key: str, form: str = TWO_DECIMALS, *, wide: bool = False) -> Column:
    return Column(heading, key, lambda row: number(row[key], form), wide=wide)


SCORES = (
    _text("cell", "label"),
    Column("rank", "rank_low", rank),
    Column("FID", "fid", mean),
    Column("95 % interval", "fid_low", interval),
    Column("finished", "seeds", seeds),
    Column("median", "median", lambda row: estimate(row, "median"), wide=True),
    Column("IQM", "iqm", lambda row: estimate(row, "iqm"), wide=True),
    _number("IS", "is_"),
    Column("IS interval", "is_low", lambda row: span(row["is_low"], row["is_high"]), wide=True),
)
COSTS = (
    Column("training", "seconds", lambda row: duration(row["seconds"])),
    _number("G updates", "g_updates", ",.0f", wide=True),
    _number("D updates", "d_updates", ",.0f", wide=True),
    _number("images", "images", ",.0f", wide=True),
    Column("params G", "params_g", lambda row: short(row["params_g"]), wide=True),
    Column("params D", "params_d", lambda row: short(row["params_d"]), wide=True),
)
_COMPARED = (
    _number("difference", "difference", SIGNED),
    Column("95 % interval", "low", lambda row: span(row["low"], row["high"])),
    _number("pairs", "pairs", "d"),
)
_SURE = (
    Column("P(better)", "chance", lambda row: estimate(row, "chance", PROBABILITY), wide=True),
    _number("Hedges' g", "g", EFFECT, wide=True),
    Column("p", "p", lambda row: p_value(row["p"])),
)
EFFECTS = (
    _text("cells", "label"),
    _text("change", "change"),
    _number("FID before", "base"),
    _number("after", "changed"),
    *_COMPARED,
    *_SURE,
    Column("p (permutation)", "p_permutation", lambda row: p_value(row["p_permutation"]), wide=True),
)
_BETTER = Column("better", "better", better, right=False, wide=True)
PAIRS = (_text("first", "label"), _text("second", "other"), *_COMPARED, *_SURE, _BETTER)
AGAINST = (_text("cell", "label"), *_COMPARED, *_SURE, _BETTER)
"""Pairs whose second cell is one and the same, which the text above the table names."""
BUDGETS = (
    _text("cell", "label"),
    Column("best FID", "best", lambda row: worst(row["best"])),
    Column("last", "last", lambda row: worst(row["last"])),
    Column("mean along the way", "area", lambda row: worst(row["area"])),
    Column("reached in", "reached", lambda row: f"{row['reached']}/{row['trials']}"),
    Column("after seconds", "seconds", lambda row: worst(row["seconds"], ",.0f", "not reached")),
    Column("images", "images", lambda row: worst(row["images"], ",.0f", "not reached"), wide=True),
    Column("G updates", "g_updates", lambda row: worst(row["g_updates"], ",.0f", "not reached"), wide=True),
    Column("D updates", "d_updates", lambda row: worst(row["d_updates"], ",.0f", "not reached"), wide=True),
)
RECIPES = (
    _text("cell", "label"),
    _text("has", "recipe"),
)
PROBLEMS = (
    _text("cell", "label"),
    _number("seed", "seed", "d"),
    _text("status", "status"),
    Column("reason", "reason", lambda row: str(row["reason"]) or "not recorded", right=False),
    _number("images seen", "images", ",.0f", wide=True),
    Column("run", "run_id", lambda row: str(row["run_id"])[:8], right=False, wide=True),
)


def rows(frame: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """The rows that present it: without what was run one way alone, which the notes tell."""
    return (frame[frame["only"] == ""] if "only" in frame else frame).to_dict("records")


def columns(frame: pd.DataFrame) -> list[Column]:
    """The columns that present this frame of `reports.tables`, without a median, IQM or IS where no row has one.

    Further metrics follow: the task's own by the middle of their name, for the protocol says the rest, others by all of
    it.
    """
    for key, shown in {
        "factor": EFFECTS,
        "other": AGAINST if "base" in frame.attrs else PAIRS,
        "area": BUDGETS,
        "recipe": RECIPES,
        "run_id": PROBLEMS,
    }.items():
        if key in frame:
            return list(shown)
    sparse = ("is_", "is_low", "iqm", "rank_low")
    scores = [each for each in SCORES if each.key not in sparse or frame[each.key].notna().any()]
    if not (frame["seeds"] > 2).any():  # the median of fewer is no other than the mean
        scores = [each for each in scores if each.key != "median"]
    return [*scores, *(_further(frame[name], frame.attrs.get("prefix")) for name in further_metrics(frame)), *COSTS]


def further_metrics(frame: pd.DataFrame) -> list[str]:
    """The names of a leaderboard's further metrics."""
    names = list(frame.columns)
    return names[names.index("is_high") + 1 : names.index("seconds")]


def _further(values: pd.Series[float], prefix: str | None) -> Column:
    """A metric in one form throughout: a count, shares and what is about as small with three decimals, or a score."""
    name, known = str(values.name), values.dropna()
    heading = name
    if prefix is not None and name.startswith(f"{prefix}_"):
        heading = metric_heading(name.removeprefix(f"{prefix}_").rpartition("_")[0])
    small = known.abs().max() <= 1 or 0.01 <= known.abs().median() < 1
    form = ",.0f" if (known % 1 == 0).all() else ".3f" if small else TWO_DECIMALS
    return _number(heading, name, form, wide=True)


def metric_heading(name: str) -> str:
    """'hole_l1' -> 'hole L1'."""
    return " ".join(word.upper() if word in ACRONYMS else word for word in name.split("_"))

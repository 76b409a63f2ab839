"""Looks: the colour and dash of a cell, the same in every figure and table, and the style of figures.

The colours are Okabe and Ito's, which the colour-blind tell apart, without the yellow that is too pale on white. `DARK`
holds their counterparts on a dark page, in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from reports.groups import all_rows
from reports.once import once

if TYPE_CHECKING:
    import pandas as pd

    from bench.results import Results

PAPER, INK, MUTED, RULE = "#ffffff", "#1d1d1b", "#6b6b66", "#d8d8d3"
DARK_PAPER, DARK_INK, DARK_MUTED, DARK_RULE = "#17181b", "#e9e8e4", "#a09f99", "#3a3b3f"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#b5578f", "#56b4e9", "#e69f00", "#7a7a75")
DARK = ("#4fa8e0", "#ff8a4a", "#2cc79a", "#e29ac6", "#9ad4f7", "#f4c04e", "#b5b5b0")
MARKERS = ("o", "s", "^", "D")
"""For each of DASHES, where a cell is a dot and no line."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.5)), (0, (6, 1.5, 1.2, 1.5)))
DISTINCT = len(PALETTE) * len(DASHES)
"""Cells that a figure of lines can tell apart."""

_STYLE: dict[Any, Any] = {
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelsize": 9.5,
    "axes.titlesize": 10,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    # A label with two dollar signs is a name here, never mathematics.
    "text.parse_math": False,
    "font.size": 9.5,
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.5,
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Look:
    """How a cell is drawn."""

    number: int
    """Of its colour in PALETTE."""
    dash: Any

    @property
    def colour(self) -> str:
        """As '#0072b2'."""
        return PALETTE[self.number]

    @property
    def marker(self) -> str:
        """As matplotlib names it."""
        return MARKERS[DASHES.index(self.dash)]


@once
def looks(results: Results) -> dict[str, Look]:
    """Label of a cell -> its look; depends on which cells these results hold, not on the group that is drawn.

    By name; where there are more than DISTINCT, by mean FID, so that those share a look that are not drawn together.
    """
    rows = all_rows(results).query("kind != 'reference'")
    labels = sorted(set(rows["label"]))
    if len(labels) > DISTINCT:
        means = rows.groupby("label")["fid"].mean().fillna(math.inf)
        labels.sort(key=lambda label: means[label])
    return {label: Look(i % len(PALETTE), DASHES[i // len(PALETTE) % len(DASHES)]) for i, label in enumerate(labels)}


def drawn(results: Results, rows: pd.DataFrame) -> dict[str, Look]:
    """The looks of the cells that a figure of lines shows: those with trials among these rows.

    Of more than DISTINCT, those of lowest mean FID.
    """
    means = rows[rows["kind"] == "trial"].groupby("label")["fid"].mean()
    here = set(means.sort_values(kind="stable").index[:DISTINCT])
    return {label: look for label, look in looks(results).items() if label in here}


@contextmanager
def style() -> Iterator[None]:
    """Inside, figures are made in this project's style."""
    with mpl.rc_context(_STYLE):
        yield

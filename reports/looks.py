"""Looks: the colour of an algorithm and the dash of its cell, the same everywhere, and the style of figures.

The colours are Okabe and Ito's, which the colour-blind tell apart, with a brown for the yellow that is too pale on
white. `DARK` holds their counterparts on a dark page, in the same order.
"""

from __future__ import annotations

from collections import Counter, defaultdict
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
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#b5578f", "#56b4e9", "#e69f00", "#5a3d1e")
DARK = ("#4fa8e0", "#ff8a4a", "#10d69c", "#e29ac6", "#9ad4f7", "#f4c04e", "#96644a")
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


LOOKS = [Look(number, dash) for dash in DASHES for number in range(len(PALETTE))]


@once
def looks(results: Results) -> dict[str, Look]:
    """Label of a cell -> its look; depends on which cells these results hold, not on the group that is drawn.

    Cells that are drawn together in some group differ, as long as there are looks enough. An algorithm keeps one
    colour, and its cells differ in their dash, as long as it has no more of them than there are dashes.
    """
    rows = all_rows(results).query("kind != 'reference'")
    algorithm = dict(zip(rows["label"], rows["algorithm"], strict=True))
    together = [_drawn(here) for _, here in rows.groupby(["track", "protocol"])]
    neighbours: dict[str, set[str]] = {label: set() for label in rows["label"]}
    for label in neighbours:
        neighbours[label].update(*(group for group in together if label in group))
    found: dict[str, Look] = {}
    anywhere, numbers = Counter[Look](), Counter[int]()
    of_algorithm: dict[str, Counter[int]] = defaultdict(Counter)
    # The most crowded first, as greedy colourings of graphs do.
    for label in sorted(neighbours, key=lambda label: (-len(neighbours[label]), label)):
        beside = Counter(found[other] for other in neighbours[label] if other in found)
        own = of_algorithm[algorithm[label]]
        others = numbers - own
        best = min(LOOKS, key=lambda look: (beside[look], not own[look.number], others[look.number], anywhere[look]))
        found[label] = best
        anywhere[best] += 1
        for counted in (numbers, own):
            counted[best.number] += 1
    return dict(sorted(found.items()))


def drawn(results: Results, rows: pd.DataFrame) -> dict[str, Look]:
    """The looks of the cells that a figure of lines shows: those with trials among these rows.

    Of more than DISTINCT, those of lowest mean FID.
    """
    here = _drawn(rows)
    return {label: look for label, look in looks(results).items() if label in here}


def _drawn(rows: pd.DataFrame) -> set[str]:
    trials = rows[rows["kind"] == "trial"]
    means = trials["fid"].where(trials["status"] == "finished").groupby(trials["label"]).mean()
    return set(means.sort_values(kind="stable").index[:DISTINCT])


@contextmanager
def style() -> Iterator[None]:
    """Inside, figures are made in this project's style."""
    with mpl.rc_context(_STYLE):
        yield

"""Figures of comparisons: results in, matplotlib figures out. What they show is worked out in `reports.tables`."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scikit_posthocs
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bench.errors import BenchError
from reports import plotting
from reports.comparisons import BLOCKS, CONTENDERS, blocks, outcomes, pair, ranked
from reports.factors import Factor, factors
from reports.groups import Group, floor, select
from reports.looks import DISTINCT, INK, MUTED, PALETTE, PAPER, looks, style
from reports.tables import factor_effects, pairwise

if TYPE_CHECKING:
    from bench.results import Results

LABELLED = 16
"""Cells up to which a matrix has room for numbers; of more than DISTINCT it shows the first, as figures of lines do."""
STRENGTH = 0.55
"""Of a square's colour where one cell always won; with more, numbers in it are hard to read on a dark page."""


def pairwise_matrix(results: Results, protocol: Group | str | None = None) -> Figure:
    """Share of seeds in which the row beats the column, best mean FID first; a frame where the two are separable.

    Of the first DISTINCT cells.
    """
    group, rows = select(results, protocol)
    cells = dict(itertools.islice(ranked(rows).items(), DISTINCT))
    decided = pairwise(results, group).query("better != ''")[["label", "other"]].itertuples(index=False, name=None)
    sure = set(decided)
    names = [f"{i}  {label}" for i, label in enumerate(cells, start=1)]
    with style():
        fig, axes = plotting.rows_figure(names, 0.34)
        for y, a in enumerate(cells):
            for x, b in enumerate(cells):
                compared = pair(cells[a], cells[b])
                if a == b or not len(compared.a):
                    continue
                share = compared.chance.value
                colour = PALETTE[0] if share > 0.5 else PALETTE[1]
                strength = STRENGTH * abs(2 * share - 1)
                square = Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, facecolor=to_rgba(colour, strength))
                if {(a, b), (b, a)} & sure:
                    square.set(edgecolor=INK, linewidth=1.1)
                axes.add_patch(square)
                if len(cells) <= LABELLED:
                    text = f"{share * len(compared.a):g}/{len(compared.a)}"
                    axes.text(x, y, text, ha="center", va="center", fontsize=8.5)
        plotting.rows_axis(axes, names, "row")
        axes.set_xticks(range(len(cells)), [str(i + 1) for i in range(len(cells))])
        axes.set_xlim(-0.5, max(len(cells), 1) - 0.5)
        axes.set_xlabel("column")
        axes.grid(visible=False)
    return fig


def effect_sizes(results: Results, protocol: Group | str | None = None) -> Figure:
    """Every factor's effect on FID with its 95 % interval; the mean over several cells is a square."""
    group, rows = select(results, protocol)
    effects = factor_effects(results, group).query("pairs > 0").reset_index(drop=True)[: plotting.MOST_ROWS]
    colours = looks(results)
    changed = {
        (each.field, each.label, each.values[-1]): label for each in factors(rows) for label in each.cells.values()
    }
    by_row = {(field, label): colours[cell].colour for (field, label, _), cell in changed.items()}
    names = [f"{row['label']}, {row['change']}" for row in effects.to_dict("records")]
    with style():
        fig, axes = plotting.rows_figure(names, 0.34)
        axes.axvline(0, color=MUTED, linewidth=1)
        for place, row in enumerate(effects.to_dict("records")):
            colour = by_row.get((row["factor"], row["label"]), INK)
            marker = "o" if row["algorithm"] else "s"
            plotting.interval(axes, place, row["difference"], row["low"], row["high"], colour, marker)
        _effect_extent(axes, effects)
        axes.set_xlabel("FID after minus before (below 0: the change helps)")
        plotting.rows_axis(axes, names, "change")
    return fig


def _effect_extent(axes: Axes, effects: pd.DataFrame) -> None:
    """Shows every effect and zero, and intervals up to twice the largest effect: of two seeds they can be vast."""
    seen = effects["difference"].abs().max()
    if math.isnan(seen):
        return
    bound = 2 * seen if seen else 1.0
    low, high = effects["low"].clip(lower=-bound).min(), effects["high"].clip(upper=bound).max()
    low, high = np.nanmin([low, effects["difference"].min(), 0]), np.nanmax([high, effects["difference"].max(), 0])
    room = 0.06 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)


def factor_pairs(results: Results, field: str, protocol: Group | str | None = None) -> Figure:
    """FID with the second value of a field (dot) and with the first (ring), a line joining the trials of one seed."""
    _, rows = select(results, protocol)
    known = outcomes(rows)
    colours = looks(results)
    there = [
        (factor, both)
        for factor in factors(rows)
        if factor.field == field and len(factor.values) == 2 and len(both := _finished(factor, known))
    ][: plotting.MOST_ROWS]
    with style():
        fig, axes = plotting.rows_figure([factor.label for factor, _ in there], 0.5)
        for place, (factor, both) in enumerate(there):
            off, on = (colours[label].colour for label in factor.cells.values())
            n = len(both)
            for i, (off_fid, on_fid) in enumerate(both.to_numpy(dtype=float)):
                y = place if n == 1 else place - 0.25 + 0.5 * i / (n - 1)
                axes.plot([on_fid, off_fid], [y, y], color=MUTED, linewidth=0.9, zorder=2)
                axes.scatter([on_fid], [y], s=30, color=on, zorder=3)
                axes.scatter([off_fid], [y], s=30, facecolor=PAPER, edgecolor=off, linewidth=1.4, zorder=3)
        values = pd.concat([both[side] for _, both in there for side in both] or [pd.Series(dtype=float)])
        plotting.fid_extent(axes, values, pd.Series(dtype=float))
        plotting.mark_floor(axes, floor(rows, "fid"))
        plotting.rows_axis(axes, [factor.label for factor, _ in there], "cells")
        sides = {tuple(map(factor.side, factor.values)) for factor, _ in there}
        off_name, on_name = sides.pop() if len(sides) == 1 else ("first value", "second value")
        plotting.legend(fig, {}, [plotting.dot(on_name), plotting.dot(off_name, filled=False)])
    return fig


def _finished(factor: Factor, known: dict[str, pd.Series[float]]) -> pd.DataFrame:
    """FID of both sides, a column each, in the seeds that finished both ways."""
    sides = {label: known.get(label, pd.Series(dtype=float)) for label in factor.cells.values()}
    return pd.DataFrame(sides).replace(math.inf, math.nan).dropna()


def bn_pairs(results: Results, protocol: Group | str | None = None) -> Figure:
    """`factor_pairs` of BN."""
    return factor_pairs(results, "bn", protocol)


def critical_difference(results: Results, protocol: Group | str | None = None) -> Figure:
    """Mean ranks over seeds; a bar joins cells that the Nemenyi test does not tell apart at 5 %.

    BenchError with fewer than three cells or five seeds. Source: Demsar 2006, JMLR 7, section 3.2.2, with seeds for
    data sets.
    """
    _, rows = select(results, protocol)
    ranks = blocks(rows)
    if ranks is None:
        raise BenchError(
            f"a critical-difference diagram takes {CONTENDERS} cells and {BLOCKS} seeds that all of them have; "
            f"run more with --seeds {BLOCKS}"
        )
    colours, means = looks(results), ranks.mean()
    names = {label: plotting.fold(f"{label} ({mean:.2f})", plotting.NAME) for label, mean in means.items()}
    lines = max(name.count("\n") + 1 for name in names.values())
    longest = max(len(line) for name in names.values() for line in name.split("\n"))
    with style():
        # Names on both sides, and as much again for the axis between them.
        width = max(plotting.WIDTH, 0.28 * longest)
        fig, (axes,) = plotting.figure(1.1 + 0.09 * (1 + lines) * len(names), width=width)
        drawn = scikit_posthocs.critical_difference_diagram(
            means,
            scikit_posthocs.posthoc_nemenyi_friedman(ranks),
            ax=axes,
            color_palette={label: colours[label].colour for label in ranks.columns},
            label_fmt_left="{label}",
            label_fmt_right="{label}",
            crossbar_props={"color": INK, "marker": ""},
            label_props={"size": 8.5},
        )
        for text in drawn["labels"]:
            text.set(text=names[text.get_text()], color=INK)
        axes.grid(visible=False)
        axes.set_xlabel("mean rank over seeds (1 is best)")
        axes.set_ylabel("")
    return fig

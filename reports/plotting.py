"""The parts that figures share: their size, axes, lines, legends and the mark of the floor. Knows no results."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

from reports.curves import AXES
from reports.looks import MUTED, PAPER, Look
from reports.numbers import number

WIDTH = 4.6
"""Inches: readable at its own size on a phone, and enlarged beside another on a desktop."""
NAME = 24
"""Characters of a name on one line of a legend or a diagram."""
MOST_ROWS = 60
"""Rows of a figure that has one a cell."""


def figure(height: float, panels: int = 1, width: float = WIDTH) -> tuple[Figure, list[Axes]]:
    """A figure, in inches, with panels below each other; pyplot does not know it, so nobody must close it."""
    fig = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(fig)
    return fig, list(fig.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])


def fold(label: str, width: int) -> str:
    """The label in lines of `width` characters, three at most: a long one must not take the axes' room."""
    return "\n".join(textwrap.wrap(label, width, max_lines=3, placeholder=" ..."))


def legend(fig: Figure, cells: dict[str, Look], extra: Sequence[Line2D] = ()) -> None:
    """Below the plot, so that it covers no data; the figure grows with it."""
    handles = [Line2D([], [], color=look.colour, linestyle=look.dash, label=label) for label, look in cells.items()]
    handles += extra
    names = [fold(str(handle.get_label()), NAME) for handle in handles]
    for handle, name in zip(handles, names, strict=True):
        handle.set_label(name)
    columns = min(3 if max(map(len, names)) <= 14 else 2, len(handles))
    rows = math.ceil(len(handles) / columns)
    lines = max(sum(name.count("\n") + 1 for name in names[i : i + rows]) for i in range(0, len(names), rows))
    fig.set_figheight(fig.get_figheight() + 0.2 * lines)
    fig.legend(handles=handles, loc="outside lower left", ncols=columns, handlelength=2.2, columnspacing=1.5)


def count_axis(axes: Axes, x: str) -> None:
    """The horizontal axis for one of AXES."""
    axes.set_xlabel(AXES[x])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.grid(visible=False, axis="x")


def log_axis(axes: Axes) -> None:
    """A logarithmic vertical axis with plain numbers, of what is drawn already."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7) if high < 10 * low else (1, 2, 5)))
    plain_numbers(axes.yaxis)


def symmetric_log_axis(axes: Axes) -> None:
    """A vertical axis with plain numbers, linear between -1 and 1 and logarithmic beyond on both sides."""
    axes.set_yscale("symlog", linthresh=1)
    plain_numbers(axes.yaxis)


def plain_numbers(axis: Axis) -> None:
    """Writes numbers as they are: matplotlib's own powers of ten are formulas, which `reports.looks` shows as text."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def reference_line(axes: Axes, value: float) -> list[Line2D]:
    """Real examples' score as a dashed line; only in the legend where a log axis down to it would squeeze curves."""
    low, _ = axes.get_ylim()
    text = f"real examples {number(value)}"
    if math.isnan(value):
        return []
    if axes.get_yscale() == "log" and value < low / 10:
        return [Line2D([], [], linestyle="", label=f"{text} (below)")]
    axes.axhline(value, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
    return [Line2D([], [], color=MUTED, linestyle=(0, (4, 3)), linewidth=1, label=text)]


def dot(label: str, *, filled: bool = True) -> Line2D:
    """A legend's dot or ring."""
    face = MUTED if filled else PAPER
    return Line2D([], [], color=MUTED, marker="o", markerfacecolor=face, markersize=5, linestyle="", label=label)


def interval(axes: Axes, place: int, value: float, low: float, high: float, colour: str, marker: str = "o") -> None:
    """A dot in the row `place`, and the bar of its interval where it has one (not NaN)."""
    if not math.isnan(low):
        axes.plot([low, high], [place] * 2, color=colour, linewidth=2.2, alpha=0.55)
    axes.scatter([value], [place], s=42, color=colour, marker=marker, zorder=4)


def fid_extent(axes: Axes, values: pd.Series[float], highs: pd.Series[float]) -> None:
    """A horizontal FID axis from zero that shows all `values`, and intervals up to `highs` as far as is sensible."""
    # With two seeds an interval can be ten times the mean: it is cut rather than squeeze everything else.
    top = values.max()
    if not math.isnan(highs.max()):
        top = max(top, min(highs.max(), 2 * top))
    axes.set_xlim(0, 1.06 * top if top > 0 else 1)
    axes.set_xlabel("FID (lower is better)")


def mark_floor(axes: Axes, floor: float) -> None:
    """Real examples' FID as a dashed vertical line, if it is known."""
    if not math.isnan(floor):
        axes.axvline(floor, color=MUTED, linestyle=(0, (4, 3)), linewidth=1)
        axes.annotate(
            f"real examples {number(floor)}", (floor, 1), xycoords=("data", "axes fraction"), xytext=(5, 1),
            textcoords="offset points", fontsize=8.5, color=MUTED, va="bottom",
        )  # fmt: skip


def rows_figure(names: list[str], row_height: float) -> tuple[Figure, Axes]:
    """A figure for one row a name, each `row_height` inches or as high as its name needs."""
    lines = max((fold(name, 26).count("\n") + 1 for name in names), default=1)
    fig, (axes,) = figure(0.9 + max(row_height, 0.17 * lines + 0.1) * max(len(names), 1))
    return fig, axes


def rows_axis(axes: Axes, names: list[str], what: str) -> None:
    """One row a name, the first on top."""
    axes.set_yticks(range(len(names)), [fold(name, 26) for name in names])
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_ylabel(what)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")

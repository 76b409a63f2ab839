"""Figures of budgets: what FID a budget buys. Results in, matplotlib figures out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports import plotting
from reports.curves import bands, pareto
from reports.groups import Group, devices, select
from reports.looks import MUTED, PAPER, drawn, looks, style
from reports.tables import leaderboard

if TYPE_CHECKING:
    from bench.results import Results


def budget_bands(results: Results, x: str = "images", protocol: Group | str | None = None) -> Figure:
    """FID in training against `x`, at each point and the best so far: mean over seeds, band from lowest to highest."""
    group, rows = select(results, protocol)
    cells = drawn(results, rows)
    with style():
        fig, panels = plotting.figure(4.2, panels=2)
        for axes, best in zip(panels, (False, True), strict=True):
            for label, band in bands(results, x, group, tuple(cells), best=best).groupby("label", sort=False):
                look = cells[str(label)]
                axes.plot(band[x], band["mean"], color=look.colour, linestyle=look.dash, linewidth=1.4)
                axes.fill_between(band[x], band["low"], band["high"], color=look.colour, alpha=0.16, linewidth=0)
            axes.set_ylabel("best FID so far" if best else "FID at this point")
            plotting.log_axis(axes)
            plotting.count_axis(axes, x)
        panels[0].set_xlabel("")
        plotting.legend(fig, cells)
    return fig


def pareto_front(results: Results, protocol: Group | str | None = None) -> Figure:
    """Mean FID at the end against mean training time; ringed and joined are the cells that no other beats in both.

    The front is of all cells; beside it those of lowest mean FID are drawn. A cell is hollow where some of its seeds
    diverged. Trials of several devices have no front: their seconds do not compare.
    """
    group, rows = select(results, protocol)
    board = leaderboard(results, group)
    best = pareto(board) if len(devices(rows)) == 1 else []
    board = board[board["label"].isin({*drawn(results, rows), *best}) & board["fid"].notna() & board["seconds"].notna()]
    colours = {label: look for label, look in looks(results).items() if label in set(board["label"])}
    front = board.set_index("label").loc[best]
    extra = [
        Line2D([], [], color=look.colour, marker=look.marker, linestyle="", label=label)
        for label, look in colours.items()
    ]
    ringed: dict[str, Any] = {
        "color": MUTED,
        "linewidth": 1,
        "marker": "o",
        "markersize": 11,
        "markerfacecolor": "none",
    }
    with style():
        fig, (axes,) = plotting.figure(3.0)
        axes.plot(front["seconds"], front["fid"], drawstyle="steps-post", zorder=2, **ringed)
        for row in board.to_dict("records"):
            look = colours[row["label"]]
            face = PAPER if row["diverged"] else look.colour
            axes.scatter(
                [row["seconds"]],
                [row["fid"]],
                s=42,
                marker=look.marker,
                facecolor=face,
                edgecolor=look.colour,
                zorder=3,
            )
        if len(front):
            extra.append(Line2D([], [], label="not beaten in both", **ringed))
            extra[-1].set_linestyle("-" if len(front) > 1 else "")
        if (board["diverged"] > 0).any():
            extra.append(plotting.dot("some seeds diverged", filled=False))
        axes.margins(x=0.08)
        plotting.count_axis(axes, "seconds")
        axes.set_ylabel("FID (lower is better)")
        if len(board):
            plotting.log_axis(axes)
            plotting.legend(fig, {}, extra)
    return fig

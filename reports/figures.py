"""Figures: results in, matplotlib figures out, one group each. They hold no global state; nobody must close them.

Cells keep their colour (`reports.looks`). Of more cells than a figure has room for, those of lowest mean FID are shown.
Lines are single trials, seeds are not averaged away; what is
averaged over seeds is in `reports.budget_figures`, what is compared in `reports.comparison_figures`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reports import plotting
from reports.budget_figures import budget_bands, pareto_front
from reports.comparison_figures import bn_pairs, critical_difference, effect_sizes, factor_pairs, pairwise_matrix
from reports.curves import curves, scores_during
from reports.groups import Group, floor, select
from reports.looks import MUTED, PAPER, Look, drawn, looks, style
from reports.svg import to_png, to_svg
from reports.tables import leaderboard

if TYPE_CHECKING:
    from bench.results import Results

__all__ = [
    "bn_pairs", "budget_bands", "critical_difference", "curves", "effect_sizes", "factor_pairs", "fid_curve",
    "is_curve", "leaderboard_dots", "losses", "pairwise_matrix", "pareto_front", "scores_during", "to_png", "to_svg",
]  # fmt: skip


def fid_curve(results: Results, x: str = "images", protocol: Group | str | None = None) -> Figure:
    """FID against `x` (images, seconds, g_updates, d_updates): lines in training, dots at the end, x: diverged."""
    return _score_curve(results, "fid", "FID (lower is better)", x, protocol)


def is_curve(results: Results, x: str = "images", protocol: Group | str | None = None) -> Figure:
    """Inception score of the digit classifier against `x`, drawn like `fid_curve`; it cannot exceed 10."""
    return _score_curve(results, "is", "IS (higher is better)", x, protocol)


def _score_curve(results: Results, score: str, name: str, x: str, protocol: Group | str | None) -> Figure:
    group, rows = select(results, protocol)
    final = group.metric(score)
    during = scores_during(results, score, protocol) or final
    cells = drawn(results, rows)
    lines, ends = (curves(results, metric, x, protocol, tuple(cells)) for metric in (during, final))
    ends = ends[ends["status"] == "finished"].groupby("run_id").tail(1)
    stopped = lines[lines["status"] == "diverged"].groupby("run_id").tail(1)
    extra = []
    with style():
        fig, (axes,) = plotting.figure(3.0)
        _draw_lines(axes, lines, x, cells)
        if len(lines):
            axes.scatter(lines[x], lines["value"], c=_colours(lines, cells), s=5, zorder=3)
            extra.append(Line2D([], [], color=MUTED, label=f"in training, {_samples(during)}"))
        if len(ends):
            axes.scatter(ends[x], ends["value"], c=_colours(ends, cells), s=28, zorder=4)
            extra.append(plotting.dot(f"at the end, {_samples(final)}"))
        if len(stopped):
            axes.scatter(stopped[x], stopped["value"], c=_colours(stopped, cells), marker="x", s=38, zorder=4)
            extra.append(Line2D([], [], color=MUTED, marker="x", linestyle="", label="diverged after this"))
        if score == "fid":
            plotting.log_axis(axes)
        extra += plotting.reference_line(axes, floor(rows, "fid" if score == "fid" else "is_"))
        axes.set_ylabel(name)
        plotting.count_axis(axes, x)
        plotting.legend(fig, cells, extra)
    return fig


def _colours(points: pd.DataFrame, cells: dict[str, Look]) -> list[str]:
    return [cells[label].colour for label in points["label"]]


def _samples(metric: str) -> str:
    return f"{metric.rsplit('_', 1)[-1]} samples"


def _draw_lines(axes: Axes, points: pd.DataFrame, x: str, cells: dict[str, Look]) -> None:
    """One line a trial, in the order of the points: run ids are random, and equal results should look equal."""
    if points.empty:  # of which seaborn warns
        return
    in_order = points.assign(trial=points.groupby("run_id", sort=False).ngroup())
    sns.lineplot(
        data=in_order,
        x=x,
        y="value",
        hue="label",
        style="label",
        hue_order=list(cells),
        style_order=list(cells),
        palette={label: look.colour for label, look in cells.items()},
        dashes={label: "" if look.dash == "-" else look.dash[1] for label, look in cells.items()},
        units="trial",
        estimator=None,
        linewidth=1.2,
        alpha=0.85,
        legend=False,
        ax=axes,
    )


def losses(results: Results, x: str = "images", protocol: Group | str | None = None) -> Figure:
    """Losses of D and G against `x`, a panel each. They tell how a trial went, never which algorithm is better."""
    _, rows = select(results, protocol)
    cells = drawn(results, rows)
    with style():
        fig, panels = plotting.figure(3.9, panels=2)
        for axes, (metric, name) in zip(panels, {"loss_d": "loss of D", "loss_g": "loss of G"}.items(), strict=True):
            points = curves(results, metric, x, protocol, tuple(cells))
            _draw_lines(axes, points, x, cells)
            if len(points) and points["value"].abs().max() > 100:
                plotting.symmetric_log_axis(axes)
            axes.set_ylabel(name)
            plotting.count_axis(axes, x)
        panels[0].set_xlabel("")
        plotting.legend(fig, cells)
    return fig


def leaderboard_dots(results: Results, protocol: Group | str | None = None) -> Figure:
    """FID of every cell that has one: mean (dot), 95 % interval over seeds (bar), single seeds (small rings)."""
    group, rows = select(results, protocol)
    board = leaderboard(results, group)
    board = board[(board["kind"] == "cell") & board["fid"].notna()].reset_index(drop=True)[: plotting.MOST_ROWS]
    finished = rows[(rows["kind"] == "trial") & (rows["status"] == "finished")]
    colours = looks(results)
    with style():
        fig, axes = plotting.rows_figure(list(board["label"]), 0.34)
        for place, row in enumerate(board.to_dict("records")):
            colour = colours[row["label"]].colour
            plotting.interval(axes, place, row["fid"], row["fid_low"], row["fid_high"], colour)
            if row["seeds"] > 1:
                single = finished.loc[finished["label"] == row["label"], "fid"]
                axes.scatter(
                    single, [place] * len(single), s=16, facecolor=PAPER, edgecolor=colour, linewidth=0.9, zorder=3
                )
        plotting.fid_extent(axes, board["fid"], board["fid_high"])
        plotting.mark_floor(axes, floor(rows, "fid"))
        plotting.rows_axis(axes, list(board["label"]), "cell")
        if (board["seeds"] > 1).any():
            bar = Line2D([], [], color=MUTED, linewidth=2.2, alpha=0.55, label="95 % interval")
            plotting.legend(fig, {}, [plotting.dot("mean"), bar, plotting.dot("one seed", filled=False)])
    return fig

"""Figures: results in, matplotlib figures out, one group each. They hold no global state; nobody must close them.

Cells keep their colour (`reports.looks`). Lines are single trials, seeds are not averaged away. No figure ranks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.errors import BenchError
from reports import plotting
from reports.groups import Group, select
from reports.looks import MUTED, PAPER, Look, looks, style
from reports.plotting import AXES, FLOOR
from reports.svg import to_png, to_svg
from reports.tables import bn_comparisons, leaderboard

if TYPE_CHECKING:
    from bench.results import Results

__all__ = [
    "bn_pairs", "curves", "fid_curve", "is_curve", "leaderboard_dots", "losses", "scores_during", "to_png", "to_svg",
]  # fmt: skip


def _reference(rows: pd.DataFrame, column: str) -> float:
    """The score of real digits; NaN where this group has none."""
    return float(rows.loc[(rows["kind"] == "reference") & (rows["name"] == FLOOR), column].mean())


def curves(results: Results, metric: str, x: str = "images", protocol: Group | str | None = None) -> pd.DataFrame:
    """The points of one metric in one group, with `label`, `seed` and the position: what the figures draw.

    BenchError unless `x` is one of AXES.
    """
    if x not in AXES:
        raise BenchError(f"no axis '{x}'; allowed is {', '.join(AXES)}")
    _, rows = select(results, protocol)
    points = results.curves[results.curves["metric"] == metric]
    trials = rows.loc[rows["kind"] == "trial", ["run_id", "label", "status", "seed"]]
    return points.merge(trials, on="run_id").sort_values(["run_id", "step"]).dropna(subset=[x, "value"])


def scores_during(results: Results, score: str, protocol: Group | str | None = None) -> str | None:
    """The name under which 'fid' or 'is' was logged during training; None when it was at the end only.

    Fewer samples than at the end make it another metric. Where runs differ in it, the one with most points.
    """
    group, rows = select(results, protocol)
    here = results.curves[results.curves["run_id"].isin(rows["run_id"])]["metric"]
    final = group.metric(score)
    prefix = final.rsplit("_", 1)[0] + "_"
    counts = here[here.str.startswith(prefix) & (here != final)].value_counts()
    return None if counts.empty else str(counts.index[0])


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
    cells = _drawn(results, rows)
    lines, ends = curves(results, during, x, protocol), curves(results, final, x, protocol)
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
        extra += plotting.reference_line(axes, _reference(rows, "fid" if score == "fid" else "is_"))
        axes.set_ylabel(name)
        plotting.count_axis(axes, x)
        plotting.legend(fig, cells, extra)
    return fig


def _drawn(results: Results, rows: pd.DataFrame) -> dict[str, Look]:
    """The looks of the cells that have trials here."""
    here = set(rows.loc[rows["kind"] == "trial", "label"])
    return {label: look for label, look in looks(results).items() if label in here}


def _colours(points: pd.DataFrame, cells: dict[str, Look]) -> list[str]:
    return [cells[label].colour for label in points["label"]]


def _samples(metric: str) -> str:
    return f"{metric.rsplit('_', 1)[-1]} samples"


def _draw_lines(axes: Axes, points: pd.DataFrame, x: str, cells: dict[str, Look]) -> None:
    """One line a trial."""
    if points.empty:  # of which seaborn warns
        return
    sns.lineplot(
        data=points,
        x=x,
        y="value",
        hue="label",
        style="label",
        hue_order=list(cells),
        style_order=list(cells),
        palette={label: look.colour for label, look in cells.items()},
        dashes={label: "" if look.dash == "-" else look.dash[1] for label, look in cells.items()},
        units="run_id",
        estimator=None,
        linewidth=1.2,
        alpha=0.85,
        legend=False,
        ax=axes,
    )


def losses(results: Results, x: str = "images", protocol: Group | str | None = None) -> Figure:
    """Losses of D and G against `x`, a panel each. They tell how a trial went, never which algorithm is better."""
    _, rows = select(results, protocol)
    cells = _drawn(results, rows)
    with style():
        fig, panels = plotting.figure(3.9, panels=2)
        for axes, (metric, name) in zip(panels, {"loss_d": "loss of D", "loss_g": "loss of G"}.items(), strict=True):
            points = curves(results, metric, x, protocol)
            _draw_lines(axes, points, x, cells)
            if len(points) and points["value"].abs().max() > 100:
                axes.set_yscale("symlog", linthresh=1)
            axes.set_ylabel(name)
            plotting.count_axis(axes, x)
        panels[0].set_xlabel("")
        plotting.legend(fig, cells)
    return fig


def leaderboard_dots(results: Results, protocol: Group | str | None = None) -> Figure:
    """FID of every cell that has one: mean (dot), 95 % interval over seeds (bar), single seeds (small rings)."""
    group, rows = select(results, protocol)
    board = leaderboard(results, group)
    board = board[(board["kind"] == "cell") & board["fid"].notna()].reset_index(drop=True)
    finished = rows[(rows["kind"] == "trial") & (rows["status"] == "finished")]
    colours = looks(results)
    with style():
        fig, axes = plotting.rows_figure(list(board["label"]), 0.34)
        for place, row in enumerate(board.to_dict("records")):
            colour = colours[row["label"]].colour
            if row["seeds"] > 1:
                axes.plot([row["fid_low"], row["fid_high"]], [place] * 2, color=colour, linewidth=2.2, alpha=0.55)
                single = finished.loc[finished["label"] == row["label"], "fid"]
                axes.scatter(
                    single, [place] * len(single), s=16, facecolor=PAPER, edgecolor=colour, linewidth=0.9, zorder=3
                )
            axes.scatter([row["fid"]], [place], s=42, color=colour, zorder=4)
        plotting.fid_extent(axes, board["fid"], board["fid_high"])
        plotting.mark_floor(axes, _reference(rows, "fid"))
        plotting.rows_axis(axes, list(board["label"]), "cell")
        if (board["seeds"] > 1).any():
            bar = Line2D([], [], color=MUTED, linewidth=2.2, alpha=0.55, label="95 % interval")
            plotting.legend(fig, {}, [plotting.dot("mean"), bar, plotting.dot("one seed", filled=False)])
    return fig


def bn_pairs(results: Results, protocol: Group | str | None = None) -> Figure:
    """FID with BN (dot) and without (ring), a thin line joining the two trials of one seed."""
    _, rows = select(results, protocol)
    pairs = [comparison for comparison in bn_comparisons(rows) if len(comparison.paired)]
    colours = looks(results)
    with style():
        fig, axes = plotting.rows_figure([pair.label for pair in pairs], 0.5)
        for place, pair in enumerate(pairs):
            on, off = (colours[str(pair.sides[bn]["label"].iloc[0])].colour for bn in (True, False))
            n = len(pair.paired)
            for i, (on_fid, off_fid) in enumerate(pair.paired[["on", "off"]].to_numpy(dtype=float)):
                y = place if n == 1 else place - 0.25 + 0.5 * i / (n - 1)
                axes.plot([on_fid, off_fid], [y, y], color=MUTED, linewidth=0.9, zorder=2)
                axes.scatter([on_fid], [y], s=30, color=on, zorder=3)
                axes.scatter([off_fid], [y], s=30, facecolor=PAPER, edgecolor=off, linewidth=1.4, zorder=3)
        values = pd.concat([pair.paired[bn] for pair in pairs for bn in ("on", "off")] or [pd.Series(dtype=float)])
        plotting.fid_extent(axes, values, pd.Series(dtype=float))
        plotting.mark_floor(axes, _reference(rows, "fid"))
        plotting.rows_axis(axes, [pair.label for pair in pairs], "algorithm")
        plotting.legend(fig, {}, [plotting.dot("batch norm on"), plotting.dot("batch norm off", filled=False)])
    return fig

"""Plots: the figures of one group with title and caption, as the page and files for a paper show them.

A caption says what the marks and intervals are, so that a figure can be read without the page around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from reports import figures, tables
from reports.comparisons import blocks, ranked
from reports.curves import AXES, scores_during
from reports.curves import budgets as bought
from reports.curves import curves as points
from reports.groups import Group, devices, select
from reports.looks import drawn
from reports.notes import of_devices

if TYPE_CHECKING:
    from bench.results import Results


@dataclass(frozen=True)
class Plot:
    """A figure with its caption; `name` is unique on the page."""

    name: str
    title: str
    caption: str
    figure: Figure


def of_group(results: Results, group: Group, name: str) -> dict[str, list[Plot]]:
    """All figures of a group by what they show, in the page's order; their names begin with `name`."""
    drawn_by = {"dots": dots, "pairs": pairs, "effects": effects, "budgets": budgets, "curves": curves}
    return {what: draw(results, group, name) for what, draw in drawn_by.items()}


def dots(results: Results, group: Group, name: str) -> list[Plot]:
    """FID by cell, where some cell has one."""
    board = tables.leaderboard(results, group)
    if not ((board["kind"] == "cell") & board["fid"].notna()).any():
        return []
    caption = "A dot is the one seed of its cell that finished."
    if (board["seeds"] > 1).any():
        caption = (
            "A dot is the mean over the seeds that finished, a ring one seed, a bar the 95 % interval of the mean "
            "(Student t over seeds); bars that leave the axis are cut."
        )
    return [Plot(f"{name}-dots", "FID by cell", caption, figures.leaderboard_dots(results, group))]


def pairs(results: Results, group: Group, name: str) -> list[Plot]:
    """The matrix, and the critical differences where there are seeds enough."""
    _, rows = select(results, group)
    if tables.pairwise(results, group).empty:
        return []
    caption = (
        "Seeds in which the cell of the row did better than that of the column: the more, the bluer; the fewer, the "
        "more orange. A frame marks two cells that are separable."
    )
    plots = [Plot(f"{name}-pairs", "Row against column", caption, figures.pairwise_matrix(results, group))]
    ranks = blocks(rows)
    if ranks is not None:
        caption = "A bar joins cells that the Nemenyi test does not tell apart at 5 %. Seeds are the blocks."
        left_out = [label for label in ranked(rows) if label not in ranks]
        if left_out:
            caption += f" Left out, since they share too few seeds with the others: {', '.join(left_out)}."
        drawing = figures.critical_difference(results, group)
        plots.append(Plot(f"{name}-cd", "Critical differences of mean ranks", caption, drawing))
    return plots


def effects(results: Results, group: Group, name: str) -> list[Plot]:
    """The effect of every factor, and for each field the trials of a seed side by side."""
    found = tables.factor_effects(results, group).query("pairs > 0")
    plots = []
    if len(found):
        caption = (
            "Means over the seeds that finished both ways, with 95 % intervals (Student t over seeds); those that "
            "leave the axis are cut."
        )
        plots.append(Plot(f"{name}-effects", "Effects on FID", caption, figures.effect_sizes(results, group)))
    for field in dict.fromkeys(found["factor"]):
        title = "FID with and without BN" if field == "bn" else f"FID by {field}"
        drawing = figures.factor_pairs(results, field, group)
        plots.append(Plot(f"{name}-by-{field}", title, "A line joins the two trials of one seed.", drawing))
    return plots


def budgets(results: Results, group: Group, name: str) -> list[Plot]:
    """FID against every budget, and against what it cost."""
    if bought(results, group).empty:
        return []
    mixed = of_devices(devices(select(results, group)[1]))
    caption = "A line is the one seed of its cell."
    if (bought(results, group)["trials"] > 1).any():
        caption = "Mean over seeds, the band from the lowest to the highest. A line ends where its first seed did."
    plots = []
    for x, axis in AXES.items():
        said = f"{caption} {mixed}." if mixed and x == "seconds" else caption
        drawing = figures.budget_bands(results, x, group)
        plots.append(Plot(f"{name}-budget-{x}", f"FID for a budget of {axis}", said, drawing))
    caption = "A dot is the mean at the end of training over the seeds that finished, without its interval. "
    if mixed:
        caption += f"{mixed}, so no front is drawn."
    else:
        caption += "Ringed are the cells that no other beats in both means, however unsure these are."
    plots.append(Plot(f"{name}-pareto", "FID against cost", caption, figures.pareto_front(results, group)))
    return plots


def curves(results: Results, group: Group, name: str) -> list[Plot]:
    """FID, IS and losses in training, each where the cells that are drawn have points of it."""
    cells = tuple(drawn(results, select(results, group)[1]))

    def logged(*metrics: str | None) -> bool:
        return any(metric and len(points(results, metric, "images", group, cells)) for metric in metrics)

    plots = []
    if logged(scores_during(results, "fid", group), group.metric("fid")):
        drawing = figures.fid_curve(results, "images", group)
        plots.append(Plot(f"{name}-fid", "FID against images seen", "", drawing))
    if logged(scores_during(results, "is", group), group.metric("is")):
        caption = "Of the digit classifier; at most 10, and blind to repeated digits."
        drawing = figures.is_curve(results, "images", group)
        plots.append(Plot(f"{name}-is", "IS against images seen", caption, drawing))
    if logged("loss_d"):
        caption = "They show how a trial went; losses of different algorithms do not compare."
        drawing = figures.losses(results, "images", group)
        plots.append(Plot(f"{name}-loss", "Losses against images seen", caption, drawing))
    return plots


def curves_note(results: Results, group: Group) -> str:
    """What the lines of `curves` are."""
    during = scores_during(results, "fid", group)
    if during is None:
        return "A line is one trial."
    few, many = (name.rsplit("_", 1)[-1] for name in (during, group.metric("fid")))
    return (
        f"A line is one trial. During training {few} samples are scored, at the end {many}; "
        "FID of fewer samples reads higher, so lines and final dots are two measures and do not join."
    )

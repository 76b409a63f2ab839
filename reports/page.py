"""The page as plain values: everything the HTML template shows, ready to be written and nothing to be computed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from reports import catalogue, figures, tables, text
from reports.groups import Group, labelled, select
from reports.looks import Look, looks
from reports.summary import summary

if TYPE_CHECKING:
    from bench.results import Results

LATENT = "latent"
"""The folder of a run's pictures of its latent space."""
GIF_BYTES = 7_000_000
"""Of all animations and latent pictures together; what goes beyond is named, so that the page stays below 10 MB."""


@dataclass(frozen=True)
class Cell:
    """One table cell and what it is sorted by: a number, a text, or None for missing."""

    text: str
    order: float | str | None
    right: bool


@dataclass(frozen=True)
class Line:
    """One table row; `kind` is cell, reference or problem."""

    cells: list[Cell]
    kind: str
    look: Look | None


@dataclass(frozen=True)
class TableView:
    """A table with its notes."""

    headings: list[tuple[str, bool]]
    """Text, and whether the column is set to the right."""
    lines: list[Line]
    notes: list[str]


@dataclass(frozen=True)
class Plot:
    """A figure with its caption; `name` is unique on the page."""

    name: str
    title: str
    caption: str
    figure: Figure


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


@dataclass(frozen=True)
class Section:
    """One group."""

    anchor: str
    group: Group
    sentences: list[str]
    board: TableView
    dots: Plot | None
    bn: TableView
    bn_both: bool
    bn_plot: Plot | None
    curves: list[Plot]
    curves_note: str
    samples: list[Picture]
    gifs: list[Picture]
    latent: list[Picture]
    devices: list[str]


@dataclass(frozen=True)
class Page:
    """The whole report."""

    experiment: str
    store: str
    period: str
    sections: list[Section]
    problems: TableView
    algorithms: list[catalogue.Algorithm]
    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]


def page(results: Results) -> Page:
    """Everything these results have to show. BenchError when they are empty."""
    groups = tables.protocols(results) or [select(results)[0]]
    seen = looks(results)
    budget = _Budget(GIF_BYTES)
    trials = results.trials
    started = trials["started"].dropna()
    period = " to ".join(dict.fromkeys(f"{time:%Y-%m-%d %H:%M}" for time in (started.min(), started.max())))
    return Page(
        experiment=results.experiment,
        store=results.store,
        period=f"{period} UTC",
        sections=[_section(results, group, i, seen, budget) for i, group in enumerate(groups, start=1)],
        problems=table_view(tables.problems(results), seen),
        algorithms=catalogue.algorithms(labelled(trials), seen),
        facts=catalogue.facts(trials),
        versions=catalogue.versions(trials),
    )


@dataclass
class _Budget:
    """Bytes that may still be spent."""

    left: int

    def take(self, size: int) -> bool:
        """Spends `size`, if so much is left."""
        if size > self.left:
            return False
        self.left -= size
        return True


def table_view(frame: pd.DataFrame, seen: dict[str, Look]) -> TableView:
    """A frame of `reports.tables` for the template."""
    shown = text.columns(frame)
    lines = []
    for row in frame.to_dict("records"):
        cells = [Cell(column.write(row), _order(row[column.key]), column.right) for column in shown]
        lines.append(Line(cells, str(row.get("kind", "")), seen.get(row["label"])))
    return TableView([(column.heading, column.right) for column in shown], lines, text.notes(frame))


def _order(value: Any) -> float | str | None:
    if pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def _section(results: Results, group: Group, number: int, seen: dict[str, Look], budget: _Budget) -> Section:
    _, rows = select(results, group)
    board = tables.leaderboard(results, group)
    effect = tables.bn_effect(results, group)
    shown = [_representative(rows, label) for label in board["label"]]
    trials = [row for row in shown if row is not None]
    name = f"g{number}"
    dots = bn_plot = None
    if ((board["kind"] == "cell") & board["fid"].notna()).any():
        caption = "Intervals that leave the axis are cut."
        dots = Plot(f"{name}-dots", "FID by cell", caption, figures.leaderboard_dots(results, group))
    if (effect["pairs"] > 0).any():
        caption = "A line joins the two trials of one seed."
        bn_plot = Plot(f"{name}-bn", "FID with and without BN", caption, figures.bn_pairs(results, group))
    return Section(
        anchor=name,
        group=group,
        sentences=summary(results, group),
        board=table_view(board, seen),
        dots=dots,
        bn=table_view(effect, seen),
        bn_both=bool(effect["both"].any()),
        bn_plot=bn_plot,
        curves=_curves(results, group, name),
        curves_note=_curves_note(results, group),
        samples=[_picture(results, row, "samples.png", seen, None) for row in trials],
        gifs=[_picture(results, row, "training.gif", seen, budget) for row in trials if row["kind"] == "trial"],
        latent=[
            _picture(results, row, path, seen, budget, what=latent_name(path))
            for row in trials
            for path in results.artifacts(row["run_id"], LATENT)
        ],
        devices=sorted(set(rows.loc[rows["kind"] == "trial", "device"])),
    )


def _curves(results: Results, group: Group, name: str) -> list[Plot]:
    plots = []
    metric = figures.scores_during(results, "fid", group) or group.metric("fid")
    if len(figures.curves(results, metric, "images", group)):
        for x, axis in {"images": "images seen", "seconds": "training time", "g_updates": "G updates"}.items():
            plots.append(Plot(f"{name}-fid-{x}", f"FID against {axis}", "", figures.fid_curve(results, x, group)))
    score = figures.scores_during(results, "is", group) or group.metric("is")
    if len(figures.curves(results, score, "images", group)):
        caption = "Of the digit classifier; at most 10, and blind to repeated digits."
        plots.append(Plot(f"{name}-is", "IS against images seen", caption, figures.is_curve(results, "images", group)))
    if len(figures.curves(results, "loss_d", "images", group)):
        caption = "They show how a trial went; losses of different algorithms do not compare."
        plots.append(
            Plot(f"{name}-loss", "Losses against images seen", caption, figures.losses(results, "images", group))
        )
    return plots


def _curves_note(results: Results, group: Group) -> str:
    during = figures.scores_during(results, "fid", group)
    if during is None:
        return "A line is one trial."
    few, many = during.rsplit("_", 1)[-1], f"{group.samples:,}"
    return (
        f"A line is one trial. During training {few} samples are scored, at the end {many}; "
        "FID of fewer samples reads higher, so lines and final dots are two measures and do not join."
    )


def _representative(rows: pd.DataFrame, label: str) -> dict[Any, Any] | None:
    """The row whose pictures stand for this label: the first seed that finished, else the first; never the best one."""
    candidates = rows[(rows["label"] == label) & rows["kind"].isin(["trial", "reference"])]
    if candidates.empty:
        return None
    order = candidates.assign(unfinished=candidates["status"] != "finished").sort_values(["unfinished", "seed"])
    return dict(order.iloc[0].to_dict())


def latent_name(path: str) -> str:
    """'latent/sweep_category.png' -> 'sweep of category'."""
    return path.removeprefix(f"{LATENT}/").removesuffix(".png").replace("sweep_", "sweep of ").replace("_", " ")


def _picture(
    results: Results, row: dict[Any, Any], path: str, seen: dict[str, Look], budget: _Budget | None, what: str = ""
) -> Picture:
    content = results.artifact(row["run_id"], path)
    missing = ""
    if content is None:
        missing = f"no {path} in the store"
    elif budget is not None and not budget.take(len(content)):
        missing = f"left out to keep this page small; it is {path} of run {row['run_id']}"
        content = None
    notes = [what] if what else []
    notes += [] if pd.isna(row["seed"]) else [f"seed {row['seed']}"]
    if pd.notna(row["fid"]) and row["status"] == "finished":
        notes.append(f"FID {text.number(row['fid'])}")
    elif row["status"] != "finished":
        notes.append(row["status"])
    data = None if content is None else base64.b64encode(content).decode()
    return Picture(row["label"], ", ".join(notes), seen.get(row["label"]), data, path.rsplit(".")[-1], missing)

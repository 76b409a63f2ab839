"""The page as plain values: everything the HTML template shows, ready to be written and nothing to be computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.examination import REAL, SHOWN, Examination
from bench.pictures import SAMPLES
from reports import catalogue, columns, health, plots, tables
from reports.comparison_figures import MOST
from reports.comparisons import MOST_RANKED
from reports.curves import budgets, sparklines
from reports.gallery import LATENT, Picture, Room, latent_name, picture, representatives
from reports.groups import Group, all_rows, select
from reports.looks import DISTINCT, Look, looks
from reports.numbers import number
from reports.plots import Plot
from reports.plotting import MOST_ROWS
from reports.summary import summary

if TYPE_CHECKING:
    from bench.results import Results

PAIRS = 66
"""Pairs of cells up to which all have a row; of more, the neighbours in the table only."""
GRID_BYTES, MOVING_BYTES = 3_000_000, 3_000_000
"""Of all grids, and of all animations and latent pictures, as base64; what goes beyond is named. The page stays below
10 MB as long as text and drawings take four: of the 79 rows of `quick.parquet`, in ten groups, they take three."""


@dataclass(frozen=True)
class Cell:
    """One table cell and what it is sorted by: a number, a text, or None for missing."""

    text: str
    order: float | str | None
    right: bool
    lines: tuple[str, ...] = ()
    """Instead of text a sparkline: one SVG path a seed."""


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
class Section:
    """One group."""

    anchor: str
    group: Group
    sentences: list[str]
    board: TableView
    limits: str
    """What is shown of so many cells, or empty where everything is."""
    dots: Plot | None
    pairs: TableView
    pairs_in_all: int
    """Of which `pairs` may list the neighbours alone."""
    pairs_plots: list[Plot]
    effects: TableView
    effects_both: bool
    effects_plots: list[Plot]
    budgets: TableView
    budgets_plots: list[Plot]
    curves: list[Plot]
    curves_note: str
    samples: list[Picture]
    gifs: list[Picture]
    latent: list[Picture]


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
    health: TableView | None
    """What `bench doctor` found."""
    health_plots: list[Plot]


def page(results: Results) -> Page:
    """Everything these results have to show. BenchError when they are empty."""
    groups = tables.protocols(results) or [select(results)[0]]
    seen = looks(results)
    grids, others = Room(GRID_BYTES), Room(MOVING_BYTES)
    trials = results.trials
    started = trials["started"].dropna()
    period = " to ".join(dict.fromkeys(f"{time:%Y-%m-%d %H:%M}" for time in (started.min(), started.max())))
    return Page(
        experiment=results.experiment,
        store=results.store,
        period=f"{period} UTC",
        sections=[_section(results, group, i, seen, grids, others) for i, group in enumerate(groups, start=1)],
        problems=table_view(tables.problems(results), seen),
        algorithms=catalogue.algorithms(all_rows(results), seen),
        facts=catalogue.facts(trials),
        versions=catalogue.versions(trials),
        health=None if results.examination is None else _health(results.examination),
        health_plots=[] if results.examination is None else [_damage(results.examination)],
    )


def _health(examination: Examination) -> TableView:
    lines = []
    for name, scores in examination.measured.items():
        cells = [Cell(number(scores[metric]), scores[metric], True) for metric in SHOWN]
        lines.append(Line([Cell(name, name, False), *cells], "reference" if name == REAL else "cell", None))
    headings = [("set of images", False), *((metric.replace("_", " "), True) for metric in SHOWN)]
    return TableView(headings, lines, health.verdicts(examination))


def _damage(examination: Examination) -> Plot:
    caption = "Real training digits, damaged in known ways and scored like samples."
    return Plot("damage", "FID of damaged digits", caption, health.damage(examination))


def table_view(frame: pd.DataFrame, seen: dict[str, Look]) -> TableView:
    """A frame of `reports.tables` for the template."""
    shown = columns.columns(frame)
    lines = []
    for row in frame.to_dict("records"):
        cells = [Cell(column.write(row), _order(row[column.key]), column.right) for column in shown]
        lines.append(Line(cells, str(row.get("kind", "")), seen.get(row["label"])))
    return TableView([(column.heading, column.right) for column in shown], lines, columns.notes(frame))


def _with_sparklines(view: TableView, board: pd.DataFrame, paths: dict[str, tuple[str, ...]]) -> TableView:
    """The leaderboard with FID in training as a column after its interval."""
    if not paths:
        return view
    place = [heading for heading, _ in view.headings].index("95 % interval") + 1
    lines = [
        replace(line, cells=[*line.cells[:place], Cell("", None, False, paths.get(label, ())), *line.cells[place:]])
        for line, label in zip(view.lines, board["label"], strict=True)
    ]
    return replace(view, headings=[*view.headings[:place], ("in training", False), *view.headings[place:]], lines=lines)


def _order(value: Any) -> float | str | None:
    if pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def _section(results: Results, group: Group, number: int, seen: dict[str, Look], grids: Room, others: Room) -> Section:
    _, rows = select(results, group)
    board, pairs = tables.leaderboard(results, group), tables.pairwise(results, group)
    effects, bought = tables.factor_effects(results, group), budgets(results, group)
    listed = pairs if len(pairs) <= PAIRS else _neighbours(pairs)
    cells = board.loc[board["kind"] == "cell", "label"]
    trials = representatives(rows, list(board["label"].drop(cells.index[MOST_ROWS:])))
    name = f"g{number}"
    return Section(
        anchor=name,
        group=group,
        sentences=summary(results, group),
        board=_with_sparklines(table_view(board, seen), board, sparklines(results, group)),
        limits=_limits(len(cells)),
        dots=plots.dots(results, group, name),
        pairs=table_view(listed, seen),
        pairs_in_all=len(pairs),
        pairs_plots=plots.pairs(results, group, name),
        effects=table_view(effects, seen),
        effects_both=bool(effects["both"].any()),
        effects_plots=plots.effects(results, group, name),
        budgets=table_view(bought, seen),
        budgets_plots=plots.budgets(results, group, name),
        curves=plots.curves(results, group, name),
        curves_note=plots.curves_note(results, group),
        samples=[picture(results, row, SAMPLES, seen, grids) for row in trials],
        gifs=[picture(results, row, "training.gif", seen, others) for row in trials if row["kind"] == "trial"],
        latent=[
            picture(results, row, path, seen, others, what=latent_name(path))
            for row in trials
            for path in results.artifacts(row["run_id"], LATENT)
        ],
    )


def _limits(cells: int) -> str:
    what = []
    if cells > DISTINCT:
        what.append(f"lines are drawn of the {DISTINCT} cells of lowest mean FID")
    if cells > MOST:
        what.append(f"the matrix shows {MOST}")
    if cells > MOST_ROWS:
        what.append(f"figures with a row a cell and samples show {MOST_ROWS}")
    if cells > MOST_RANKED:
        what.append(f"the first {MOST_RANKED} are compared with each other")
    return f"Of these {cells:,} cells, {', '.join(what)}." if what else ""


def _neighbours(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each cell against the next one in the order of the table."""
    return pairs.drop_duplicates("label").reset_index(drop=True)

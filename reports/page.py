"""The page as plain values: everything the HTML template shows, ready to be written and nothing to be computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.examination import REAL, SHOWN, Examination
from reports import catalogue, columns, health, plots, tables
from reports.comparisons import MOST_RANKED
from reports.curves import budgets, sparklines
from reports.gallery import Gallery, galleries, representatives
from reports.groups import Group, all_rows, select, titles
from reports.looks import DISTINCT, Look, looks
from reports.notes import notes
from reports.numbers import listed, number
from reports.plots import Plot
from reports.plotting import MOST_ROWS
from reports.summary import on_single_seeds, summary

if TYPE_CHECKING:
    from bench.results import Results

PAIRS = 66
"""Pairs of cells up to which all have a row; of more, the neighbours in the table only."""
NO_PAIRS = "There is no pair of cells with two seeds each, so none can be compared; run more with --seeds 3."


@dataclass(frozen=True)
class Entry:
    """What stands in one place of a table, and what it is sorted by: a number, a text, or None for missing."""

    text: str
    order: float | str | None
    lines: tuple[str, ...] = ()
    """Instead of text a sparkline: one SVG path a seed."""


@dataclass(frozen=True)
class Heading:
    """Of one column."""

    text: str
    right: bool
    """Whether the column is set to the right."""
    wide: bool = False
    """Whether paper has no room for it in a leaderboard."""


@dataclass(frozen=True)
class Line:
    """One table row; `kind` is cell, reference or problem."""

    entries: list[Entry]
    kind: str
    look: Look | None


@dataclass(frozen=True)
class TableView:
    """A table with its notes."""

    headings: list[Heading]
    lines: list[Line]
    notes: list[str]


@dataclass(frozen=True)
class Section:
    """One group."""

    anchor: str
    title: str
    group: Group
    sentences: list[str]
    board: TableView
    plots: dict[str, list[Plot]]
    """By what they show, see `reports.plots.of_group`."""
    curves_note: str
    recipes: TableView
    pairs: TableView
    no_pairs: str
    """Why there are none, where there are none."""
    pairs_in_all: int
    """Of which `pairs` may list the neighbours alone."""
    effects: TableView
    effects_both: bool
    budgets: TableView
    gallery: Gallery


@dataclass(frozen=True)
class Page:
    """The whole report."""

    experiment: str
    store: str
    period: str
    sections: list[Section]
    single_seeds: str
    """What follows from single seeds, in whatever sections, or nothing."""
    problems: TableView
    algorithms: list[catalogue.Algorithm]
    on_commands: str
    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    health: TableView | None
    """What `bench doctor` found."""
    health_plots: list[Plot]


def page(results: Results) -> Page:
    """Everything these results have to show, groups of many cells first. BenchError when they are empty."""
    groups = tables.protocols(results) or [select(results)[0]]
    boards = {group: tables.leaderboard(results, group) for group in groups}
    groups = sorted(groups, key=lambda group: -(boards[group]["kind"] == "cell").sum())
    seen = looks(results)
    shown = galleries(results, [_pictured(results, group, boards[group]) for group in groups], seen)
    trials = results.trials
    started = trials["started"].dropna()
    period = " to ".join(dict.fromkeys(f"{time:%Y-%m-%d %H:%M}" for time in (started.min(), started.max())))
    return Page(
        experiment=results.experiment,
        store=results.store,
        period=f"{period} UTC",
        sections=[
            _section(results, group, f"g{i}", seen, gallery)
            for i, (group, gallery) in enumerate(zip(groups, shown, strict=True), start=1)
        ],
        single_seeds=on_single_seeds(list(boards.values())),
        problems=table_view(tables.problems(results), seen),
        algorithms=catalogue.algorithms(all_rows(results), seen),
        on_commands=catalogue.on_commands(trials),
        facts=catalogue.facts(trials),
        versions=catalogue.versions(trials),
        health=None if results.examination is None else _health(results.examination),
        health_plots=[] if results.examination is None else [_damage(results.examination)],
    )


def _health(examination: Examination) -> TableView:
    lines = []
    for name, scores in examination.measured.items():
        entries = [Entry(number(scores[metric]), scores[metric]) for metric in SHOWN]
        lines.append(Line([Entry(name, name), *entries], "reference" if name == REAL else "cell", None))
    headings = [
        Heading("set of images", right=False),
        *(Heading(columns.metric_heading(metric), right=True) for metric in SHOWN),
    ]
    return TableView(headings, lines, health.verdicts(examination))


def _damage(examination: Examination) -> Plot:
    caption = "Real training digits, damaged in known ways and scored like samples."
    return Plot("damage", "FID of damaged digits", caption, health.damage(examination))


def table_view(frame: pd.DataFrame, seen: dict[str, Look]) -> TableView:
    """A frame of `reports.tables` for the template."""
    shown = columns.columns(frame)
    lines = []
    for row in columns.rows(frame):
        entries = [Entry(column.write(row), _order(row[column.key])) for column in shown]
        lines.append(Line(entries, str(row.get("kind", "")), seen.get(row["label"])))
    headings = [Heading(column.heading, column.right, column.wide) for column in shown]
    return TableView(headings, lines, notes(frame))


def _with_sparklines(view: TableView, board: pd.DataFrame, paths: dict[str, tuple[str, ...]]) -> TableView:
    """The leaderboard with FID in training as a column after the counts of seeds."""
    if not paths:
        return view
    place = [heading.text for heading in view.headings].index("finished") + 1
    lines = [
        replace(line, entries=[*line.entries[:place], Entry("", None, paths.get(label, ())), *line.entries[place:]])
        for line, label in zip(view.lines, board["label"], strict=True)
    ]
    headings = [*view.headings[:place], Heading("in training", right=False), *view.headings[place:]]
    return replace(view, headings=headings, lines=lines)


def _order(value: Any) -> float | str | None:
    if pd.isna(value):
        return None
    return value if isinstance(value, str) else float(value)


def _pictured(results: Results, group: Group, board: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows whose pictures are shown, in the order of the leaderboard."""
    cells = board.loc[board["kind"] == "cell", "label"]
    return representatives(select(results, group)[1], list(board["label"].drop(cells.index[MOST_ROWS:])))


def _section(results: Results, group: Group, name: str, seen: dict[str, Look], gallery: Gallery) -> Section:
    board, pairs = tables.leaderboard(results, group), tables.pairwise(results, group)
    effects, bought = tables.factor_effects(results, group), budgets(results, group)
    listed = pairs if len(pairs) <= PAIRS else _neighbours(pairs)
    cells = int((board["kind"] == "cell").sum())
    view = _with_sparklines(table_view(board, seen), board, sparklines(results, group))
    limits = _limits(cells, len({*pairs["label"], *pairs["other"]}))
    return Section(
        anchor=name,
        title=titles(results)[group],
        group=group,
        sentences=summary(results, group, single_seeds=False),
        board=replace(view, notes=[*view.notes, *limits]),
        plots=plots.of_group(results, group, name),
        curves_note=plots.curves_note(results, group),
        recipes=table_view(tables.recipes(results, group), seen),
        pairs=table_view(listed, seen),
        no_pairs="There is one cell and nothing to compare it with." if cells == 1 else NO_PAIRS,
        pairs_in_all=len(pairs),
        effects=table_view(effects, seen),
        effects_both=bool(effects["both"].any()),
        budgets=table_view(bought, seen),
        gallery=gallery,
    )


def _limits(cells: int, ranked: int) -> list[str]:
    """What is shown of so many cells, of which so many are compared; nothing where everything is."""
    what = []
    if cells > DISTINCT:
        what.append(f"lines and dots of FID against cost show the {DISTINCT} of lowest mean FID (dots also the front)")
    if ranked > DISTINCT:
        what.append(f"the matrix shows the first {DISTINCT}")
    if cells > MOST_ROWS:
        what.append(f"samples and figures with one row per cell show {MOST_ROWS}")
    if cells > ranked == MOST_RANKED:
        what.append(f"{MOST_RANKED} are compared with each other")
    return [f"Of these {cells:,} cells, {listed(what)}."] if what else []


def _neighbours(pairs: pd.DataFrame) -> pd.DataFrame:
    """Each cell against the next one in the order of the table."""
    return pairs.drop_duplicates("label").reset_index(drop=True)

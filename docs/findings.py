"""What was measured, as tables in Markdown: `reports/quick.parquet` in, the tables of READMEs and findings out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from changes import like_for_like, on_sngan, tricks
from committed import BASE, LABELLED, TRACK, default_cell, main_group
from scipy import stats

import gans
from bench import results
from bench.protocol import metric_name
from reports import columns, tables
from reports.comparisons import repeated
from reports.groups import Group, select, titles
from reports.numbers import NOTHING, SIGNED, estimated, listed, number, p_value, plural
from reports.paired import ALPHA
from reports.text import markdown_table

SEEDS = 3
"""That a cell of the leaderboard has at least."""
FIRST = 10
MOST_USED = ("dcgan", "nsgan", "lsgan", "hinge", "wgan", "wgan_gp", "sngan", "dragan", "ragan", "r1", "began")
"""What READMEs show of the leaderboard: so many of its first cells, and these wherever they stand."""
RANKED = ("rank", "cell", "seeds", "FID", "IS")
FAR = 1.25
"""Times the base's FID from which a cell is told of by itself."""
ON_THE_WAY = 2_000
"""Samples that are scored in training."""
TELLING = {
    "accuracy": ".3f",
    "intra_fid": ".2f",
    "reconstruction": ".4f",
    "psnr": ".2f",
    "modes": ",.0f",
    "valid": ".3f",
}
"""Metrics of some tracks beside FID and IS, with their formats."""
LUCIC = {
    "nsgan": (6.8, 0.5),
    "wgan": (6.7, 0.4),
    "dragan": (7.6, 0.4),
    "lsgan": (7.8, 0.6),
    "mmgan": (9.8, 0.9),
    "began": (13.1, 1.0),
    "wgan_gp": (20.3, 5.0),
}
"""FID of MNIST and its standard deviation as published in Lucic et al.: Are GANs Created Equal?, arXiv:1711.10337:
ImageNet's Inception, 10,000 samples against the test images, 15,625 D steps of 64 images, settings searched, 50 seeds.
Their VAE is of another track here."""


def shown(found: results.Results, group: Group, least: int = SEEDS, most: float = float("inf")) -> list[dict[Any, Any]]:
    """Reference rows and the cells of `least` to `most` seeds, by FID."""
    board = tables.leaderboard(found, group)
    rows: list[dict[Any, Any]] = board[(board["kind"] == "reference") | board["trials"].between(least, most)].to_dict(
        "records"
    )
    return rows


def _named(row: Mapping[Any, Any]) -> str:
    return f"`{row['label']}`" if row["kind"] == "cell" else f"*{row['label']}*"


def _fid(row: Mapping[Any, Any]) -> str:
    return estimated(row["fid"], row["fid_low"], row["fid_high"])


def leaderboard(found: results.Results) -> str:
    """Reference rows and the cells that have seeds enough, by FID; the best that each surely beats, among all pairs."""
    return _ranking(found, main_group(found))


def conditional(found: results.Results) -> str:
    """That of rows that are given labels, with how well they obey them."""
    return _ranking(found, main_group(found, LABELLED), ("accuracy", "intra_fid"))


def _ranking(found: results.Results, group: Group, told: tuple[str, ...] = ()) -> str:
    compared, first = tables.pairwise(found, group), repeated(select(found, group)[1])
    lines = []
    for row in shown(found, group):
        cell = first.get(row["label"], row["label"])
        won = compared[compared["better"] == cell]
        # By mean FID, as the pairs are.
        beaten = [b if a == cell else a for a, b in zip(won["label"], won["other"], strict=True)]
        more = (number(row[group.metric(name)], TELLING[name]) for name in told)
        lines.append((*_ranked(row), *more, listed([f"`{label}`" for label in beaten], 1) if beaten else NOTHING))
    sure, sizes = compared["better"] != "", compared["difference"].abs()
    said = [f"{int(sure.sum())} of {plural(len(compared), 'pair')} {'is' if sure.sum() == 1 else 'are'} separable."]
    if sure.any():
        said.append(f"The smallest difference that is separable: {number(sizes[sure].min())} FID.")
    if not sure.all():
        said.append(f"The largest that is not: {number(sizes[~sure].max())} FID.")
    named = (f"`{name}`" for name in told)
    return f"{markdown_table((*RANKED, *named, 'surely better than'), lines)}\n\n{' '.join(said)}"


def headline(found: results.Results) -> str:
    """Of the leaderboard what READMEs have room for (`leading`)."""
    return markdown_table(RANKED, [_ranked(row) for row in leading(found)])


def leading(found: results.Results) -> list[dict[Any, Any]]:
    """Of the leaderboard's rows the reference, the FIRST cells, and all of MOST_USED with their own settings."""
    rows = shown(found, main_group(found))
    first = [row["label"] for row in rows if row["kind"] == "cell"][:FIRST]
    used = {f"{name} bn={switch}" for name in MOST_USED for switch in ("on", "off")}
    return [row for row in rows if row["kind"] == "reference" or row["label"] in used.union(first)]


def _ranked(row: dict[Any, Any]) -> tuple[str, ...]:
    return columns.rank(row), _named(row), columns.seeds(row), _fid(row), number(row["is_"])


def too_few(found: results.Results) -> str:
    """The cells below that, whose order says nothing yet."""
    rows = [row for row in shown(found, main_group(found), 1, SEEDS - 1) if row["kind"] == "cell"]
    lines = [(_named(row), str(row["seeds"]), number(row["fid"]), number(row["is_"])) for row in rows]
    return markdown_table(("cell", "seeds", "FID", "IS"), lines)


def batch_norm(found: results.Results) -> str:
    """FID with it minus without, paired by seed; p is adjusted for all rows that the report has of it."""
    effects = tables.bn_effect(found, main_group(found))
    lines = []
    for row in effects[effects["pairs"] >= SEEDS].to_dict("records"):
        one = row["algorithm"] in gans.names()
        difference = estimated(row["difference"], row["low"], row["high"], SIGNED)
        better = "better without" if row["difference"] > 0 else "better with"
        said = better if row["p"] <= ALPHA else "not separable"
        if row["repeats"]:
            said = row["repeats"]
        name, family = (f"`{row['label']}`", gans.get(row["algorithm"]).info.family) if one else (row["label"], NOTHING)
        lines.append((name, family, str(int(row["pairs"])), difference, p_value(row["p"]), said))
    return markdown_table(("algorithm", "family", "seeds", "FID with minus without", "p", "what follows"), lines)


def tail(found: results.Results) -> str:
    """The cells whose FID is FAR times the base's, or that lost a trial or a digit, worst first.

    Beside each its last FID in training and the base's after as many updates of G, between two evaluations on the
    straight line; both of ON_THE_WAY samples, and means over seeds.
    """
    group = main_group(found)
    cells = _cells(found, group)
    base = cells[default_cell(BASE)]
    bases = _by_updates(found, group, base["label"])
    lines = []
    for row in reversed(cells.values()):
        if row["fid"] <= FAR * base["fid"] and not (row["diverged"] or row["failed"] or row["collapsed"]):
            continue
        counted = (NOTHING,) * 3
        if mine := _by_updates(found, group, row["label"]):
            updates = float(np.mean([each.index[-1] for each in mine]))
            same = np.mean([np.interp(updates, each.index, each) for each in bases])
            counted = number(updates, ",.0f"), number(np.mean([each.iloc[-1] for each in mine])), number(same)
        shares = (number(row[group.metric(name)]) for name in ("precision", "recall"))
        lines.append((_named(row), columns.seeds(row), _fid(row), *counted, *shares))
    head = ("cell", "seeds", "FID", "G updates then", "FID in training", f"that of `{BASE}` at as many G updates")
    return markdown_table((*head, "precision", "recall"), lines)


def _cells(found: results.Results, group: Group) -> dict[str, dict[Any, Any]]:
    """The leaderboard's cells by label, by FID."""
    board = tables.leaderboard(found, group)
    return {row["label"]: row for row in board[board["kind"] == "cell"].to_dict("records")}


def _by_updates(found: results.Results, group: Group, cell: str) -> list[pd.Series[float]]:
    """For each finished seed: turns of G -> FID in training."""
    _, rows = select(found, group)
    runs = rows.loc[(rows["label"] == cell) & (rows["status"] == "finished"), "run_id"]
    points = found.curves[found.curves["metric"] == metric_name("fid", ON_THE_WAY, group.prefix)]
    return [points[points["run_id"] == run].set_index("g_updates")["value"].sort_index() for run in runs]


def other_tracks(found: results.Results) -> str:
    """A table for each other track or protocol, headed by its title."""
    parts, told_of = [], [main_group(found, track) for track in (TRACK, LABELLED)]
    for group, title in titles(found).items():
        if group in told_of:
            continue
        rows = shown(found, group, 1)
        forms = {"is_": ".2f"} | {group.metric(name): form for name, form in TELLING.items()}
        told = [name for name in forms if any(pd.notna(row.get(name)) for row in rows)]
        lines = [
            (_named(row), columns.seeds(row), _fid(row), *(number(row[name], forms[name]) for name in told))
            for row in rows
        ]
        named = ("IS" if name == "is_" else f"`{name}`" for name in told)
        parts.append(f"### {title[0].upper()}{title[1:]}\n\n{group.text[0].upper()}{group.text[1:]}.")
        parts.append(markdown_table(("cell", "seeds", "FID", *named), lines))
    return "\n\n".join(parts)


def published(found: results.Results) -> str:
    """Lucic et al.'s figures and ours, each with its order, and how the orders agree."""
    cells = _cells(found, main_group(found))
    here = {name: cells[default_cell(name)] for name in LUCIC if default_cell(name) in cells}
    theirs = _order({name: LUCIC[name][0] for name in here})
    ours = _order({name: row["fid"] for name, row in here.items()})
    lines = []
    for name, place in theirs.items():
        row, (fid, deviation) = here[name], LUCIC[name]
        lines.append(
            (_named(row), f"{fid} \u00b1 {deviation}", str(place), _fid(row), columns.seeds(row), str(ours[name]))
        )
    tau = stats.kendalltau(list(theirs.values()), [ours[name] for name in theirs])
    missing = [f"`{name}`" for name in LUCIC if name not in here]
    parts = [
        markdown_table(("here", "published FID", "their order", "FID here", "seeds", "order here"), lines),
        f"Kendall's tau of these {len(here)}: {number(tau.statistic, SIGNED)}, p {p_value(tau.pvalue)}.",
        *([f"Not measured here yet: {', '.join(missing)}."] if missing else []),
    ]
    return "\n\n".join(parts)


def _order(values: Mapping[str, float]) -> dict[str, int]:
    """Name -> place, the lowest value first."""
    return {name: place for place, name in enumerate(sorted(values, key=values.__getitem__), 1)}


TABLES = {
    table.__name__: table
    for table in (
        batch_norm,
        leaderboard,
        too_few,
        like_for_like,
        tricks,
        on_sngan,
        conditional,
        tail,
        other_tracks,
        published,
    )
}
"""By name, as the pages mark where they stand."""

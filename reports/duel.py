"""Two cells against each other, for the terminal: names as a user types them in, tables and one sentence out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.errors import BenchError
from reports.columns import estimate
from reports.comparisons import numbers, outcomes, pair, verdict
from reports.groups import Group, protocols, select
from reports.numbers import EFFECT, PROBABILITY, SIGNED, number, p_value
from reports.paired import Paired
from reports.tables import leaderboard
from reports.text import as_text

if TYPE_CHECKING:
    from bench.results import Results


@dataclass(frozen=True)
class Duel:
    """Two cells of one group."""

    group: Group
    first: str
    second: str
    board: pd.DataFrame
    """Their two rows of the leaderboard, the first one's first."""
    seeds: pd.DataFrame
    """Index seed, a column a cell: FID, infinity where it diverged, NaN where there is no outcome."""
    compared: Paired

    @property
    def sentence(self) -> str:
        """What follows from it. The two were named beforehand, so one comparison is all that p allows for."""
        return verdict(self.compared, self.first, self.second, "first minus second", self.compared.p) + "."


def duel(results: Results, first: str, second: str, protocol: str | None = None) -> Duel:
    """The cells that two names mean, which are labels, algorithms or beginnings that fit exactly one cell.

    BenchError where a name fits none or several, where both mean one cell, where the two never ran under one protocol,
    or under several and none is named.
    """
    there = [group for group in protocols(results) if protocol in (None, group.protocol)]
    cells = {group: _cells(results, group) for group in there or [select(results, protocol)[0]]}
    fits = {group: (_fitting(first, labels), _fitting(second, labels)) for group, labels in cells.items()}
    found = [(group, a[0], b[0]) for group, (a, b) in fits.items() if len(a) == len(b) == 1]
    if not found:
        raise BenchError(_refusal(first, second, cells))
    if len(found) > 1:
        listed = "; ".join(str(group) for group, _, _ in found)
        raise BenchError(
            f"'{first}' and '{second}' ran under {len(found)} protocols, which must not be mixed: {listed}; "
            "name one with --protocol"
        )
    group, a, b = found[0]
    if a == b:
        raise BenchError(f"'{first}' and '{second}' are one cell, {a}; there are: {', '.join(cells[group])}")
    _, rows = select(results, group)
    known = outcomes(rows)
    board = leaderboard(results, group).set_index("label", drop=False).loc[[a, b]].reset_index(drop=True)
    return Duel(group, a, b, board, pd.DataFrame({a: known[a], b: known[b]}), pair(known[a], known[b]))


def _cells(results: Results, group: Group) -> list[str]:
    """The labels of the cells of which something was run."""
    _, rows = select(results, group)
    return list(dict.fromkeys(rows.loc[rows["kind"] == "trial", "label"]))


def _fitting(name: str, labels: list[str]) -> list[str]:
    """The label itself, its settings in any order, else those of this algorithm, else those that begin so."""
    for fits in (
        [label for label in labels if set(label.split()) == set(name.split())],
        [label for label in labels if label.split(" ")[0] == name],
        [label for label in labels if label.startswith(name)],
    ):
        if fits:
            return fits
    return []


def _refusal(first: str, second: str, cells: dict[Group, list[str]]) -> str:
    """Which of the names is at fault, and what there is."""
    everything = list(dict.fromkeys(label for labels in cells.values() for label in labels))
    for name in (first, second):
        fits = _fitting(name, everything)
        if not fits:
            return f"no cell '{name}'; there are: {', '.join(everything) or 'none'}"
        if all(len(_fitting(name, labels)) != 1 for labels in cells.values()):
            return f"'{name}' fits {len(fits)} cells: {', '.join(fits)}; name one of them"
    where = {
        name: "; ".join(str(group) for group, labels in cells.items() if _fitting(name, labels))
        for name in (first, second)
    }
    return (
        f"'{first}' and '{second}' never ran under one track and protocol, so they do not compare: "
        f"'{first}' under {where[first]}, '{second}' under {where[second]}"
    )


def as_words(found: Duel) -> str:
    """Both cells, every seed, the paired numbers and the sentence, for a terminal."""
    compared, values = found.compared, numbers(found.compared)
    lines = [as_text(found.board), "", f"first: {found.first}, second: {found.second}, lower is better", ""]
    lines += [f"{'seed':<6}{'first':>11}{'second':>11}{'difference':>13}"]
    for seed, (a, b) in zip(found.seeds.index, found.seeds.to_numpy(dtype=float), strict=True):
        difference = number(a - b, SIGNED) if np.isfinite([a, b]).all() else "-"
        lines.append(f"{seed:<6}{_outcome(a):>11}{_outcome(b):>11}{difference:>13}")
    p = {"t test": compared.p, "permutation test": compared.p_permutation}
    if compared.by_signs:
        p = {"sign test": compared.p}
    facts = {
        "mean difference": compared.difference.text,
        "P(first better)": f"{estimate(values, 'chance', PROBABILITY)}, in {compared.wins} of {len(compared.a)} seeds",
        "Hedges' g": number(compared.g, EFFECT),
        **{f"p ({name})": p_value(value) for name, value in p.items() if not math.isnan(value)},
    }
    if compared.difference.n < 2 and not compared.by_signs:
        facts = {}
    lines += ["", *(f"{name:<24}{value}" for name, value in facts.items())]
    if facts:
        lines.append("p is of this one comparison, as if planned; the report's allows for every pair.")
    return "\n".join([*lines, "", found.sentence])


def _outcome(value: float) -> str:
    return "diverged" if value == math.inf else number(value)

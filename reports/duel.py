"""Two cells against each other, for the terminal: names as a user types them in, tables and one sentence out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.columns import estimate
from reports.comparisons import numbers, outcomes, pair, verdict
from reports.groups import Group, select
from reports.naming import meant
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
    """The cells that two names mean; BenchError where they mean no two of one group (`reports.naming.meant`)."""
    group, (a, b) = meant(results, (first, second), protocol)
    _, rows = select(results, group)
    known = outcomes(rows)
    board = leaderboard(results, group).set_index("label", drop=False).loc[[a, b]].reset_index(drop=True)
    return Duel(group, a, b, board, pd.DataFrame({a: known[a], b: known[b]}), pair(known[a], known[b]))


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
    if not math.isnan(compared.p):
        lines += ["", *(f"{name:<24}{value}" for name, value in facts.items())]
        lines.append("p is of this one comparison, as if planned; the report's allows for every pair.")
    return "\n".join([*lines, "", found.sentence])


def _outcome(value: float) -> str:
    return "diverged" if value == math.inf else number(value)

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
from reports.numbers import EFFECT, PROBABILITY, SIGNED, listed, number, p_value
from reports.paired import Paired
from reports.recipe import options, twin, unlike
from reports.tables import leaderboard
from reports.text import as_text, filled

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
    settings: pd.DataFrame
    """Index setting, a column a cell: those that both have and that are not alike."""
    twin: str
    """Of two algorithms, the cell of the first one's that has the second's settings, if it ran."""
    compared: Paired

    @property
    def sentence(self) -> str:
        """What follows from it. The two were named beforehand, so one comparison is all that p allows for."""
        return verdict(self.compared, self.first, self.second, "first minus second", self.compared.p) + "."

    @property
    def caution(self) -> str:
        """What the sentence leaves open where two algorithms have different settings too, and what settles it."""
        one, other = self.board["algorithm"]
        if one == other or self.settings.empty:
            return ""
        names = listed(self.settings.index)
        if self.twin:
            found = f"compare {self.twin}, which has them as {self.second} has"
        else:
            found = f"run {one} as {self.second} is: {options(self.settings[self.second])}"
        return f"They differ in {names} too, which may be what decides: {found}."


def duel(results: Results, first: str, second: str, protocol: str | None = None) -> Duel:
    """The cells that two names mean; BenchError where they mean no two of one group (`reports.naming.meant`)."""
    group, (a, b) = meant(results, (first, second), protocol)
    _, rows = select(results, group)
    known = outcomes(rows)
    board = leaderboard(results, group).set_index("label", drop=False).loc[[a, b]].reset_index(drop=True)
    board.attrs.pop("unlike", None)  # which of the two are unlike is told beside it
    seeds = pd.DataFrame({a: known[a], b: known[b]})
    one, other = board["algorithm"]
    alike = twin(rows, one, like=b) if one != other else ""
    return Duel(group, a, b, board, seeds, unlike(rows, (a, b)).T, alike, pair(known[a], known[b]))


def as_words(found: Duel) -> str:
    """Both cells, every seed, the paired numbers and the sentence, for a terminal."""
    compared, values = found.compared, numbers(found.compared)
    named = f"first: {found.first}, second: {found.second}, lower is better"
    lines = [as_text(found.board), "", *filled([named]), ""]
    lines += [f"{'seed':<6}{'first':>11}{'second':>11}{'difference':>13}"]
    for seed, (a, b) in zip(found.seeds.index, found.seeds.to_numpy(dtype=float), strict=True):
        difference = number(a - b, SIGNED) if np.isfinite([a, b]).all() else "-"
        lines.append(f"{seed:<6}{_outcome(a):>11}{_outcome(b):>11}{difference:>13}")
    if len(found.settings):
        lines += ["", f"{'setting':<24}{'first':>11}{'second':>11}"]
        lines += [f"{name:<24} {a:>10} {b:>10}" for name, a, b in found.settings.itertuples(name=None)]
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
        lines += filled(["p is of this one comparison, as if planned; the report's allows for every pair."])
    said = [found.sentence, *([found.caution] if found.caution else [])]
    return "\n".join([*lines, "", *filled(said)])


def _outcome(value: float) -> str:
    return "diverged" if value == math.inf else number(value)

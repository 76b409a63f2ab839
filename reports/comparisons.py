"""Comparisons: one group's rows in, every two of its cells against each other out, and the ranks that this leaves.

Cells are paired by seed. What follows from a pair is said in a sentence, which never takes sides on one seed, nor where
Holm's adjustment for all comparisons of its table leaves a p above .05.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bench.diagnosis import COLLAPSED
from reports.layout import layout
from reports.numbers import SIGNED, number, plural
from reports.paired import ALPHA, MOST_SEEDS, Paired, holm

MORE_SEEDS = "run again with --seeds 3 or more"
BLOCKS, CONTENDERS = 5, 3
MOST_RANKED = 100
"""Cells that are compared with each other; allowing for the pairs of more would leave nothing to find."""
NUMBERS = ("difference", "low", "high", "pairs", "unpaired", "tried", "chance", "chance_low", "chance_high", "g")


def outcomes(rows: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Label of each cell -> seed -> FID, or infinity where the trial diverged, or NaN where it failed or did not end.

    Only a divergence is the algorithm's own doing; a failure may be the machine's, so it is no outcome.
    """
    return _split(_by_seed(rows), dict.fromkeys(rows.loc[rows["kind"] == "trial", "label"]))


def _by_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns label, seed and value, one row for each outcome."""
    trials = rows[rows["kind"] == "trial"]
    values = trials["fid"].astype(float).where(trials["status"] == "finished")
    values = values.mask(trials["status"] == "diverged", math.inf)
    found = trials[["label", "seed"]].assign(value=values).groupby(["label", "seed"])["value"].first()
    return found.reset_index()


def _split(by_seed: pd.DataFrame, labels: Iterable[str]) -> dict[str, pd.Series[float]]:
    """By label, in the order given."""
    seeds, values = by_seed["seed"].to_numpy(dtype=int), by_seed["value"].to_numpy(dtype=float)
    places = by_seed.groupby("label").indices
    return {label: pd.Series(values[places[label]], index=seeds[places[label]]) for label in labels}


def repeated(rows: pd.DataFrame) -> dict[str, str]:
    """Label of each cell that repeats another one -> the first of these: in some seed their FIDs are equal bit for bit.

    So it is with rows that are the same mathematics, and with code that changed without effect. They are one piece of
    evidence, whatever other machines made of their other seeds. Collapsed trials tell nothing: all black is all black.
    """
    by_seed = _by_seed(rows[~rows["diagnosis"].str.contains(COLLAPSED, regex=False, na=False)])
    by_seed = by_seed[np.isfinite(by_seed["value"])].sort_values("label")
    others = by_seed.groupby(["seed", "value"])["label"].transform("first")
    found: dict[str, str] = {}
    members: dict[str, list[str]] = defaultdict(list)
    for both in zip(by_seed["label"], others, strict=True):
        one, two = sorted(found.get(label, label) for label in both)
        if one != two:
            moved = [two, *members.pop(two, [])]
            found |= dict.fromkeys(moved, one)
            members[one] += moved
    return found


def pair(a: pd.Series[float], b: pd.Series[float]) -> Paired:
    """The seeds that both sides tried, in their order."""
    seeds, of_a, of_b = np.intersect1d(a.index, b.index, assume_unique=True, return_indices=True)
    left, right = a.to_numpy(dtype=float)[of_a], b.to_numpy(dtype=float)[of_b]
    known = ~(np.isnan(left) | np.isnan(right))
    return Paired(left[known], right[known], len(seeds) - int(known.sum()))


def ranked(rows: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """The outcomes of the GANs that have two or more, by mean FID: one seed, or a row that is no GAN, has no rank.

    Of cells that are the same (`repeated`) the first. Of more than MOST_RANKED, those of lowest mean FID.
    """
    by_seed = _by_seed(rows[~rows["no_gan"].astype(bool)])
    by_seed = by_seed[~by_seed["label"].isin(repeated(rows))]
    finite = by_seed.assign(mean=by_seed["value"].replace(math.inf, math.nan))
    cells = finite.groupby("label").agg(known=("value", "count"), mean=("mean", "mean")).query("known >= 2")
    best = cells.rename_axis("label").reset_index().sort_values(["mean", "label"])["label"][:MOST_RANKED]
    return _split(by_seed[by_seed["label"].isin(best)], best)


def pairs(rows: pd.DataFrame) -> dict[tuple[str, str], Paired]:
    """Every two cells that have a rank, the one of lower mean FID first."""
    return _paired(rows, itertools.combinations(ranked(rows), 2))


def _paired(rows: pd.DataFrame, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Paired]:
    """These pairs of cells, by what the layout of all that ran tells of their scatter, if it does."""
    known, first = outcomes(rows), repeated(rows)
    whole = layout({label: values for label, values in known.items() if label not in first})
    return {
        (a, b): replace(pair(known[a], known[b]), spread=whole.between(first.get(a, a), first.get(b, b)))
        for a, b in wanted
    }


def numbers(compared: Paired) -> dict[str, Any]:
    """NUMBERS, the columns that every table of comparisons has, of side a against side b."""
    difference, chance = compared.difference, compared.chance
    unpaired = len(compared.a) + compared.unknown - difference.n
    values = (
        difference.value, difference.low, difference.high, difference.n, unpaired, len(compared.a),
        chance.value, chance.low, chance.high, compared.g,
    )  # fmt: skip
    return dict(zip(NUMBERS, values, strict=True))


def verdict(compared: Paired, a: str, b: str, minus: str, p: float, family: int = 1, subject: str = "") -> str:
    """What follows for sides `a` and `b`, from p adjusted for `family` comparisons; `minus` names the difference.

    `subject` is what the two sides are of, where that is said once: 'dcgan' with the sides 'with BN' and 'without BN'.
    """
    effect, n = compared.difference, len(compared.a)
    start = f"{subject}: " if subject else ""
    if n == 0:
        return f"{start}no seed of {a} and {b} ended both ways; {MORE_SEEDS}"
    lost = ", ".join(f"{side} diverged in {k}" for side, k in zip((a, b), compared.diverged, strict=True) if k)
    lost = f" ({lost})" if lost else ""
    if n == 1:
        known = f" ({minus}: {number(effect.value, SIGNED)} FID)" if effect.n else lost
        return f"{start}one seed gives no verdict on {a} and {b}{known}{_more(compared.unknown)}; {MORE_SEEDS}"
    better, worse = (a, b) if compared.a_is_lower else (b, a)
    seeds = f"{plural(effect.n, 'seed')}{_more(n + compared.unknown - effect.n)}{lost}"
    if p <= ALPHA and compared.by_signs:
        won = max(compared.wins, compared.losses)
        counted = f"so in {won} of {n} seeds{lost}{_more(compared.unknown)}"
        return f"{subject} {better} is better than {worse}: {counted}".strip()
    if p <= ALPHA:
        return f"{subject} {better} is better than {worse} by {effect.size.text} FID, {seeds}".strip()
    known = f"{minus} {effect.text} FID, {seeds}"
    if not effect.n:
        known = f"none of {n + compared.unknown} seeds finished both ways{lost}"
    return f"{start}{a} and {b} are not separable, {known}{_why(compared, p, family)}"


def _more(seeds: int) -> str:
    """Seeds beyond those that were just counted."""
    return f"; {seeds} more did not finish both ways" if seeds else ""


def _why(compared: Paired, p: float, family: int) -> str:
    """What stands against a verdict and how many seeds would help; nothing where no seed tells the two apart."""
    if math.isnan(p):
        return ""
    if compared.by_signs:
        survivors = "survivors alone must not decide, and " if compared.difference.n else ""
        return f"; {survivors}the sign test over all seeds does not tell"
    alone = replace(compared, spread=None).p <= ALPHA
    said = f"; on their own they would be, but not as one of {family} comparisons (Holm p = {p:.2f})" if alone else ""
    if compared.difference.n == 2:
        return f"{said}; two seeds do not tell how many would, {MORE_SEEDS}"
    needed = compared.seeds_needed(family)
    if needed is None:
        return said
    amount = f"more than {MOST_SEEDS} seeds" if needed > MOST_SEEDS else f"roughly {needed} seeds in all"
    return f"{said}; {amount} would be needed to tell"


def pairwise(rows: pd.DataFrame) -> pd.DataFrame:
    """`pairs` as a frame, see `reports.tables.pairwise`."""
    return _frame(pairs(rows))


def chosen(rows: pd.DataFrame, wanted: Iterable[tuple[str, str]]) -> pd.DataFrame:
    """These pairs of cells, each a rival and its base, as a frame like `pairwise`, the lowest difference first.

    So few comparisons leave more to find than every two cells do: p allows for these alone. An interval is that of
    `pairwise`, whichever others are asked for.
    """
    return _frame(_paired(rows, wanted)).sort_values("difference", ignore_index=True)


def _frame(compared: dict[tuple[str, str], Paired]) -> pd.DataFrame:
    """A row for each pair of cells, p adjusted for all of them."""
    adjusted = holm([each.p for each in compared.values()])
    family = sum(not math.isnan(p) for p in adjusted)
    lines = [
        {"label": a, "other": b, **numbers(each), "p": p, "better": _better(each, a, b, p)}
        | {"verdict": verdict(each, a, b, "first minus second", p, family)}
        for ((a, b), each), p in zip(compared.items(), adjusted, strict=True)
    ]
    frame = pd.DataFrame(lines, columns=["label", "other", *NUMBERS, "p", "better", "verdict"])
    frame.attrs |= allowed_for(compared.values(), {"": family}, "layout")
    return frame


def allowed_for(compared: Iterable[Paired], families: dict[str, int], known_by: str) -> dict[str, Any]:
    """What the notes under a table of comparisons tell, as attrs of its frame, which all parts of it keep.

    `families` is how many comparisons p allows for, by what they are of where there are several such families;
    `known_by` names the module that tells more of the variances than each comparison's own differences, where it does.
    """
    shared = any(each.spread is not None for each in compared)
    return {"families": families, "known_by": known_by if shared else ""}


def _better(compared: Paired, a: str, b: str, p: float) -> str:
    if not p <= ALPHA:
        return ""
    return a if compared.a_is_lower else b


def ranks(rows: pd.DataFrame, compared: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Best and worst rank of every cell that has one: 1 and how many are surely better, all less the surely worse.

    A cell that repeats another has that one's.

    `compared` are the rows' `pairwise`.
    """
    cells = ranked(rows)
    best, worst = dict.fromkeys(cells, 1), dict.fromkeys(cells, len(cells))
    for a, b, better in compared.query("better != ''")[["label", "other", "better"]].itertuples(index=False, name=None):
        worst[better] -= 1
        best[b if better == a else a] += 1
    found = {cell: (best[cell], worst[cell]) for cell in cells}
    return found | {cell: found[first] for cell, first in repeated(rows).items() if first in found}


def blocks(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Ranks within each seed (rows) of the cells (columns), the seeds being those of every cell; ties share the mean.

    Cells of fewer than BLOCKS seeds are left out. None below BLOCKS common seeds or CONTENDERS cells, of which the
    Friedman and Nemenyi tests say little.
    """
    cells = pd.DataFrame({label: each for label, each in ranked(rows).items() if each.notna().sum() >= BLOCKS}).dropna()
    if len(cells) < BLOCKS or len(cells.columns) < CONTENDERS:
        return None
    return cells.rank(axis=1)

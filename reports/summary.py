"""Summary: what a group's tables say, in plain sentences. Claims no more than the seeds allow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.columns import UNTRAINED
from reports.agreement import agreement
from reports.groups import FLOOR, STATUSES, Group, select
from reports.numbers import listed, number, plural
from reports.stats import Estimate
from reports.tables import factor_effects, leaderboard, pairwise

if TYPE_CHECKING:
    from bench.results import Results


FEW = 2
"""Effects up to which each is said with its numbers."""
NAMED = 4
"""Cells that a sentence names, the best first; the tables below it have the others."""


def summary(results: Results, protocol: Group | str | None = None, *, single_seeds: bool = True) -> list[str]:
    """One group in sentences: what was run, the lowest FID, the effect of BN, what is missing for a verdict.

    Without `single_seeds` what follows from these is left for `on_single_seeds` to say of several groups at once.
    """
    group, _ = select(results, protocol)
    board = leaderboard(results, group)
    cells = board[board["kind"] == "cell"]
    sentences = [_what(group, cells)]
    scored = cells[cells["fid"].notna()]
    if scored.empty:
        return [*sentences, "No trial finished, so there is nothing to compare."]
    gans = scored[~scored["no_gan"]]
    if len(gans):
        sentences.append(_lowest(gans.iloc[0].to_dict(), board))
    sentences += _trivial(board, scored)
    pairs, effects = pairwise(results, group), factor_effects(results, group).query("both and repeats == ''")
    if len(pairs) > 1:
        sentences.append(_standing(pairs, all_ranked=bool(gans["rank_low"].notna().all())))
    elif effects.empty:
        sentences += [f"{verdict}." for verdict in pairs["verdict"]]
    sentences += _effects(effects[effects["tried"] != 1])
    said = on_single_seeds([board]) if single_seeds else ""
    alike = agreement(board, group)
    return [*sentences, *([said] if said else []), *([alike.text] if alike else [])]


def on_single_seeds(boards: list[pd.DataFrame]) -> str:
    """What follows from the cells of these leaderboards that have one seed; nothing where there are none."""
    trials = pd.concat([board.loc[(board["kind"] == "cell") & board["fid"].notna(), "trials"] for board in boards])
    if not (trials == 1).any():
        return ""
    return (
        f"{'Every cell has' if (trials == 1).all() else 'Some cells have'} a single seed, from which no verdict "
        "follows: another seed gives another score, and perhaps another order. Run again with --seeds 3 or more; a "
        "seed that is run twice counts once."
    )


def _trivial(board: pd.DataFrame, scored: pd.DataFrame) -> list[str]:
    """Which cells score no better than what took no training."""
    said = []
    references = board[(board["kind"] == "reference") & ~board["label"].str.startswith(FLOOR)]
    for name, fid in zip(references["label"], references["fid"], strict=True):
        better, rest = (list(scored.loc[(scored["fid"] < fid) == which, "label"]) for which in (True, False))
        if math.isnan(fid) or not rest:
            continue
        if len(better) > NAMED and len(rest) < len(better):
            which, left = f"{_named(rest)} {_score(rest)} no better than", "that"
        elif better:
            which, left = f"Only {_named(better)} {_score(better)} better than", "what the others score"
        else:
            which, left = "No cell scores better than", "what they score"
        if name == UNTRAINED:
            said.append(f"{which} an untrained generator; {left} says nothing yet.")
        else:
            said.append(f"{which} the answer '{name}', which takes no training.")
    return said


def _score(labels: list[str]) -> str:
    return "score" if len(labels) > 1 else "scores"


def _what(group: Group, cells: pd.DataFrame) -> str:
    trials, skipped, finished = (int(cells[column].sum()) for column in ("trials", "skipped", "finished"))
    counts = {status: int(cells[status].sum()) for status in STATUSES if status not in ("finished", "skipped")}
    odd = [f", {n} {'still running' if status == 'running' else status}" for status, n in counts.items() if n]
    run = plural(int((cells["trials"] > 0).sum()), "cell")
    text = f"{plural(trials, 'trial')} of {run} ran for {group.budget}{' each' if trials > 1 else ''}"
    collapsed = int(cells["collapsed"].sum())
    ill = f" ({collapsed} with modes collapsed)" if collapsed else ""
    text += f"; {finished if finished < trials else 'all' if trials > 1 else 'it'} finished{ill}{''.join(odd)}"
    if skipped:
        text += f"; {plural(skipped, 'cell')} {'was' if skipped == 1 else 'were'} skipped"
    return f"{text}. {group.samples:,} samples of each were scored."


def _lowest(best: dict[Any, Any], board: pd.DataFrame) -> str:
    seeds, trials = best["seeds"], best["trials"]
    estimate = Estimate(best["fid"], best["fid_low"], best["fid_high"], seeds)
    if seeds > 1:
        text = f"Lowest mean FID: {best['label']} with {estimate.text} over {seeds} seeds"
    else:
        text = f"Lowest FID: {best['label']} with {estimate.text} in "
        text += "its one seed" if trials == 1 else f"the one of its {trials} seeds that finished"
    if best["diverged"]:
        text += f"; {int(best['diverged'])} of its {trials} seeds diverged"
    references = board[board["no_gan"] & board["fid"].notna()]
    compared = [f"{row['label']} {number(row['fid'])}" for row in references.to_dict("records")]
    return text + (f" (for reference: {', '.join(compared)})." if compared else ".")


def _effects(effects: pd.DataFrame) -> list[str]:
    """What factors did: each verdict where there are few, else those that take sides, and which do not."""
    if len(effects) <= FEW:
        return [f"{verdict}." for verdict in effects["verdict"]]
    decided = effects["verdict"].str.contains(" is better than ", regex=False)
    said = [f"{verdict}." for verdict in effects.loc[decided, "verdict"]]
    for change, here in effects[~decided].groupby("change", sort=False):
        own, mean = (list(here.loc[(here["algorithm"] == "") == pooled, "label"]) for pooled in (False, True))
        places = [f"for {_named(own)}"] if own else []
        places += [f"on the {label}" for label in mean]
        said.append(f"No effect of changing {change} is established {', nor '.join(places)}.")
    return said


def _standing(pairs: pd.DataFrame, *, all_ranked: bool) -> str:
    """How the cell of the lowest mean FID, of those with a rank, stands against the others of them."""
    first = pairs["label"].iloc[0]
    there = pairs[pairs["label"] == first]
    above = there.loc[~there["better"].isin(["", first]), "other"]
    beaten = there.loc[there["better"] == first, "other"]
    apart = there.loc[there["tried"] < 2, "other"]
    alike = there.loc[(there["better"] == "") & (there["tried"] > 1), "other"]
    known = pairs["p"].notna().sum()
    allowed = f", with all {known:,} pairs of cells allowed for" if known > 1 else ""
    others = f"the other {len(there)}" + ("" if all_ranked else " with two seeds or more")
    if len(above):
        counted = "Over the seeds that both have, a divergence being worse than any score"
        return f"{counted}, {', '.join(above)} did better than {first}{allowed}."
    if len(beaten) == len(there):
        return f"{first} is better than each of {others}{allowed}."
    if len(alike) == len(there):
        return f"{first} is not separable from any of {others}{allowed}: the order of the table is not established."
    rest = {"not separable": alike, "not compared, for want of two seeds that both have": apart}
    said = "; ".join(f"{what}: {_named(cells)}" for what, cells in rest.items() if len(cells))
    found = f"{_named(beaten)} ({len(beaten)} of {others})" if len(beaten) else f"none of {others}"
    return f"{first} is better than {found}{allowed}; {said}."


def _named(labels: Iterable[str]) -> str:
    return listed(labels, NAMED)

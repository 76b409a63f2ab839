"""Summary: what a group's tables say, in plain sentences. Claims no more than the seeds allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.agreement import agreement
from reports.groups import Group, select
from reports.numbers import number, plural
from reports.stats import Estimate
from reports.tables import STATUSES, factor_effects, leaderboard, pairwise

if TYPE_CHECKING:
    from bench.results import Results


UNTRAINED = "untrained generator"
FEW = 2
"""Effects up to which each is said with its numbers."""


def summary(results: Results, protocol: Group | str | None = None) -> list[str]:
    """One group in sentences: what was run, the lowest FID, the effect of BN, what is missing for a verdict."""
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
    untrained = board.loc[board["label"] == UNTRAINED, "fid"].min()
    worse = scored[scored["fid"] >= untrained]
    if len(worse):
        better = scored.drop(worse.index)["label"]
        which = f"Only {', '.join(better)}" if len(better) else "No cell"
        verb = "scores" if len(better) < 2 else "score"
        sentences.append(f"{which} {verb} better than an untrained generator; another score says nothing yet.")
    pairs, effects = pairwise(results, group), factor_effects(results, group).query("both")
    if len(pairs) > 1:
        sentences.append(_standing(pairs, all_ranked=bool(gans["rank_low"].notna().all())))
    elif effects.empty:
        sentences += [f"{verdict}." for verdict in pairs["verdict"]]
    sentences += _effects(effects[effects["tried"] != 1])
    if (scored["trials"] == 1).any():
        which = "Every cell has" if (scored["trials"] == 1).all() else "Some cells have"
        sentences.append(
            f"{which} a single seed, from which no verdict follows: another seed can turn the order round. "
            "Run again with --seeds 3 or more; a seed that is run twice counts once."
        )
    alike = agreement(board, group)
    return [*sentences, alike.text] if alike else sentences


def _what(group: Group, cells: pd.DataFrame) -> str:
    trials, skipped, finished = (int(cells[column].sum()) for column in ("trials", "skipped", "finished"))
    counts = {status: int(cells[status].sum()) for status in STATUSES if status not in ("finished", "skipped")}
    odd = [f", {n} {'still running' if status == 'running' else status}" for status, n in counts.items() if n]
    run = plural(int((cells["trials"] > 0).sum()), "cell")
    text = f"{plural(trials, 'trial')} of {run} ran for {group.budget}{' each' if trials > 1 else ''}"
    collapsed = int(cells["collapsed"].sum())
    ill = f" ({collapsed} with modes collapsed)" if collapsed else ""
    text += f"; {'all' if finished == trials else finished} finished{ill}{''.join(odd)}"
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
        said.append(f"No effect of {change} is established for {', '.join(here['label'])}.")
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
    allowed = f", with all {known} pairs of cells allowed for" if known > 1 else ""
    others = f"the other {len(there)}" + ("" if all_ranked else " with two seeds or more")
    if len(above):
        counted = "Over the seeds that both have, a divergence being worse than any score"
        return f"{counted}, {', '.join(above)} did better than {first}{allowed}."
    if len(beaten) == len(there):
        return f"{first} is better than each of {others}{allowed}."
    if len(alike) == len(there):
        return f"{first} is not separable from any of {others}{allowed}: the order of the table is not established."
    rest = {"not separable": alike, "not compared, for want of two seeds that both have": apart}
    said = "; ".join(f"{what}: {', '.join(cells)}" for what, cells in rest.items() if len(cells))
    return f"{first} is better than {len(beaten) or 'none'} of {others}{allowed}; {said}."

"""Tables: results in, pandas frames out, one row a cell (leaderboard), a comparison or a trial (problems).

Numbers stay numbers; `as_text` and `as_markdown` (of `reports.text`) write them for people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.diagnosis import COLLAPSED, HEALTHY
from reports import comparisons, factors, recipe
from reports.groups import STATUSES, Group, all_rows, devices, protocols, select
from reports.notes import COUNTED
from reports.once import once
from reports.stats import Estimate, iqm_interval, mean_interval, median_interval
from reports.text import as_markdown, as_text

if TYPE_CHECKING:
    from bench.results import Results

__all__ = [
    "as_markdown", "as_text", "bn_effect", "factor_effects", "leaderboard", "pairwise", "problems", "protocols",
    "recipes",
]  # fmt: skip

SCORES = (
    "label", "kind", "algorithm", "no_gan", "rank_low", "rank_high", "seeds", "trials", "fid", "fid_low", "fid_high",
    "median", "median_low", "median_high", "iqm", "iqm_low", "iqm_high", "is_", "is_low", "is_high",
)  # fmt: skip
COSTS = ("seconds", "g_updates", "d_updates", "images", "params_g", "params_d")


@once
def leaderboard(results: Results, protocol: Group | str | None = None) -> pd.DataFrame:
    """One row a cell and a reference, by FID, those without one last. BenchError when the group is ambiguous.

    FID and IS are means over the seeds that finished, `*_low` and `*_high` bound the 95 % Student t interval (NaN for
    one seed); costs are means too. Median and IQM count a trial that diverged as infinite. `rank_low` and `rank_high`
    are the best and the worst rank that the comparisons leave open. Cells that failed, diverged or were skipped are
    rows with counts and a `reason`; `collapsed` counts those that finished with modes collapsed.
    """
    group, rows = select(results, protocol)
    extra = _further_metrics(rows, group)
    references = rows[rows["kind"] == "reference"]
    lines = [_reference_line(row, extra) for row in references.to_dict("records")]
    ranks, known = comparisons.ranks(rows, pairwise(results, group)), comparisons.outcomes(rows)
    means = rows[rows["status"] == "finished"].groupby("label")[[*extra, *COSTS]].mean().astype(float)
    read = ["label", "kind", "algorithm", "no_gan", "status", "fid", "is_", "reason", "diagnosis"]
    cells: dict[str, list[dict[Any, Any]]] = {}
    for row in rows.drop(references.index)[read].to_dict("records"):
        cells.setdefault(row["label"], []).append(row)
    for label, trials in cells.items():
        low, high = ranks.get(label, (math.nan, math.nan))
        line = _cell_line(trials, known.get(label, pd.Series(dtype=float)))
        measured = dict(means.loc[label]) if label in means.index else {}
        lines.append({**line, **measured, "rank_low": low, "rank_high": high})
    frame = pd.DataFrame(lines, columns=[*SCORES, *extra, *COSTS, *STATUSES, "collapsed", "reason"])
    frame = _headed(frame.sort_values(["fid", "label"], na_position="last", ignore_index=True), group)
    frame.attrs["devices"] = devices(rows)
    frame.attrs["repeated"] = comparisons.repeated(rows)
    frame.attrs["unlike"] = list(recipes(results, group).attrs["usual"])
    return frame


def _headed(frame: pd.DataFrame, group: Group) -> pd.DataFrame:
    # Plain strings, since pandas writes attrs into parquet files as JSON.
    frame.attrs |= {
        "track": group.track,
        "protocol": group.protocol,
        "protocol_text": group.text,
        "prefix": group.prefix,
    }
    return frame


def _further_metrics(rows: pd.DataFrame, group: Group) -> list[str]:
    """Metrics of as many samples as FID's, of whatever extractor and kind, that some trial has.

    Not the bounds within one trial, as KID's over subsets: a mean of those would pass for an interval over seeds.
    """
    known = {group.metric("fid"), group.metric("is")}
    suffix = group.metric("").removeprefix(f"{group.prefix}_")
    bounds = (f"_low{suffix}", f"_high{suffix}")
    names = [name for name in rows.columns if name.endswith(suffix) and not name.endswith(bounds) and name not in known]
    return [name for name in names if rows.loc[rows["status"] == "finished", name].notna().any()]


def _reference_line(row: dict[Any, Any], extra: list[str]) -> dict[str, Any]:
    line = {"label": row["name"], "kind": "reference", "algorithm": "", "no_gan": True, "seeds": 0, "trials": 0}
    return line | {name: row[name] for name in ("fid", "is_", *extra)} | {"reason": ""}


def _cell_line(trials: list[dict[Any, Any]], outcomes: pd.Series[float]) -> dict[str, Any]:
    counts = {status: sum(trial["status"] == status for trial in trials) for status in STATUSES}
    # Trials stopped on the way may hold a score of an unfinished generator, which is no result.
    fid, is_ = ([trial[name] for trial in trials if trial["status"] == "finished"] for name in ("fid", "is_"))
    return {
        "label": trials[0]["label"],
        "kind": "cell",
        "algorithm": trials[0]["algorithm"],
        "no_gan": bool(trials[0]["no_gan"]),
        "seeds": counts["finished"],
        "trials": sum(trial["kind"] == "trial" for trial in trials),
        **_estimated("fid", mean_interval(fid)),
        **_estimated("median", median_interval(outcomes)),
        **_estimated("iqm", iqm_interval(outcomes)),
        **_estimated("is_", mean_interval(is_)),
        **counts,
        "collapsed": sum(COLLAPSED in trial["diagnosis"] for trial in trials),
        "reason": "; ".join(sorted({trial["reason"] for trial in trials if trial["reason"]})),
    }


def _estimated(name: str, estimate: Estimate) -> dict[str, float]:
    stem = name.removesuffix("_")
    return {name: estimate.value, f"{stem}_low": estimate.low, f"{stem}_high": estimate.high}


@once
def pairwise(results: Results, protocol: Group | str | None = None) -> pd.DataFrame:
    """Every two cells with two seeds or more, `label` having the lower mean FID: label minus other, paired by seed.

    Of more than MOST_RANKED cells (`reports.comparisons`), those of lowest mean FID.
    `difference` is a mean over `pairs` seeds that finished both ways, with its 95 % Student t interval, from six cells
    on by the scatter of both in the whole table (`reports.layout`); `chance` is P(label better than other) over the
    `tried` seeds with an outcome on both sides, a divergence being worse than any score; `p` is adjusted
    for all rows that have one (Holm), and `better` is the cell that it speaks for, or empty.
    """
    group, rows = select(results, protocol)
    return _headed(comparisons.pairwise(rows), group)


def chosen(
    results: Results,
    pairs: Iterable[tuple[str, str]],
    protocol: Group | str | None = None,
) -> pd.DataFrame:
    """These pairs of cells, the first minus the second, with the columns of `pairwise`; the lowest difference first.

    `p` is adjusted for these comparisons alone (Holm), so there is more to find than among all pairs. Intervals are
    those of `pairwise`. What each cell's budget came to stands in the attrs, for the notes.
    """
    group, rows = select(results, protocol)
    frame = _headed(comparisons.chosen(rows, pairs), group)
    finished = rows[(rows["status"] == "finished") & rows["label"].isin([*frame["label"], *frame["other"]])]
    counts = finished.groupby("label", sort=False)[list(COUNTED)].mean().astype(float)
    frame.attrs["counts"] = counts.reset_index().to_dict("records")
    return frame


@once
def factor_effects(results: Results, protocol: Group | str | None = None, factor: str | None = None) -> pd.DataFrame:
    """Every factor's second value minus its first (BN: on minus off), paired by seed; one row for two cells alike else.

    BN comes first. Where several cells have a factor, a row more holds its effect on their mean. Columns are those of
    `pairwise` (`chance` is P(changed better than base)); `p` and `p_permutation` are adjusted for all rows about BN, or
    for all about other factors. `both` says whether there were two sides to compare, `repeats` that these repeat others
    to the last digit, `only` which one there was where a field took one value, `unpaired` how many seeds did not finish
    both. `factor` leaves the rows of one, with the numbers that they have among all.
    """
    if factor is not None:
        every = factor_effects(results, protocol)
        return every[every["factor"] == factor].reset_index(drop=True)
    group, rows = select(results, protocol)
    return _headed(factors.effects(rows), group)


def bn_effect(results: Results, protocol: Group | str | None = None) -> pd.DataFrame:
    """The rows of `factor_effects` about BN."""
    return factor_effects(results, protocol, "bn")


@once
def recipes(results: Results, protocol: Group | str | None = None) -> pd.DataFrame:
    """The cells whose settings are not all as most cells have them: `label`, and in `recipe` which are not; by FID.

    Of settings that all cells of the group have, whatever their algorithm, and that not every label says, as bn. What
    most cells have stands in the attrs, by setting (`usual`). No row where the group has one algorithm.
    """
    group, rows = select(results, protocol)
    return _headed(recipe.recipes(rows), group)


def problems(results: Results) -> pd.DataFrame:
    """Every trial and cell that gave no result, or a result with something wrong, of all groups.

    Columns: label, seed, status, reason (of a trial that finished, its diagnosis), how far it came.
    """
    rows = all_rows(results)
    ill = (rows["status"] == "finished") & ~rows["diagnosis"].isin(["", HEALTHY])
    rows = rows.assign(reason=rows["reason"].where(~ill, rows["diagnosis"]))
    rows = rows[ill | (rows["status"] != "finished")].sort_values(["label", "seed"], ignore_index=True)
    return rows[["label", "seed", "status", "reason", "steps", "images", "track", "protocol", "budget", "run_id"]]

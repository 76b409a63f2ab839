"""Tables: results in, pandas frames out, one row a cell (leaderboard), a comparison (BN) or a trial (problems).

Numbers stay numbers; `as_text` and `as_markdown` (of `reports.text`) write them for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from reports.groups import Group, config_key, labelled, protocols, select, without_bn
from reports.stats import Estimate, mean_interval
from reports.text import as_markdown, as_text

if TYPE_CHECKING:
    from bench.results import Results

__all__ = ["as_markdown", "as_text", "bn_comparisons", "bn_effect", "leaderboard", "problems", "protocols"]

STATUSES = ("finished", "diverged", "failed", "interrupted", "running", "skipped")
SCORES = (
    "label", "kind", "algorithm", "no_gan", "seeds", "trials", "fid", "fid_low", "fid_high", "is_", "is_low", "is_high",
)  # fmt: skip
COSTS = ("seconds", "g_updates", "d_updates", "images", "params_g", "params_d")
MORE_SEEDS = "run again with --seeds 3 or more"


def leaderboard(results: Results, protocol: Group | str | None = None, track: str | None = None) -> pd.DataFrame:
    """One row a cell and a reference, by FID, those without one last. BenchError when the group is ambiguous.

    FID and IS are means over the seeds that finished, `*_low` and `*_high` bound the 95 % Student t interval (NaN for
    one seed); costs are means too. Cells that failed, diverged or were skipped are rows with counts and a `reason`.
    """
    group, rows = select(results, protocol, track)
    extra = _further_metrics(rows, group)
    references = rows[rows["kind"] == "reference"]
    lines = [_reference_line(row, extra) for row in references.to_dict("records")]
    lines += [
        _cell_line(str(label), trials, extra)
        for label, trials in rows.drop(references.index).groupby("label", sort=False)
    ]
    frame = pd.DataFrame(lines, columns=[*SCORES, *extra, *COSTS, *STATUSES, "reason"])
    return _headed(frame.sort_values(["fid", "label"], na_position="last", ignore_index=True), group)


def _headed(frame: pd.DataFrame, group: Group) -> pd.DataFrame:
    # Plain strings, since pandas writes attrs into parquet files as JSON.
    frame.attrs = {
        "track": group.track,
        "protocol": group.protocol,
        "protocol_text": group.text,
        "prefix": group.prefix,
    }
    return frame


def _further_metrics(rows: pd.DataFrame, group: Group) -> list[str]:
    """Metrics of as many samples as FID's, of whatever extractor and kind, that some trial has."""
    known = {group.metric("fid"), group.metric("is")}
    suffix = group.metric("").removeprefix(f"{group.prefix}_")
    names = [name for name in rows.columns if name.endswith(suffix) and name not in known]
    return [name for name in names if rows.loc[rows["status"] == "finished", name].notna().any()]


def _reference_line(row: dict[Any, Any], extra: list[str]) -> dict[str, Any]:
    line = {"label": row["name"], "kind": "reference", "algorithm": "", "no_gan": True, "seeds": 0, "trials": 0}
    return line | {name: row[name] for name in ("fid", "is_", *extra)} | {"reason": ""}


def _cell_line(label: str, trials: pd.DataFrame, extra: list[str]) -> dict[str, Any]:
    counts = {status: int((trials["status"] == status).sum()) for status in STATUSES}
    # Trials stopped on the way may hold a score of an unfinished generator, which is no result.
    finished = trials[trials["status"] == "finished"]
    fid, inception_score = mean_interval(finished["fid"]), mean_interval(finished["is_"])
    return {
        "label": label,
        "kind": "cell",
        "algorithm": trials["algorithm"].iloc[0],
        "no_gan": bool(trials["no_gan"].iloc[0]),
        "seeds": counts["finished"],
        "trials": int((trials["kind"] == "trial").sum()),
        "fid": fid.mean,
        "fid_low": fid.low,
        "fid_high": fid.high,
        "is_": inception_score.mean,
        "is_low": inception_score.low,
        "is_high": inception_score.high,
        **{name: finished[name].astype(float).mean() for name in (*extra, *COSTS)},
        **counts,
        "reason": "; ".join(sorted({reason for reason in trials["reason"] if reason})),
    }


def bn_effect(results: Results, protocol: Group | str | None = None, track: str | None = None) -> pd.DataFrame:
    """BN on minus off, paired by seed: one row an algorithm and otherwise equal config of the group.

    `difference` is the mean of FID over `pairs` seeds that finished both ways (below zero: BN helps), with its 95 %
    Student t interval from two pairs on; `unpaired` seeds were tried both ways, but did not finish both. `verdict` says
    what follows, in words, and never takes side on one seed.
    """
    group, rows = select(results, protocol, track)
    columns = ["label", "algorithm", "on", "off", "difference", "low", "high", "pairs", "unpaired", "both", "verdict"]
    frame = pd.DataFrame([_bn_line(comparison) for comparison in bn_comparisons(rows)], columns=columns)
    return _headed(frame, group)


@dataclass(frozen=True)
class Comparison:
    """Two cells that differ in BN alone."""

    label: str
    sides: dict[bool, pd.DataFrame]
    """All rows with BN (True) and without (False)."""
    paired: pd.DataFrame
    """Columns `on` and `off`: FID of the seeds that finished both ways."""


def bn_comparisons(rows: pd.DataFrame) -> list[Comparison]:
    """Each algorithm and config of one group's rows, BN aside, by label."""
    rows = rows[(rows["kind"] != "reference") & rows["bn"].notna()]
    keys = [rows["algorithm"], rows["config"].map(lambda config: config_key(config, without="bn")).rename("key")]
    comparisons = []
    for _, trials in rows.groupby(keys, sort=False):
        on = trials["bn"].astype(bool)
        sides = {True: trials[on], False: trials[~on]}
        scores = {
            name: side.loc[side["status"] == "finished"].groupby("seed")["fid"].first()
            for name, side in (("on", sides[True]), ("off", sides[False]))
        }
        label = without_bn(str(trials["label"].iloc[0]))
        comparisons.append(Comparison(label, sides, pd.DataFrame(scores).dropna()))
    return sorted(comparisons, key=lambda comparison: comparison.label)


def _bn_line(comparison: Comparison) -> dict[str, Any]:
    label, sides, paired = comparison.label, comparison.sides, comparison.paired
    effect = mean_interval(paired["on"] - paired["off"])
    tried = {bn: set(side["seed"].dropna()) for bn, side in sides.items()}
    unpaired = len(tried[True] & tried[False]) - len(paired)
    return {
        "label": label,
        "algorithm": next(side for side in sides.values() if len(side))["algorithm"].iloc[0],
        "on": paired["on"].mean(),
        "off": paired["off"].mean(),
        "difference": effect.mean,
        "low": effect.low,
        "high": effect.high,
        "pairs": effect.n,
        "unpaired": unpaired,
        "both": bool(tried[True] and tried[False]),
        "verdict": _missing_side(label, sides) or _verdict(label, effect, unpaired),
    }


def _missing_side(label: str, sides: dict[bool, pd.DataFrame]) -> str:
    """Why there is nothing to compare, or nothing."""
    for bn, side in sides.items():
        name, other = ("on", "off") if bn else ("off", "on")
        if side.empty:
            return f"{label}: only bn={other} was run; compare with --bn on/off"
        if (side["status"] == "skipped").all():
            return f"{label}: bn={name} is skipped: {side['reason'].iloc[0]}"
    return ""


def _verdict(label: str, effect: Estimate, unpaired: int) -> str:
    left_out = f"; {unpaired} more did not finish both ways" if unpaired else ""
    if effect.n == 0:
        return f"{label}: no seed finished both ways; {MORE_SEEDS}"
    if effect.n == 1:
        return f"{label}: one seed gives no verdict (on minus off: {effect.mean:+.2f} FID){left_out}; {MORE_SEEDS}"
    seeds = f"{effect.n} seeds{left_out}"
    if effect.low <= 0 <= effect.high:
        return f"{label}: with and without BN are not separable, on minus off {effect.text} FID, {seeds}"
    better, worse = ("without", "with") if effect.mean > 0 else ("with", "without")
    return f"{label} {better} BN is better than {worse} BN by {effect.size.text} FID, {seeds}"


def problems(results: Results) -> pd.DataFrame:
    """Every trial and cell that gave no result, of all groups: label, seed, status, reason, how far it came."""
    rows = labelled(results.trials)
    rows = rows[rows["status"] != "finished"].sort_values(["label", "seed"], ignore_index=True)
    return rows[["label", "seed", "status", "reason", "steps", "images", "track", "protocol", "budget", "run_id"]]

"""Notes: what a reader must know beside a table's numbers. Takes frames of `reports.tables`, like `reports.columns`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from reports.columns import further_metrics, outcome
from reports.factors import family_of
from reports.numbers import listed, number, plural

COUNTED = {"d_updates": "D updates", "g_updates": "G updates", "images": "real images seen"}
"""What a budget may be counted in; it fixes one, and cells may differ in the others."""
ALIKE = 0.01
"""Counts are the same up to this part of them: an epoch of larger batches leaves more images out at its end."""
FEW = 3
"""Cells that are named one by one."""
NAMED = 4
"""Settings that a sentence names, those in which most cells differ first."""

KNOWN_BY = {
    "": "the variance of each alone",
    "layout": "the scatter of both cells beside what each seed does to all (two-way layout, Welch)",
    "moderated": "the variance of all comparisons (moderated, Smyth 2004), a mean's by its own",
}
"""In words, what a frame's `known_by` says of its variances (`reports.comparisons.allowed_for`)."""


def notes(frame: pd.DataFrame, hidden: Collection[str] = ()) -> list[str]:
    """What a reader must know beside the numbers, one sentence each; nothing of columns whose keys are `hidden`."""
    if "factor" in frame or "other" in frame:
        return _notes_of_comparisons(frame, hidden)
    if "area" in frame:
        return _notes_of_budgets(frame)
    if "recipe" in frame:
        usual = (f"{name} {value}" for name, value in frame.attrs["usual"].items())
        return [f"Most cells have {listed(usual)}."] if len(frame) else []
    return [] if "run_id" in frame else _notes_of_cells(frame, hidden)


def _notes_of_cells(frame: pd.DataFrame, hidden: Collection[str]) -> list[str]:
    cells = frame[frame["kind"] == "cell"]
    said = [
        f"{row['label']}: {outcome(row)}" + (f" - {row['reason']}" if row["reason"] else "")
        for row in cells.to_dict("records")
        if outcome(row) != "finished"
    ]
    said += [f"{label} is no GAN; it stands here for reference." for label in cells.loc[cells["no_gan"], "label"]]
    if ((cells["seeds"] == 1) & (cells["trials"] == 1)).any():
        said.append("One seed gives no verdict: a cell needs 2 or more for an interval (--seeds 3).")
    if (cells["seeds"] > 1).any():
        further = "; so are further metrics, without an interval" if set(further_metrics(frame)) - set(hidden) else ""
        said.append(
            f"FID and IS are means over the seeds that finished{further}. Intervals: 95 %, Student t, over seeds."
        )
    if ((cells["diverged"] > 0) & (cells["seeds"] > 0)).any():
        said.append("* The mean is of survivors alone. Rank, median and IQM count a seed that diverged as the worst.")
    there = set(cells["label"])
    said += [
        f"{label} repeats {other}: in a seed that both have, FID is the same to the last digit. The two count as one."
        for label, other in frame.attrs.get("repeated", {}).items()
        if label in there
    ]
    said += _unequal(cells)
    if unlike := frame.attrs.get("unlike"):
        said.append(f"Algorithms differ here in settings that all have, too {may_decide(unlike)}")
    if cells["rank_low"].notna().any():
        said.append(
            "Rank: 1-3 says that the cell is not separable from others on these ranks (t tests, Holm-corrected)."
        )
    if "median" not in hidden and cells["median"].notna().any() and (cells["trials"] >= 6).any():
        said.append("The median's interval lies between two order statistics.")
    if "iqm" not in hidden and cells["iqm"].notna().any():
        said.append("IQM: mean of the middle half, with a percentile bootstrap.")
    return said + _note_of_devices(frame)


def may_decide(settings: Sequence[str]) -> str:
    """The end of a sentence on cells of several algorithms that have these unlike."""
    return f"({listed(settings, NAMED)}), which may be what decides: 'bench compare A B' says which."


def _unequal(cells: pd.DataFrame) -> list[str]:
    """In what cells of one budget differ, by several turns of D for each of G or by batches of another size.

    A row that has no such turn at all, as one that is no GAN, is not told of here.
    """
    parts = []
    for name, what in COUNTED.items():
        counts = cells.loc[cells[name] > 0, ["label", name]].sort_values(name, kind="stable")
        level = (counts[name].pct_change() > ALIKE).cumsum()
        shares = [
            f"{number(each[name].mean(), ',.0f')} in {_some(list(each['label']))}" for _, each in counts.groupby(level)
        ]
        if len(shares) > 1:
            parts.append(f"{what} ({'; '.join(shares)})")
    return [f"Under this budget cells differ in {listed(parts)}."] if parts else []


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Those of the cells that a frame compares, as `reports.tables.chosen` puts them into its attrs."""
    return pd.DataFrame(frame.attrs.get("counts", []), columns=["label", *COUNTED])


def _some(labels: Sequence[str]) -> str:
    return listed(labels) if len(labels) <= FEW else plural(len(labels), "cell")


def _note_of_devices(frame: pd.DataFrame) -> list[str]:
    mixed = of_devices(frame.attrs.get("devices", []))
    return [f"{mixed}."] if mixed else []


def of_devices(where: Sequence[str]) -> str:
    """What seconds of these devices are not fit for, or nothing."""
    return f"Seconds are of different devices ({', '.join(where)}) and do not compare" if len(where) > 1 else ""


def _notes_of_comparisons(frame: pd.DataFrame, hidden: Collection[str]) -> list[str]:
    said = _verdicts(frame) if "factor" in frame else _unequal(_counts(frame))
    if frame["tried"].max() > 1:
        said.append(
            f"Differences are paired by seed, with 95 % intervals of Student t by {KNOWN_BY[frame.attrs['known_by']]}. "
            "p decides: of the t test, or of the sign test where survivors must not decide, adjusted for "
            f"{_allowed_for(frame)} (Holm)."
        )
        if "chance" not in hidden:
            whose = "what was changed" if "factor" in frame else "the cell" if "base" in frame.attrs else "the first"
            said.append(
                f"P(better) is of {whose} in one more seed, with its Clopper-Pearson interval; a tie counts half, and "
                "a seed that diverged is worse than any score."
            )
    if "p_permutation" not in hidden and "p_permutation" in frame and frame["p_permutation"].notna().any():
        n, rows = int(frame["pairs"].max()), int(frame["p_permutation"].groupby(_families(frame)).count().max())
        least = 2 / 2**n
        said.append(
            f"The permutation test supposes no distribution, but of {n} seeds it cannot get below {least:.2g}"
            + (f", and with {rows} rows allowed for not below {min(rows * least, 1):.2g}." if rows > 1 else ".")
        )
    return said


def _families(frame: pd.DataFrame) -> list[str]:
    """Of each row, the family of comparisons that its p allows for."""
    return [family_of(field) for field in frame["factor"]] if "factor" in frame else [""] * len(frame)


def _allowed_for(frame: pd.DataFrame) -> str:
    there = set(_families(frame))
    parts = [
        plural(size, "comparison") + (f" of {name}" if name else "")
        for name, size in frame.attrs["families"].items()
        if name in there and size
    ]
    return " and, apart from these, ".join(parts) or "no comparison"


def _verdicts(effects: pd.DataFrame) -> list[str]:
    """Each verdict, and in one sentence what was run one way alone."""
    alone = effects[effects["only"] != ""]
    said = list(effects.loc[effects["only"] == "", "verdict"])
    said += [f"Only {way} was run of {', '.join(here['label'])}." for way, here in alone.groupby("only", sort=False)]
    if (alone["factor"] == "bn").any():
        said.append("To compare them, run --bn on/off, where a row allows it: bench plan says so.")
    return said


def _notes_of_budgets(frame: pd.DataFrame) -> list[str]:
    target = frame.attrs.get("target")
    said = [
        "Medians over seeds of FID in training. Last and the mean along the way count a trial that diverged as worse "
        "than any score; best and reached count what it had before.",
        "The mean along the way is the area under the curve over images, divided by its width.",
    ]
    if target is not None:
        said.append(f"Reached: FID {target:,g} or less, as half the cells did, at the first evaluation that shows it.")
    return said + _note_of_devices(frame)

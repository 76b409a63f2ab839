"""Recipes: settings that cells of different algorithms share, and do not have alike.

Each algorithm brings those of its paper, so what two cells differ by may be the doing of their dropout or their rates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from bench.settings import as_text


def unlike(rows: pd.DataFrame, labels: Sequence[str] | None = None) -> pd.DataFrame:
    """The settings that all these cells (default: all that ran) have and not all have alike, as a user writes them.

    `rows` are one group's (`reports.groups.select`). Index label, a column a setting; those first in which most cells
    are not as the others are. Of one algorithm's cells, not what every label says, as bn.
    """
    ran = rows[rows["kind"] == "trial"]
    ran = (ran if labels is None else ran[ran["label"].isin(list(labels))]).drop_duplicates("label", keep="last")
    configs: dict[str, dict[str, Any]] = dict(zip(ran["label"], ran["config"], strict=True))
    shared = set[str].intersection(*map(set, configs.values()))
    alone = ran["algorithm"].nunique() == 1
    names = [name for name in next(iter(configs.values())) if name in shared and not (alone and _said(name, configs))]
    labels = list(labels or configs)
    written = {name: [as_text(configs[label][name]) for label in labels] for name in names}
    odd = {name: sum(value != _usual(values) for value in values) for name, values in written.items()}
    ordered = sorted((name for name in names if odd[name]), key=lambda name: -odd[name])
    return pd.DataFrame({name: written[name] for name in ordered}, labels)


def recipes(rows: pd.DataFrame) -> pd.DataFrame:
    """The cells whose settings are not all as most cells have them; the columns stand at `reports.tables.recipes`."""
    found = unlike(rows) if rows.loc[rows["kind"] == "trial", "algorithm"].nunique() > 1 else pd.DataFrame()
    found = found[[name for name in found if not _said(str(name), found.index)]]
    usual = {str(name): _usual(values) for name, values in found.items()}
    own = {
        label: ", ".join(f"{name} {value}" for name, value in values.items() if value != usual[str(name)])
        for label, values in zip(found.index, found.to_dict("records"), strict=True)
    }
    order = rows.groupby("label")["fid"].mean().sort_values(kind="stable").index
    lines = [(label, own[label]) for label in order if own.get(label)]
    frame = pd.DataFrame(lines, columns=["label", "recipe"])
    frame.attrs["usual"] = usual
    return frame


def twin(rows: pd.DataFrame, algorithm: str, like: str) -> str:
    """The cell of this algorithm that has every setting as the cell `like` has, of those that both have; or nothing."""
    ran = rows[(rows["kind"] == "trial") & (rows["algorithm"] == algorithm)]
    return next((label for label in dict.fromkeys(ran["label"]) if unlike(rows, [label, like]).empty), "")


def options(settings: pd.Series[str]) -> str:
    """'--bn on --set dropout=0.0': what `bench run` takes for these."""
    return " ".join(f"--bn {value}" if name == "bn" else f"--set {name}={value}" for name, value in settings.items())


def _said(name: str, labels: Iterable[str]) -> bool:
    return all(f" {name}=" in label for label in labels)


def _usual(values: Iterable[str]) -> str:
    """What most have; of as many, what comes first."""
    return Counter(values).most_common(1)[0][0]

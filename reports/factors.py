"""Factors: one group's rows in, the effect of BN and of every other field that a grid varied out, paired by seed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench.settings import as_text
from reports.comparisons import NUMBERS, allowed_for, numbers, outcomes, pair, repeated, verdict
from reports.groups import config_key, mark, without
from reports.moderated import moderated
from reports.numbers import listed
from reports.paired import Paired, holm

Sides = tuple["pd.Series[float]", "pd.Series[float]"]
"""Outcomes by seed of the changed side and of the base."""
COLUMNS = ("label", "algorithm", "factor", "change", "only", "repeats", "base", "changed")


@dataclass(frozen=True)
class Factor:
    """Otherwise equal cells of one algorithm and one version of its code that differ in one field alone."""

    field: str
    label: str
    """What the cells have in common."""
    algorithm: str
    cells: dict[Any, str]
    """Value of the field -> label of its cell; what is off, none or smaller comes first and is the base."""
    repeats: str = ""
    """In words that its cells repeat another's, or each other (`reports.comparisons.repeated`), or nothing."""

    @property
    def values(self) -> tuple[Any, ...]:
        """Of the field, the base's first."""
        return tuple(self.cells)

    def side(self, value: Any) -> str:
        """'with BN', 'without BN', 'with augment=none'."""
        if self.field == "bn":
            return "with BN" if value else "without BN"
        return f"with {self.field}={as_text(value)}"


def factors(rows: pd.DataFrame) -> list[Factor]:
    """BN of every cell that has the switch, then every other field that otherwise equal cells differ in.

    Skipped cells take part, so that a side that makes no sense is said. What another version of the code trained is no
    side of today's: the two have rows of their own, which the label tells apart.
    """
    found: list[Factor] = []
    first = repeated(rows)
    for algorithm, here in rows[rows["kind"] != "reference"].groupby("algorithm"):
        configs: dict[str, dict[str, Any]] = dict(zip(here["label"], here["config"], strict=True))
        codes: dict[str, str] = dict(zip(here["label"], here["code"], strict=True))
        for field in {key for config in configs.values() for key in config}:
            alike: dict[tuple[str, str], dict[Any, str]] = {}
            for label, config in configs.items():
                if isinstance(config.get(field), (str, int, float)):  # a stranger's file may hold lists
                    key = (config_key(config, without=field), codes[label])
                    alike.setdefault(key, {})[config[field]] = label
            versions = Counter(config for config, _ in alike)
            for (config_alike, code), cells in alike.items():
                if len(cells) > 1 or field == "bn":
                    ordered = dict(sorted(cells.items(), key=lambda item: _base_first(item[0])))
                    label = without(next(iter(ordered.values())), field)
                    if versions[config_alike] > 1:
                        label = label.removesuffix(mark("code", code)) + mark("code", code)
                    repeats = _repeated(ordered, field, first)
                    found.append(Factor(field, label, str(algorithm), ordered, repeats))
    return sorted(found, key=lambda factor: (factor.field != "bn", factor.field, factor.label))


def _repeated(cells: dict[Any, str], field: str, first: dict[str, str]) -> str:
    if len(cells) > 1 and len({first.get(label, label) for label in cells.values()}) == 1:
        return "the same to the last digit either way"
    if len(cells) < 2 or not first.keys() >= set(cells.values()):
        return ""
    others = dict.fromkeys(without(first[label], field) for label in cells.values())
    return f"repeats {listed(others)} to the last digit"


def _base_first(value: Any) -> tuple[bool, bool, Any]:
    return value not in ("none", "off"), isinstance(value, str), value


def family_of(field: str) -> str:
    """Whose comparisons p allows for: BN is the question put to every grid, so no other factor weakens its answer."""
    return "BN" if field == "bn" else "other factors"


def effects(rows: pd.DataFrame) -> pd.DataFrame:
    """The effect of every factor; the columns stand at `reports.tables.factor_effects`.

    A row that is no GAN has its own effect and no part in the mean, of which one seed is no member yet. Cells
    that repeat another's or each other (`reports.comparisons.repeated`) have neither a p nor a part in the mean.
    """
    no_gans = set(rows.loc[rows["no_gan"].astype(bool), "algorithm"])
    known = outcomes(rows)
    skipped = rows[rows["kind"] == "skip"]
    reasons = dict(zip(skipped["label"], skipped["reason"], strict=True))
    found = factors(rows)
    sides: list[tuple[Factor, Sides]] = []
    for same in dict.fromkeys((factor.field, factor.values) for factor in found):
        members = [(each, _sides(each, known)) for each in found if (each.field, each.values) == same]
        counted = [both for each, both in members if not each.repeats and each.algorithm not in no_gans]
        there = [both for both in counted if len(pair(*both).a) > 1]
        sides += members
        if len(there) > 1:
            together = Factor(same[0], f"mean of {len(there)}", "", dict.fromkeys(same[1], ""))
            sides.append((together, mean_sides(there)))
    compared = [pair(*both) for _, both in sides]
    # A mean scatters less than what it is of, and what repeats another says nothing more of how things scatter.
    own = [i for i, (each, _) in enumerate(sides) if each.algorithm and not each.repeats]
    for i, lent in zip(own, moderated([compared[i] for i in own]), strict=True):
        compared[i] = lent
    of = [family_of(each.field) for each, _ in sides]
    repeats = np.array([each.repeats != "" for each, _ in sides], dtype=bool)
    p_values, p_permutation = (
        pd.Series(values, dtype=float).mask(repeats).groupby(of).transform(lambda p: np.array(holm(list(p))))
        for values in ([each.p for each in compared], [each.p_permutation for each in compared])
    )
    families = {str(family): int(n) for family, n in p_values.groupby(of).count().items()}
    lines = [
        _line(factor, both, each)
        | {"p": p, "p_permutation": q}
        | {"verdict": _nothing_to_compare(factor, reasons) or _verdict(factor, each, p, families[family])}
        for (factor, both), each, p, q, family in zip(sides, compared, p_values, p_permutation, of, strict=True)
    ]
    frame = pd.DataFrame(lines, columns=[*COLUMNS, *NUMBERS, "p", "p_permutation", "both", "verdict"])
    frame.attrs |= allowed_for(compared, families, "moderated")
    return frame


def _sides(factor: Factor, known: dict[str, pd.Series[float]]) -> Sides:
    """The outcomes of both sides, empty ones where there are not two."""
    nothing = pd.Series(dtype=float)
    if len(factor.cells) != 2:
        return nothing, nothing
    base, changed = (known.get(label, nothing) for label in factor.cells.values())
    return changed, base


def mean_sides(sides: Sequence[Sides]) -> Sides:
    """The mean over several pairs of cells, in the seeds that all of them tried.

    Seeds are the sample, not algorithms: two algorithms of one seed share their data and latents. A seed counts as
    diverged on a side where any of its cells did.
    """
    changed, base = (
        pd.concat(list(columns), axis=1, join="inner").mean(axis=1, skipna=False)
        for columns in zip(*sides, strict=True)
    )
    return changed, base


def _line(factor: Factor, sides: Sides, compared: Paired) -> dict[str, Any]:
    both = np.isfinite(compared.a) & np.isfinite(compared.b)
    base, changed = (float(side[both].mean()) if both.any() else math.nan for side in (compared.b, compared.a))
    first, last = as_text(factor.values[0]), as_text(factor.values[-1])
    return {
        "label": factor.label,
        "algorithm": factor.algorithm,
        "factor": factor.field,
        "change": f"{factor.field} {first} to {last}" if len(factor.values) == 2 else factor.field,
        "only": f"{factor.field}={first}" if len(factor.values) == 1 else "",
        "repeats": factor.repeats,
        "base": base,
        "changed": changed,
        **numbers(compared),
        "both": not sides[0].empty and not sides[1].empty,
    }


def _verdict(factor: Factor, compared: Paired, p: float, family: int) -> str:
    changed, base = (factor.side(value) for value in reversed(factor.values))
    minus = " minus ".join(as_text(value) for value in reversed(factor.values))
    return verdict(compared, changed, base, minus, p, family, factor.label)


def _nothing_to_compare(factor: Factor, reasons: dict[str, str]) -> str:
    """Why there are not two sides, or not two of its own, or nothing."""
    if factor.repeats:
        return f"{factor.label}: {factor.repeats}"
    field, values = factor.field, [as_text(value) for value in factor.values]
    for value, label in zip(values, factor.cells.values(), strict=True):
        if label in reasons:
            return f"{factor.label}: {field}={value} is skipped: {reasons[label]}"
    if len(values) == 1:
        return f"{factor.label}: only {field}={values[0]} was run"
    if len(values) > 2:
        return f"{factor.label}: {field} took {len(values)} values ({', '.join(values)}); see the pairs of cells"
    return ""

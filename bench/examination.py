"""What the doctor found of the metrics, and what must hold of it.

Takes scores of damaged sets by name, gives verdicts. Knows neither images nor how they were scored, so that whoever
reads a store can read it too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

Measured = dict[str, dict[str, float]]
"""Probe -> metric -> value."""

REAL = "real train digits"
SHOWN = ("fid", "fid_second", "is", "precision", "recall", "coverage", "missing", "diversity")
LEAST_ACCURACY = {"first": 0.99, "second": 0.98}
"""Shares of real digits that the extractors must read as labelled."""


@dataclass(frozen=True)
class Check:
    """Something that must hold of what was measured."""

    promise: str
    holds: Callable[[Measured], bool]


def _rises(metric: str, *probes: str) -> Check:
    def holds(measured: Measured) -> bool:
        values = [measured[probe][metric] for probe in probes]
        return all(low < high for low, high in itertools.pairwise(values))

    return Check(f"{metric.upper()} rises: {', '.join(probes)}", holds)


CHECKS = (
    Check(
        "no damaged set has a lower FID than real digits",
        lambda m: all(m[REAL]["fid"] < scores["fid"] for probe, scores in m.items() if probe != REAL),
    ),
    _rises("fid", REAL, "shifted by 1 pixel", "shifted by 2 pixels"),
    _rises("fid", REAL, "blurred, 3x3", "blurred, 5x5"),
    _rises("fid", REAL, "noise, sd 0.1", "noise, sd 0.3", "uniform noise"),
    _rises("fid", REAL, "digits 0 to 7", "digits 0 to 4"),
    _rises("fid", REAL, "ten images a digit", "one image a digit"),
    Check(
        "a collapse to one image a digit deceives IS, but neither recall nor diversity",
        lambda m: (
            m["one image a digit"]["is"] > m[REAL]["is"] - 0.5
            and m["one image a digit"]["recall"] < 0.05
            and m["one image a digit"]["diversity"] < 0.05
        ),
    ),
    Check(
        "missing digits are counted: none of real ones, 2 and 5 of the others",
        lambda m: [m[probe]["missing"] for probe in (REAL, "digits 0 to 7", "digits 0 to 4")] == [0, 2, 5],
    ),
    Check(
        "damage to pixels costs precision, missing digits do not",
        lambda m: m["noise, sd 0.3"]["precision"] < m[REAL]["precision"] - 0.2 < m["digits 0 to 4"]["precision"],
    ),
)


@dataclass(frozen=True)
class Examination:
    """What was found."""

    measured: Measured
    by_number: dict[int, float]
    """FID of so many real digits, the largest number first."""
    floor: float
    """FID of 10,000 real digits that was measured when the extractor was made."""
    accuracy: dict[str, float]
    """Share of real digits that each extractor reads as labelled."""

    def verdicts(self) -> dict[str, bool]:
        """What must hold -> whether it does."""
        found = {check.promise: check.holds(self.measured) for check in CHECKS}
        falls = all(many < few for many, few in itertools.pairwise(self.by_number.values()))
        most, fid = next(iter(self.by_number.items()))
        # Nearly all of this FID is the bias of few images, which falls as their number rises.
        found |= {
            "FID of real digits falls with their number": falls,
            "FID of real digits is, for their number, at most twice what it was when the extractor was made": (
                fid <= 2 * self.floor * 10_000 / most
            ),
        }
        for name, least in LEAST_ACCURACY.items():
            found[f"the {name} extractor reads at least {least:.0%} of real digits"] = self.accuracy[name] >= least
        return found

    def to_json(self) -> str:
        """One line of JSON, for the store."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Examination:
        """The inverse of `to_json`; ValueError for what is none, or lacks a number that is checked or shown."""
        try:
            values = json.loads(text)
            by_number = {int(count): float(fid) for count, fid in values["by_number"].items()}
            found = cls(values["measured"], by_number, values["floor"], values["accuracy"])
            found.verdicts()
            missing = {name for scores in found.measured.values() for name in SHOWN if name not in scores}
        except (KeyError, TypeError, AttributeError, StopIteration) as error:
            raise ValueError(f"no examination of this version: {error} is missing") from error
        if missing:
            raise ValueError(f"no examination of this version: {', '.join(sorted(missing))} is missing")
        return found

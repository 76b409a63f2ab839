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
LEAST_ACCURACY = 0.99


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
    accuracy: float
    """Share of real training digits that the classifier reads as labelled."""

    def verdicts(self) -> dict[str, bool]:
        """What must hold -> whether it does."""
        found = {check.promise: check.holds(self.measured) for check in CHECKS}
        falls = all(many < few for many, few in itertools.pairwise(self.by_number.values()))
        return found | {
            "FID of real digits falls with their number": falls,
            f"the extractor reads at least {LEAST_ACCURACY:.0%} of real digits": self.accuracy >= LEAST_ACCURACY,
        }

    def to_json(self) -> str:
        """One line of JSON, for the store."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Examination:
        """The inverse of `to_json`."""
        values = json.loads(text)
        by_number = {int(count): fid for count, fid in values["by_number"].items()}
        return cls(values["measured"], by_number, values["accuracy"])

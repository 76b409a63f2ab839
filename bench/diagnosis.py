"""What became of a trial, in one of a few words and a sentence: a tag of its run, a column of the results.

Takes the status, the final scores, D's loss as it was logged, and the score of an untrained generator; gives a
`Diagnosis`. Knows neither networks nor stores. The rules, in this order:

    diverged                  a loss became NaN or infinite
    discriminator saturation  D's loss at the end is below `SATURATED` of the highest it was: nothing is left to learn
                              from it. Only where losses are positive; a critic's is no such measure.
    no learning               FID is not below `LEARNED` of an untrained generator's, and samples do not look real
    mode collapse             samples lack digits, lie in few, or are near copies within a digit (`COLLAPSE`); or curves
                              are parabolas (`REAL`) of at most `COVERED` of the family; or of the thousand modes of
                              stacked digits there are at most `SPREAD` of those that as many even draws would show
    healthy                   none of these

A trial may have more than one; the first is its name, all are in the sentence. A generator that learned nothing lacks
digits too, which is not called collapse; one that makes a single good digit has no better FID than an untrained one,
hence the look at precision (`REAL`). Of real digits of one class FID is 232, class_kl 2.3, missing 9, of two 151, 1.6
and 8, of eight 19, 0.23 and 2; of ten digits repeated recall and diversity are 0; of all 0.9, 0.006, 0, and 0.9 and 1
(1,000 images, against 189 for FID of an untrained generator).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.defaults import MODES
from bench.protocol import metric_name

SATURATED = 0.01
LEARNED = 0.9
REAL = 0.1
"""Precision, or the share of valid curves, from which on samples look real."""
COVERED = 0.5
"""The share of the curves' family; real ones cover all of it, copies of one parabola a twentieth."""
SPREAD = 0.5
"""The share of the modes that as many even draws would show: 632 for 1,000 samples, all 1,000 for 26,000."""
HEALTHY, COLLAPSED = "healthy", "mode collapse"
LAST = 0.1
"""The end of a training: this share of its logged losses."""


@dataclass(frozen=True)
class Bound:
    """A metric and the value from which on it tells of collapse."""

    metric: str
    value: float
    above: bool

    def broken(self, value: float) -> bool:
        """Whether a value lies on the wrong side."""
        return value >= self.value if self.above else value <= self.value


COLLAPSE = (
    Bound("missing", 2, above=True),
    Bound("class_kl", 0.5, above=True),
    Bound("diversity", 0.3, above=False),
    Bound("recall", 0.01, above=False),
)


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the first of it the trial's name."""

    findings: tuple[tuple[str, str], ...]
    """(name, evidence)."""

    @property
    def name(self) -> str:
        """healthy, diverged, discriminator saturation, no learning or mode collapse."""
        return self.findings[0][0] if self.findings else HEALTHY

    def __str__(self) -> str:
        return "; ".join(f"{name}: {evidence}" for name, evidence in self.findings) or HEALTHY


def diagnose(
    reason: str,
    scores: Mapping[str, float],
    d_losses: Sequence[float],
    untrained: Mapping[str, float],
    *,
    samples: int,
    prefix: str,
) -> Diagnosis:
    """The diagnosis of a trial that finished, or of one that diverged for `reason`.

    `scores` and `untrained` are of the names that `samples` and `prefix` make; `d_losses` in order.
    """
    if reason:
        return Diagnosis((("diverged", reason),))
    findings = []
    end = d_losses[-max(round(len(d_losses) * LAST), 1) :]
    if d_losses and min(end) >= 0 and sum(end) / len(end) < SATURATED * max(d_losses):
        now = sum(end) / len(end)
        findings.append(("discriminator saturation", f"D's loss is {now:.2g} at the end and was {max(d_losses):.2g}"))

    def score(metric: str, of: Mapping[str, float] = scores) -> float:
        return of.get(metric_name(metric, samples, prefix), math.nan)

    fid, before = score("fid"), score("fid", untrained)
    if fid >= LEARNED * before and not score("precision") >= REAL:
        findings.append(("no learning", f"FID {fid:.1f} where an untrained generator has {before:.1f}"))
    else:
        found = [f"{bound.metric} {score(bound.metric):.2g}" for bound in COLLAPSE if bound.broken(score(bound.metric))]
        # Digits have a coverage too, of another meaning; where no curve is valid, there are no modes to count.
        if score("valid") >= REAL and score("coverage") <= COVERED:
            found.append(f"coverage {score('coverage'):.2g}")
        shown = round(MODES * (1 - (1 - 1 / MODES) ** samples))
        if score("modes") <= SPREAD * shown:
            found.append(f"modes {score('modes'):.0f} where even draws show {shown}")
        if found:
            findings.append((COLLAPSED, ", ".join(found)))
    return Diagnosis(tuple(findings))

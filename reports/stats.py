"""Statistics of few seeds. Takes numbers, gives estimates with their uncertainty; knows nothing of GANs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over n seeds; `low` and `high` bound its interval and are NaN for fewer than two seeds."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def size(self) -> Estimate:
        """The estimate without its sign, for sentences such as 'better by 2.10'."""
        return self if self.mean >= 0 else Estimate(-self.mean, -self.high, -self.low, self.n)

    @property
    def text(self) -> str:
        """'2.10 [1.20, 3.00]', or the bare mean without an interval."""
        return f"{self.mean:.2f}" + ("" if math.isnan(self.low) else f" [{self.low:.2f}, {self.high:.2f}]")


def mean_interval(values: Iterable[float], level: float = LEVEL) -> Estimate:
    """Mean and two-sided Student t interval; missing values do not count.

    Student t rather than a bootstrap: with 3 to 5 seeds the true coverage of a nominal 95 % is .945 against .72 to .84.
    """
    sample = np.asarray([value for value in values if not np.isnan(value)], dtype=float)
    n = len(sample)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(sample.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    half = float(stats.t.ppf((1 + level) / 2, n - 1) * sample.std(ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)

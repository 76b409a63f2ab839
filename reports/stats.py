"""Statistics of one sample of few seeds: numbers in, estimates with their uncertainty out. Knows nothing of GANs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from reports.numbers import estimated

LEVEL = 0.95
MANY = 20
"""Values from which the interquartile mean and a bootstrap say something."""
RESAMPLES = 2_000


@dataclass(frozen=True)
class Estimate:
    """A statistic of n values; `low` and `high` bound its interval and are NaN where there is none."""

    value: float
    low: float
    high: float
    n: int

    @property
    def size(self) -> Estimate:
        """The estimate without its sign, for sentences such as 'better by 2.10'."""
        return self if self.value >= 0 else Estimate(-self.value, -self.high, -self.low, self.n)

    @property
    def text(self) -> str:
        """'2.10 [1.20, 3.00]', the bare value without an interval, '-' of no values."""
        return estimated(self.value, self.low, self.high)


def _known(values: Iterable[float]) -> np.ndarray:
    return np.asarray([value for value in values if not np.isnan(value)], dtype=float)


def mean_interval(values: Iterable[float]) -> Estimate:
    """Mean and two-sided Student t interval, which two values or more have; missing values do not count.

    Student t rather than a bootstrap: with 3 to 5 seeds the true coverage of a nominal 95 % is .945 against .72 to .84.
    """
    sample = _known(values)
    n = len(sample)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(sample.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    half = float(_t_quantile((1 + LEVEL) / 2, n - 1) * sample.std(ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


@cache
def _t_quantile(share: float, degrees: int) -> float:
    return float(stats.t.ppf(share, degrees))


def median_interval(values: Iterable[float]) -> Estimate:
    """Median and the interval between two order statistics (sign test), whatever the distribution; infinity is allowed.

    At 95 % it takes six values: even the whole range of five holds the median with .9375 only. True coverage is at
    least that, and more for most n, since there are no order statistics in between.
    """
    sample = _known(values)
    if len(sample) == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    low, high = (math.nan if place is None else float(np.sort(sample)[place]) for place in _places(len(sample)))
    return Estimate(float(np.median(sample)), low, high, len(sample))


@cache
def _places(n: int) -> tuple[int | None, int | None]:
    """Which of n sorted values bound the median."""
    interval = stats.quantile_test(np.arange(n), p=0.5).confidence_interval(LEVEL)
    low, high = (None if np.isnan(place) else int(place) for place in (interval.low, interval.high))
    return low, high


def iqm_interval(values: Iterable[float]) -> Estimate:
    """Interquartile mean (of the middle half) and percentile bootstrap; NaN below MANY values.

    Infinity is allowed: more than a quarter of it reaches the middle half, which then has no interval. Source: Agarwal
    et al.: Deep RL at the Edge of the Statistical Precipice, arXiv:2108.13264. The resampling is seeded.
    """
    sample = _known(values)
    n = len(sample)
    if n < MANY:
        return Estimate(math.nan, math.nan, math.nan, n)
    value = float(stats.trim_mean(sample, 0.25))
    if math.isinf(value):
        return Estimate(value, math.nan, math.nan, n)
    # By hand, since scipy's bootstrap interpolates between resamples, of which some may be infinite.
    resampled = np.random.default_rng(0).choice(sample, (RESAMPLES, n))
    shares = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(stats.trim_mean(resampled, 0.25, axis=1), shares, method="inverted_cdf")
    return Estimate(value, float(low), float(high), n)

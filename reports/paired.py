"""Two samples paired by seed: what differs, how sure that is, and how many seeds more would tell.

Takes outcomes where lower is better: a score, or infinity for a seed that diverged, which is worse than any score and
as bad as another divergence. Knows nothing of GANs or frames.

The difference of means and the t test need scores on both sides, so they see the survivors only. Survivors must not
make a side look better: where the side with the better survivors diverged in a seed that the other finished, the exact
sign test over all seeds takes the t test's place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from reports.stats import LEVEL, Estimate, mean_interval

ALPHA = 1 - LEVEL
POWER = 0.8
MOST_SEEDS = 100
"""Where the search for a number of seeds ends."""
EXACT_UP_TO = 13
"""Pairs of which all 2^n changes of sign are tried; of more, as many at random."""


@dataclass(frozen=True)
class Spread:
    """A variance, and how well it is known: as by so many degrees of freedom."""

    variance: float
    df: float


@dataclass(frozen=True)
class Paired:
    """Outcomes `a` and `b` over the same seeds, and how many further seeds had no outcome on one of the sides."""

    a: np.ndarray
    b: np.ndarray
    unknown: int = 0
    spread: Spread | None = None
    """Of the differences, by all that a table tells (`reports.moderated`, `reports.layout`); None: by their own."""

    @property
    def differences(self) -> np.ndarray:
        """a - b of the seeds with a score on both sides."""
        both = np.isfinite(self.a) & np.isfinite(self.b)
        return np.asarray(self.a[both] - self.b[both])

    @cached_property
    def difference(self) -> Estimate:
        """Mean of the differences with its Student t interval."""
        alone = mean_interval(self.differences)
        if self.spread is None or alone.n < 2:
            return alone
        deviation, df = self._spread
        half = float(special.stdtrit(df, (1 + LEVEL) / 2)) * deviation / math.sqrt(alone.n)
        return Estimate(alone.value, alone.value - half, alone.value + half, alone.n)

    @cached_property
    def _spread(self) -> tuple[float, float]:
        """Standard deviation of two differences or more, and its degrees of freedom."""
        spread = self.spread or Spread(float(self.differences.var(ddof=1)), len(self.differences) - 1)
        return math.sqrt(spread.variance), spread.df

    @property
    def wins(self) -> int:
        """Seeds in which a is better."""
        return int((self.a < self.b).sum())

    @property
    def losses(self) -> int:
        """Seeds in which b is better."""
        return int((self.a > self.b).sum())

    @property
    def ties(self) -> int:
        """Seeds with equal outcomes, such as two divergences."""
        return len(self.a) - self.wins - self.losses

    @property
    def diverged(self) -> tuple[int, int]:
        """Seeds that diverged on side a, on side b."""
        return int(np.isinf(self.a).sum()), int(np.isinf(self.b).sum())

    @cached_property
    def chance(self) -> Estimate:
        """P(a better than b) in one more seed, ties counting half, with the Clopper-Pearson interval.

        Half a win has no exact interval, so its lower bound is that of half a win less and its upper bound that of half
        a win more.
        """
        n = len(self.a)
        if n == 0:
            return Estimate(math.nan, math.nan, math.nan, 0)
        won = self.wins + self.ties / 2
        return Estimate(won / n, _clopper_pearson(math.floor(won), n)[0], _clopper_pearson(math.ceil(won), n)[1], n)

    @cached_property
    def by_signs(self) -> bool:
        """Whether the sign test decides, since survivors would flatter the side with the better ones."""
        lost_a = int((np.isinf(self.a) & ~np.isinf(self.b)).sum())
        lost_b = int((np.isinf(self.b) & ~np.isinf(self.a)).sum())
        if self.difference.n < 2:
            return lost_a + lost_b > 0
        return (lost_a if self.difference.value < 0 else lost_b) > 0

    @cached_property
    def p(self) -> float:
        """Two-sided p of 'no difference': paired t test, or the exact sign test (`by_signs`); NaN below two pairs."""
        if len(self.a) < 2:
            return math.nan
        if self.by_signs:
            return float(stats.binomtest(self.wins, self.wins + self.losses).pvalue)
        n = self.difference.n
        if n < 2:
            return math.nan
        # By hand, since scipy warns of the few digits that are left when all differences are nearly equal.
        deviation, df = self._spread
        if deviation == 0:
            return float(self.difference.value == 0)
        return float(2 * special.stdtr(df, -abs(self.difference.value) * math.sqrt(n) / deviation))

    @property
    def a_is_lower(self) -> bool:
        """Whether side a is the better one, however sure that is."""
        return self.wins > self.losses if self.by_signs else self.difference.value < 0

    @cached_property
    def p_permutation(self) -> float:
        """Two-sided p of the paired permutation test of the mean difference; NaN below two pairs.

        Signs of the differences are changed: all 2^n ways up to EXACT_UP_TO pairs. It supposes no distribution, but n
        seeds cannot get below 2 / 2^n, so five never get below .0625.
        """
        if self.difference.n < 2:
            return math.nan
        found = stats.permutation_test(
            (self.differences,),
            lambda values, axis: np.mean(values, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=2**EXACT_UP_TO,
            rng=np.random.default_rng(0),
        )
        return float(found.pvalue)

    @cached_property
    def g(self) -> float:
        """Hedges' g of paired samples: mean over standard deviation of the differences, corrected for few pairs.

        NaN below three pairs, whose correction is no number, and where all differences are equal. Source: Hedges 1981,
        Journal of Educational Statistics 6(2), equation 6e for n - 1 degrees of freedom.
        """
        n = self.difference.n
        spread = float(self.differences.std(ddof=1)) if n > 2 else 0.0
        return math.nan if spread == 0 else _hedges(self.difference.value / spread, n - 1)

    def seeds_needed(self, family: int) -> int | None:
        """Seeds in all that give a paired t test 80 % power at the effect seen here; None where g is unknown.

        As one of `family` comparisons, hence at the level that Holm asks of the first of them. A rough figure, since
        few seeds know the effect roughly; MOST_SEEDS + 1 stands for more than MOST_SEEDS.
        """
        if math.isnan(self.g):
            return None
        deviation, df = self._spread
        effect = _hedges(abs(self.difference.value) / deviation, df)
        lent = math.floor(2 * (df - (self.difference.n - 1))) / 2  # rounded down, so that pairs share what is cached
        enough = _COUNTS[_detectable(ALPHA / family, lent) <= effect]
        return max(int(enough[0]), len(self.a) + 1) if len(enough) else MOST_SEEDS + 1


def _hedges(effect: float, df: float) -> float:
    """A mean over a deviation of so many degrees of freedom, corrected for few of them."""
    correction = math.exp(special.gammaln(df / 2) - special.gammaln((df - 1) / 2)) / math.sqrt(df / 2)
    return float(correction * effect)


@cache
def _clopper_pearson(won: int, n: int) -> tuple[float, float]:
    low, high = proportion_confint(won, n, ALPHA, method="beta")
    return float(low), float(high)


_COUNTS = np.arange(3, MOST_SEEDS + 1)


@cache
def _detectable(alpha: float, lent: float = 0.0) -> np.ndarray:
    """For each of _COUNTS the smallest g that a t test at level `alpha` of so many seeds finds with POWER.

    With `lent` degrees of freedom more than these seeds have. From the noncentral t beyond the critical value; the far
    tail, where the sign would be wrong, is next to nothing.
    """
    df = _COUNTS - 1 + lent
    critical = stats.t.isf(alpha / 2, df)
    return np.asarray(special.nctdtrinc(df, 1 - POWER, critical) / np.sqrt(_COUNTS))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjustment for all the values that are known; NaN stays NaN.

    By hand, since statsmodels' multipletests collects garbage at each call, which takes a tenth of a second.
    """
    adjusted = np.asarray(p_values, dtype=float)
    order = np.argsort(adjusted)[: int((~np.isnan(adjusted)).sum())]  # NaN comes last
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * adjusted[order]), 1)
    return [float(p) for p in adjusted]

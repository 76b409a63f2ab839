"""Intervals of one sample against values by hand, scipy's own formulas and simulated truth."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.stats import MANY, Estimate, iqm_interval, mean_interval, median_interval

DRAWS = 2_000


def coverage(interval, draw, truth, draws=DRAWS):
    """The share of intervals that hold the truth, and its standard error were it .95."""
    rng = np.random.default_rng(0)
    held = [e.low <= truth <= e.high for e in (interval(draw(rng)) for _ in range(draws))]
    return np.mean(held), math.sqrt(0.95 * 0.05 / draws)


def test_interval_of_three_values_by_hand():
    # mean 18, sd sqrt((1 + 0 + 1) / 2) = 1, t(.975, 2 df) = 4.30265 of any printed table: 18 +- 4.30265 / sqrt(3).
    estimate = mean_interval([17.0, 18.0, 19.0])
    assert (estimate.value, estimate.n) == (18.0, 3)
    assert estimate.low == pytest.approx(18 - 2.48414, abs=1e-4)
    assert estimate.high == pytest.approx(18 + 2.48414, abs=1e-4)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_interval_is_that_of_the_one_sample_t_test(n):
    sample = np.random.default_rng(n).normal(20, 3, n)
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    estimate = mean_interval(sample)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_mean_is_nominal(n):
    share, error = coverage(mean_interval, lambda rng: rng.normal(20, 1, n), 20)
    assert share == pytest.approx(0.95, abs=4 * error)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_mean_holds_roughly_where_fid_is_skewed(n):
    # Log-normal with sigma .3, as skewed as FID of few seeds was seen to be; t loses a little, never much.
    share, _ = coverage(mean_interval, lambda rng: rng.lognormal(0, 0.3, n), math.exp(0.045))
    assert 0.925 < share < 0.965


def test_a_median_has_an_interval_from_six_values_on():
    # Of five the whole range holds the median with 1 - 2 / 2^5 = .9375 only.
    assert median_interval([1, 2, 3, 4, 50]).value == 3
    assert math.isnan(median_interval([1, 2, 3, 4, 50]).low)
    six = median_interval([1, 2, 3, 4, 5, 60])
    assert (six.low, six.high) == (1, 60)


@pytest.mark.parametrize("n", [6, 10])
def test_coverage_of_the_median_is_at_least_nominal_whatever_the_distribution(n):
    share, error = coverage(median_interval, lambda rng: rng.standard_cauchy(n), 0, 600)
    assert share > 0.95 - 3 * error


def test_a_median_counts_divergences_as_the_worst():
    assert median_interval([10, 20, math.inf]).value == 20
    assert median_interval([10, math.inf, math.inf]).value == math.inf


def test_the_interquartile_mean_is_of_the_middle_half_and_takes_many():
    assert math.isnan(iqm_interval(range(MANY - 1)).value)
    # 0 .. 19 and one outlier: the middle ten are 5 .. 14, mean 9.5, whatever the rest.
    assert iqm_interval([*range(19), 1e6]).value == 9.5


def test_the_bootstrap_of_many_is_roughly_nominal():
    # 200 draws: a standard error of .0154; a percentile bootstrap of twenty lies a little below its level.
    share, _ = coverage(iqm_interval, lambda rng: rng.normal(0, 1, 2 * MANY), 0, 200)
    assert 0.88 < share < 0.98


def test_the_bootstrap_is_as_wide_as_scipys():
    sample = np.random.default_rng(3).normal(0, 1, 40)

    def middle(values, axis):
        return stats.trim_mean(values, 0.25, axis=axis)

    expected = stats.bootstrap((sample,), middle, method="percentile", rng=np.random.default_rng(7))
    found = iqm_interval(sample)
    # Two drawings of some thousand resamples: each bound scatters by a few hundredths of the width.
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert found.high - found.low == pytest.approx(width, rel=0.07)


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert math.isnan(mean_interval([3.0]).low)
    assert mean_interval([3.0]).text == "3.00"
    assert math.isnan(mean_interval([]).value)
    assert math.isnan(median_interval([]).value)


def test_missing_values_do_not_count():
    assert mean_interval([17.0, math.nan, 19.0]).n == 2
    assert median_interval([17.0, math.nan, 19.0]).value == 18


def test_size_of_a_negative_effect_is_its_mirror_image():
    assert Estimate(-2.0, -3.0, -1.0, 3).size.text == "2.00 [1.00, 3.00]"


def test_more_than_a_quarter_of_divergences_reach_the_middle_half():
    lost = iqm_interval([*range(20), *[math.inf] * 10])
    assert lost.value == math.inf
    assert math.isnan(lost.low)


def test_fewer_divergences_leave_a_mean_of_the_middle_half_whose_interval_may_have_no_end():
    # Of 20 values five are cut off either side: 5 .. 14 remain, whether the worst ones are large or infinite.
    some = iqm_interval([*range(15), *[math.inf] * 5])
    assert some.value == 9.5
    assert some.low < 9.5 < some.high == math.inf
    one = iqm_interval([*range(19), math.inf])
    assert one.value == 9.5
    assert (one.low, one.high) == pytest.approx(
        (iqm_interval([*range(19), 1e6]).low, iqm_interval([*range(19), 1e6]).high)
    )


def test_text_hides_no_small_number_and_has_a_dash_for_none():
    assert Estimate(0.0031, 0.0029, 0.0033, 3).text == "0.0031 [0.0029, 0.0033]"
    assert mean_interval([]).text == "-"

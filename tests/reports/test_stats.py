"""Intervals against values worked out by hand and against scipy's own formula."""

import math

import numpy as np
import pytest
from scipy import stats

from reports.stats import Estimate, mean_interval


def test_interval_of_three_values_by_hand():
    # mean 18, sd sqrt((1 + 0 + 1) / 2) = 1, t(.975, 2 df) = 4.30265 of any printed table: 18 +- 4.30265 / sqrt(3).
    estimate = mean_interval([17.0, 18.0, 19.0])
    assert (estimate.mean, estimate.n) == (18.0, 3)
    assert estimate.low == pytest.approx(18 - 2.48414, abs=1e-4)
    assert estimate.high == pytest.approx(18 + 2.48414, abs=1e-4)


@pytest.mark.parametrize("n", [2, 5, 10])
def test_interval_is_that_of_the_one_sample_t_test(n):
    sample = np.random.default_rng(n).normal(20, 3, n)
    expected = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    estimate = mean_interval(sample)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


def test_coverage_is_nominal_for_three_seeds():
    # 4,000 draws: the standard error of a coverage of .95 is .0034.
    rng = np.random.default_rng(0)
    hits = [e.low <= 20 <= e.high for e in (mean_interval(rng.normal(20, 1, 3)) for _ in range(4000))]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.014)


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert math.isnan(mean_interval([3.0]).low)
    assert mean_interval([3.0]).text == "3.00"
    assert math.isnan(mean_interval([]).mean)


def test_missing_values_do_not_count():
    assert mean_interval([17.0, math.nan, 19.0]).n == 2


def test_size_of_a_negative_effect_is_its_mirror_image():
    assert Estimate(-2.0, -3.0, -1.0, 3).size.text == "2.00 [1.00, 3.00]"

"""What many comparisons lend to each other: against known distributions, by hand, and against simulated truth."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from reports.moderated import LEAST, MOST, fitted, moderated
from reports.paired import Paired, Spread, holm


def drawn(rng, cells, seeds, scatter, gap):
    """Outcomes [cells, seeds] around 30, of cells whose deviations around 2 scatter by e^scatter; half are worse."""
    deviations = 2 * np.exp(rng.normal(0, scatter, (cells, 1)))
    means = 30 + np.where(np.arange(cells) < cells // 2, 0, gap)[:, None]
    return means + rng.normal(0, 1, seeds) + deviations * rng.normal(0, 1, (cells, seeds))


def pairs_of(outcomes):
    return [Paired(a, b) for a, b in itertools.combinations(outcomes, 2)]


@pytest.mark.parametrize(("df", "variance"), [(4.0, 9.0), (1.5, 0.2)])
def test_the_fit_finds_the_distribution_that_variances_were_drawn_from(df, variance):
    """Scaled inverse chi squares, and sample variances of 2 and of 4 degrees of freedom from them."""
    rng = np.random.default_rng(0)
    of_sample = rng.choice([2, 4], 50_000)
    true = df * variance / rng.chisquare(df, of_sample.size)
    found = fitted(true * rng.chisquare(of_sample) / of_sample, of_sample)
    assert found.df == pytest.approx(df, rel=0.05)
    assert found.variance == pytest.approx(variance, rel=0.05)


def test_one_variance_for_all_is_known_for_sure():
    rng = np.random.default_rng(1)
    found = fitted(4 * rng.chisquare(2, 400) / 2, np.full(400, 2))
    assert found.df > 20
    assert found.variance == pytest.approx(4, rel=0.15)


def test_p_and_interval_by_hand():
    # Differences 4, 5, 9: mean 6, own variance 7; here 4 is known, by 5 degrees of freedom.
    found = Paired(np.array([14.0, 15.0, 19.0]), np.full(3, 10.0), spread=Spread(4.0, 5))
    error = math.sqrt(4 / 3)
    assert found.p == pytest.approx(2 * stats.t.sf(6 / error, 5))
    half = stats.t.ppf(0.975, 5) * error
    assert (found.difference.low, found.difference.high) == pytest.approx((6 - half, 6 + half))
    assert found.g == pytest.approx(Paired(found.a, found.b).g), "an effect size is of the pair's own"


def test_few_comparisons_lend_nothing():
    pairs = pairs_of(drawn(np.random.default_rng(2), 6, 3, 0.5, 0.0))
    assert len(pairs) == LEAST
    assert all(each.spread is None for each in moderated(pairs[:-1]))
    variances = np.array([stats.tvar(pair.a - pair.b) for pair in pairs])
    prior = fitted(variances, np.full(LEAST, 2))
    df = min(prior.df, MOST)
    for each, variance in zip(moderated(pairs), variances, strict=True):
        assert each.spread.df == pytest.approx(df + 2)
        assert each.spread.variance == pytest.approx((df * prior.variance + 2 * variance) / (df + 2))


def test_pairs_that_know_no_variance_neither_lend_nor_fail():
    pairs = pairs_of(drawn(np.random.default_rng(3), 7, 3, 0.5, 0.0))
    single = Paired(np.array([1.0]), np.array([2.0]))
    equal = Paired(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    lent = moderated([*pairs, single, equal])
    assert [each.spread for each in lent[: len(pairs)]] == [each.spread for each in moderated(pairs)]
    assert math.isnan(lent[-2].p)
    assert 0 < lent[-1].p < 1, "three equal differences are no proof"


def test_a_pair_with_a_score_on_both_sides_lends_nothing():
    pairs = pairs_of(drawn(np.random.default_rng(3), 6, 3, 0.5, 0.0))[: LEAST - 1]
    same = Paired(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    assert all(each.spread is None for each in moderated([*pairs, same]))


@pytest.mark.parametrize("scatter", [0.0, 0.5, 1.0])
def test_false_positives_stay_rare_and_intervals_cover(scatter):
    """Eight cells that are all alike: the share of tables with any verdict, and of intervals that hold 0."""
    rng, tables_ = np.random.default_rng(4), 250
    wrong, covered = [], []
    for _ in range(tables_):
        lent = moderated(pairs_of(drawn(rng, 8, 3, scatter, 0.0)))
        wrong.append(min(holm([each.p for each in lent])) <= 0.05)
        covered += [each.difference.low <= 0 <= each.difference.high for each in lent]
    error = math.sqrt(0.05 * 0.95 / tables_)
    assert np.mean(wrong) <= 0.05 + 2.6 * error
    assert np.mean(covered) >= 0.93


def test_what_anybody_sees_is_found():
    """Ten cells of three seeds, half of them ten deviations worse: alone their pairs say next to nothing."""
    rng = np.random.default_rng(5)
    shares = {False: [], True: []}
    for _ in range(60):
        outcomes = drawn(rng, 10, 3, 0.5, 20.0)
        for lend, found in shares.items():
            pairs = pairs_of(outcomes)
            p = holm([each.p for each in (moderated(pairs) if lend else pairs)])
            apart = [(a < 5) != (b < 5) for a, b in itertools.combinations(range(10), 2)]
            found.append(np.mean(np.array(p)[apart] <= 0.05))
    assert np.mean(shares[False]) < 0.3
    assert np.mean(shares[True]) > 0.9


def test_fewer_seeds_are_needed_where_others_lend():
    pair = Paired(np.array([30.0, 31.0, 33.0]), np.array([31.0, 33.0, 34.5]))
    variance = float(pair.differences.var(ddof=1))
    lent = Paired(pair.a, pair.b, spread=Spread(variance, 5))
    assert 3 < lent.seeds_needed(10) < pair.seeds_needed(10)


def test_seeds_needed_have_the_power_of_the_noncentral_t_with_what_was_lent():
    pair = Paired(np.array([30.0, 31.0, 33.0]), np.array([31.0, 33.0, 33.3]), spread=Spread(0.5, 5))
    # Differences -1, -2, -.3; Hedges' correction for 5 degrees of freedom.
    effect = 1.1 / math.sqrt(0.5) * math.gamma(2.5) / math.gamma(2) / math.sqrt(2.5)

    def power(n):
        return stats.nct.sf(stats.t.isf(0.05 / 10 / 2, n + 2), n + 2, effect * math.sqrt(n))

    assert pair.seeds_needed(10) == next(n for n in range(4, 100) if power(n) >= 0.8)

"""What many comparisons lend to each other: against known distributions, by hand, and against simulated truth."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from reports import tables
from reports.moderated import LEAST, MOST, fitted, moderated
from reports.notes import notes
from reports.paired import Paired, Prior, holm


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
    # Differences 4, 5, 9: mean 6, variance 7, 2 degrees of freedom. With 3 more of variance 2 it is 20 / 5 = 4.
    found = Paired(np.array([14.0, 15.0, 19.0]), np.full(3, 10.0), prior=Prior(3, 2.0))
    error = math.sqrt(4 / 3)
    assert found.p == pytest.approx(2 * stats.t.sf(6 / error, 5))
    half = stats.t.ppf(0.975, 5) * error
    assert (found.difference.low, found.difference.high) == pytest.approx((6 - half, 6 + half))
    assert found.g == pytest.approx(Paired(found.a, found.b).g), "an effect size is of the pair's own"


def test_few_comparisons_lend_nothing():
    pairs = pairs_of(drawn(np.random.default_rng(2), 6, 3, 0.5, 0.0))
    assert len(pairs) == LEAST
    assert all(each.prior is None for each in moderated(pairs[:-1]))
    lent = moderated(pairs)
    assert {each.prior for each in lent} == {lent[0].prior}
    assert lent[0].prior.df <= MOST
    variances = np.array([stats.tvar(pair.a - pair.b) for pair in pairs])
    assert lent[0].prior.variance == pytest.approx(fitted(variances, np.full(LEAST, 2)).variance)


def test_pairs_that_know_no_variance_neither_lend_nor_fail():
    pairs = pairs_of(drawn(np.random.default_rng(3), 7, 3, 0.5, 0.0))
    single = Paired(np.array([1.0]), np.array([2.0]))
    equal = Paired(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    lent = moderated([*pairs, single, equal])
    assert lent[0].prior == moderated(pairs)[0].prior
    assert math.isnan(lent[-2].p)
    assert 0 < lent[-1].p < 1, "three equal differences are no proof"


def test_a_pair_with_a_score_on_both_sides_lends_nothing():
    pairs = pairs_of(drawn(np.random.default_rng(3), 6, 3, 0.5, 0.0))[: LEAST - 1]
    same = Paired(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
    assert all(each.prior is None for each in moderated([*pairs, same]))


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


@pytest.mark.parametrize("noise", [1.0, 5.0])
def test_one_base_for_all_makes_few_false_verdicts(noise):
    """Thirty cells that are alike against one that scatters otherwise, of which twelve are asked for."""
    rng, tables_ = np.random.default_rng(7), 250
    wrong, covered = [], []
    for _ in range(tables_):
        base = 30 + noise * 2 * rng.normal(0, 1, 3)
        lent = moderated([Paired(cell, base) for cell in drawn(rng, 30, 3, 0.5, 0.0)])[:12]
        wrong.append(min(holm([each.p for each in lent])) <= 0.05)
        covered += [each.difference.low <= 0 <= each.difference.high for each in lent]
    assert np.mean(wrong) <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / tables_)
    assert np.mean(covered) >= 0.9 - 2.6 * math.sqrt(0.1 * 0.9 / tables_), "a table's intervals share their base"


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
    lent = Paired(pair.a, pair.b, prior=Prior(3, variance))
    assert 3 < lent.seeds_needed(10) < pair.seeds_needed(10)


def test_seeds_needed_have_the_power_of_the_noncentral_t_with_what_was_lent():
    pair = Paired(np.array([30.0, 31.0, 33.0]), np.array([31.0, 33.0, 33.3]), prior=Prior(3, 0.2))
    differences = np.array([-1.0, -2.0, -0.3])
    deviation = math.sqrt((3 * 0.2 + 2 * differences.var(ddof=1)) / 5)
    # Hedges' correction for 5 degrees of freedom.
    effect = -differences.mean() / deviation * math.gamma(2.5) / math.gamma(2) / math.sqrt(2.5)

    def power(n):
        return stats.nct.sf(stats.t.isf(0.05 / 10 / 2, n + 2), n + 2, effect * math.sqrt(n))

    assert pair.seeds_needed(10) == next(n for n in range(4, 100) if power(n) >= 0.8)


def test_tables_say_so(builder):
    names = ("dcgan", "lsgan", "hinge", "ragan", "wgan", "r1")
    few = dict(zip(names[:-1], drawn(np.random.default_rng(6), 5, 3, 0.3, 20.0).tolist(), strict=True))
    builder.trials(**few)
    assert "by the variance of each alone" in " ".join(notes(tables.pairwise(builder.results())))
    builder.trials(r1=[29.0, 30.5, 31.0])
    after = tables.pairwise(builder.results())
    assert len(after) == LEAST
    assert "by the variance of all comparisons (moderated, Smyth 2004)" in " ".join(notes(after))
    worse, better = names[2:5], (*names[:2], "r1")
    for row in after.to_dict("records"):
        first, second = row["label"].split()[0], row["other"].split()[0]
        assert (row["better"] != "") is (first in better and second in worse)

"""Paired statistics against values by hand, enumeration, closed forms and simulated truth."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from reports.paired import ALPHA, MOST_SEEDS, Paired, holm

NULL = 1_500
"""Simulated comparisons: the standard error of a rate of .05 is .0056."""


def of(differences):
    """Pairs with these differences a - b."""
    return Paired(20.0 + np.asarray(differences, dtype=float), np.full(len(differences), 20.0))


def rejected(draw, p, n=NULL, seed=0):
    """How often p falls below .05 over n draws of a pair."""
    rng = np.random.default_rng(seed)
    return np.mean([p(draw(rng)) <= ALPHA for _ in range(n)])


def correlated(rng, n, effect=0.0):
    """Two sides of n seeds whose scores share the seed's luck; the difference has a standard deviation of 1."""
    luck = rng.normal(20, 3, n)
    return Paired(luck + rng.normal(effect, math.sqrt(0.5), n), luck + rng.normal(0, math.sqrt(0.5), n))


def enumerated(differences):
    """Share of all changes of signs with a mean at least as far from zero."""
    d = np.asarray(differences, dtype=float)
    means = [abs(np.mean(d * signs)) for signs in itertools.product((1, -1), repeat=len(d))]
    return np.mean(np.asarray(means) >= abs(d.mean()) - 1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_permutation_p_is_that_of_enumeration(n):
    rng = np.random.default_rng(n)
    for _ in range(5):
        d = rng.normal(0.7, 1, n)
        assert of(d).p_permutation == pytest.approx(enumerated(d))


@pytest.mark.parametrize("n", [3, 5])
def test_permutation_p_has_its_floor(n):
    # However clear: n seeds cannot get below 2 / 2^n.
    assert of(np.arange(100.0, 100 + n)).p_permutation == pytest.approx(2 / 2**n)


def test_p_is_that_of_scipys_paired_t_test():
    rng = np.random.default_rng(1)
    pair = correlated(rng, 6, 1.0)
    assert pair.p == pytest.approx(stats.ttest_rel(pair.a, pair.b).pvalue)


def test_equal_differences_need_no_spread():
    assert of([1.0, 1.0, 1.0]).p == 0
    assert of([0.0, 0.0]).p == 1
    assert math.isnan(of([1.0, 1.0, 1.0]).g)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_false_positives_are_as_many_as_alpha_says(n):
    assert rejected(lambda rng: correlated(rng, n), lambda pair: pair.p) == pytest.approx(ALPHA, abs=0.02)


def test_the_permutation_test_does_not_exceed_alpha():
    assert rejected(lambda rng: correlated(rng, 7), lambda pair: pair.p_permutation, 400) <= ALPHA + 0.03


def diverging(rng, n, chance):
    """Two sides alike in all, divergences too."""
    pair = correlated(rng, n)
    lost = rng.random((2, n)) < chance
    return Paired(np.where(lost[0], math.inf, pair.a), np.where(lost[1], math.inf, pair.b))


@pytest.mark.parametrize("n", [5, 10])
def test_divergences_do_not_raise_false_positives(n):
    # A pair that has no p is no claim; the t test of the survivors and the sign test together stay near alpha.
    share = rejected(lambda rng: diverging(rng, n, 0.2), lambda pair: pair.p if not math.isnan(pair.p) else 1)
    assert share <= ALPHA + 0.02


def test_power_grows_with_seeds_and_is_what_was_promised():
    # At an effect of one standard deviation a paired t test has 80 % power with ten seeds (any table: n = 9.9).
    powers = [rejected(lambda rng, n=n: correlated(rng, n, 1.0), lambda pair: pair.p, 600) for n in (3, 5, 10)]
    assert powers == sorted(powers)
    assert powers[-1] == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("wins", "low", "high"), [(0, 0, 0.5218), (5, 0.4782, 1), (2, 0.0527, 0.8534)])
def test_chance_has_the_clopper_pearson_interval_of_the_tables(wins, low, high):
    # Of 0/n the closed form is [0, 1 - .025^(1/n)]; 2 of 5 as printed by Clopper and Pearson (1934).
    chance = of([-1.0] * wins + [1.0] * (5 - wins)).chance
    assert chance.value == wins / 5
    assert (chance.low, chance.high) == pytest.approx((low, high), abs=1e-4)


def test_chance_of_two_normal_sides_is_the_closed_form():
    # P(a < b) = Phi((mu_b - mu_a) / sd of the difference) = Phi(.5).
    rng = np.random.default_rng(0)
    chance = correlated(rng, 4_000, -0.5).chance
    assert chance.low < stats.norm.cdf(0.5) < chance.high
    assert chance.value == pytest.approx(stats.norm.cdf(0.5), abs=0.03)


@pytest.mark.parametrize("tie", [0.0, 0.3])
def test_chance_covers_the_truth_with_and_without_ties(tie):
    rng = np.random.default_rng(0)
    truth = 0.6 * (1 - tie) + tie / 2
    held = []
    for _ in range(600):
        draw, equal = rng.random(6), rng.random(6) < tie
        chance = of(np.where(equal, 0, np.where(draw < 0.6, -1, 1))).chance
        held.append(chance.low <= truth <= chance.high)
    assert np.mean(held) >= 0.95


def test_a_tie_is_half_a_win_and_its_interval_is_no_narrower():
    tied = of([-1.0, 0.0, 1.0])
    assert (tied.wins, tied.losses, tied.ties, tied.chance.value) == (1, 1, 1, 0.5)
    assert tied.chance.low == of([-1.0, 1.0, 1.0]).chance.low
    assert tied.chance.high == of([-1.0, -1.0, 1.0]).chance.high


def test_a_divergence_is_worse_than_any_score_and_as_bad_as_another():
    pair = Paired(np.array([20.0, math.inf, math.inf]), np.array([math.inf, 400.0, math.inf]))
    assert (pair.wins, pair.losses, pair.ties, pair.diverged) == (1, 1, 1, (2, 2))
    assert pair.difference.n == 0


def test_survivors_do_not_make_a_side_better():
    # Side a is far lower where it survives, which the t test alone would believe; it diverged in four of eight seeds.
    a = np.array([10.0, 10.1, 10.2, 10.0, math.inf, math.inf, math.inf, math.inf])
    b = np.full(8, 20.0) + np.arange(8) / 10
    pair = Paired(a, b)
    assert stats.ttest_1samp(pair.differences, 0).pvalue < 0.001
    assert pair.by_signs
    assert pair.p == 1  # four wins, four losses


def test_divergences_of_the_worse_side_leave_the_t_test_in_place():
    a = np.array([10.0, 10.3, 10.1, 10.2])
    b = np.array([20.0, 20.1, 20.5, math.inf])
    pair = Paired(a, b)
    assert not pair.by_signs
    assert pair.p == pytest.approx(stats.ttest_rel(a[:3], b[:3]).pvalue)
    assert pair.a_is_lower


def test_where_one_side_always_diverged_signs_decide_from_six_seeds_on():
    for n, p in ((5, 2 / 2**5), (6, 2 / 2**6)):
        pair = Paired(np.full(n, math.inf), np.arange(20.0, 20 + n))
        assert pair.by_signs
        assert pair.p == pytest.approx(p)
        assert not pair.a_is_lower


def test_hedges_g_by_hand():
    # Differences 3, 2, 4: mean 3, sd 1; J(2) = Gamma(1) / (sqrt(1) Gamma(1/2)) = 1 / sqrt(pi).
    assert of([3.0, 2.0, 4.0]).g == pytest.approx(3 / math.sqrt(math.pi))
    assert math.isnan(of([3.0, 2.0]).g)


def test_hedges_g_is_unbiased():
    # True effect .8; sd of the mean of 3,000 estimates of n = 5 is about .013.
    rng = np.random.default_rng(0)
    mean = np.mean([correlated(rng, 5, 0.8).g for _ in range(3_000)])
    assert mean == pytest.approx(0.8, abs=0.05)


def test_holm_by_hand_and_missing_values_do_not_count():
    # Sorted .01 * 3, .02 * 2, .04 * 1, never falling: .03, .04, .04.
    assert holm([0.04, math.nan, 0.01, 0.02]) == pytest.approx([0.04, math.nan, 0.03, 0.04], nan_ok=True)
    assert holm([]) == []


def test_holm_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    p = rng.random(12) ** 3
    assert holm([*p, math.nan, p[0]])[:12] == pytest.approx(multipletests([*p, p[0]], method="holm")[1][:12])


def test_a_family_of_comparisons_errs_as_rarely_as_alpha_says():
    """Four cells alike: without Holm, some of their six p would be below .05 in about a fifth of all tables."""
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(800):
        cells = rng.normal(0, 2, 5) + rng.normal(20, 1, (4, 5))
        wrong.append(min(holm([Paired(a, b).p for a, b in itertools.combinations(cells, 2)])) <= ALPHA)
    # 800 draws: a standard error of .0077.
    assert np.mean(wrong) <= ALPHA + 2 * 0.0077


def test_seeds_needed_match_the_power_that_is_simulated():
    # An effect of g = 1: as many seeds as give 80 % (see above), whatever the seeds that it was seen in.
    d = np.array([-1.0, 0.0, 1.0])
    pair = of(d + 1 / (1 / math.sqrt(math.pi)))
    assert pair.g == pytest.approx(1)
    assert pair.seeds_needed(1) == 10
    # At .05 / 10 and .05 / 45, the levels that Holm asks of the first of so many.
    assert (pair.seeds_needed(10), pair.seeds_needed(45)) == (18, 23)
    assert of([5.0, -5.1, 0.2]).seeds_needed(1) == MOST_SEEDS + 1
    assert of([1.0, 2.0]).seeds_needed(1) is None


@pytest.mark.parametrize(("family", "n"), [(10, 18), (45, 23)])
def test_seeds_needed_of_a_family_have_the_power_that_is_simulated(family, n):
    rng = np.random.default_rng(0)
    found = [correlated(rng, n, 1.0).p <= ALPHA / family for _ in range(600)]
    # 600 draws: a standard error of .016; one seed fewer would have .77 or less.
    assert np.mean(found) == pytest.approx(0.81, abs=0.05)


def test_one_seed_says_nothing():
    pair = of([5.0])
    assert math.isnan(pair.p)
    assert math.isnan(pair.p_permutation)
    assert pair.seeds_needed(1) is None
    assert math.isnan(Paired(np.array([math.inf]), np.array([20.0])).p), "nor one divergence"

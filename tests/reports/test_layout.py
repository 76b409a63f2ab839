"""The scatter of cells in a table: against a general least squares, by hand, and against simulated truth."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from reports import tables
from reports.layout import LEAST, LENT, TELLING, layout, rests
from reports.notes import notes
from reports.paired import Paired, holm


def drawn(rng, cells, seeds, scatter, gap=0.0, wild=0):
    """Outcomes [cells, seeds] around 30, of cells whose deviations around 2 scatter by e^scatter; half are worse.

    Some wild ones have fifteen times their deviation.
    """
    deviations = 2 * np.exp(rng.normal(0, scatter, (cells, 1)))
    deviations[rng.choice(cells, wild, replace=False)] *= 15
    means = 30 + np.where(np.arange(cells) < cells // 2, 0, gap)[:, None]
    return means + rng.normal(0, 1, seeds) + deviations * rng.normal(0, 1, (cells, seeds))


def known(outcomes):
    return {f"c{i}": pd.Series(values) for i, values in enumerate(outcomes)}


def compared(outcomes):
    """Every two cells by the layout of all."""
    whole = layout(known(outcomes))
    both = itertools.combinations(range(len(outcomes)), 2)
    return {(i, j): Paired(outcomes[i], outcomes[j], spread=whole.between(f"c{i}", f"c{j}")) for i, j in both}


def found(outcomes):
    """The pairs that are told apart."""
    pairs = compared(outcomes)
    adjusted = holm([each.p for each in pairs.values()])
    return {both for both, p in zip(pairs, adjusted, strict=True) if p <= 0.05}


def test_rests_are_those_of_a_weighted_least_squares():
    """With cells and seeds as dummies, gaps in the table, and leverages from the whole hat matrix."""
    rng = np.random.default_rng(0)
    values = drawn(rng, 7, 5, 0.5)
    values[[0, 1, 4, 4], [3, 0, 1, 2]] = np.nan
    weights = rng.uniform(0.2, 3, 7)
    cell, seed = np.nonzero(~np.isnan(values))
    dummies = (
        pd.get_dummies(pd.DataFrame({"cell": cell, "seed": seed}).astype(str)).drop(columns="seed_0").astype(float)
    )
    fit = sm.WLS(values[cell, seed], dummies, weights=weights[cell]).fit()
    scaled = np.sqrt(weights[cell])[:, None] * dummies.to_numpy()
    hat = scaled @ np.linalg.pinv(scaled)
    squares, df = rests(values, weights)
    assert squares == pytest.approx(np.bincount(cell, fit.resid**2))
    assert df == pytest.approx(np.bincount(cell, 1 - np.diag(hat)))
    assert df.sum() == pytest.approx(fit.df_resid)


def test_seeds_that_no_cell_shares_are_two_tables():
    rng = np.random.default_rng(1)
    values = np.full((8, 6), np.nan)
    values[:4, :3], values[4:, 3:] = drawn(rng, 4, 3, 0.5), drawn(rng, 4, 3, 0.5)
    apart = [rests(part, np.ones(4)) for part in (values[:4, :3], values[4:, 3:])]
    for together, parts in zip(rests(values, np.ones(8)), zip(*apart, strict=True), strict=True):
        assert together == pytest.approx(np.concatenate(parts))


def test_a_cell_has_its_own_variance_however_much_seeds_move_all():
    rng = np.random.default_rng(2)
    deviations = np.linspace(1, 4, 12)
    values = 30 + 50 * rng.normal(0, 1, 400) + deviations[:, None] * rng.normal(0, 1, (12, 400))
    whole = layout(known(values))
    for i, deviation in enumerate(deviations):
        assert whole.spreads[f"c{i}"].variance == pytest.approx(deviation**2, rel=0.2)
    of_rests = sum(each.df - LENT for each in whole.spreads.values())
    assert of_rests == pytest.approx(12 * 400 - 12 - 399), "less the means of cells and the effects of seeds"


def test_two_cells_are_welch():
    rng = np.random.default_rng(3)
    whole = layout(known(drawn(rng, 8, 3, 0.5)))
    (a, na), (b, nb) = ((each.variance, each.df) for each in (whole.spreads["c0"], whole.spreads["c1"]))
    both = whole.between("c0", "c1")
    assert both.variance == pytest.approx(a + b)
    assert both.df == pytest.approx((a + b) ** 2 / (a * a / na + b * b / nb))
    assert min(na, nb) <= both.df <= na + nb
    pair = Paired(np.array([1.0, 2.0, 3.0]), np.zeros(3), spread=both)
    assert pair.p == pytest.approx(2 * stats.t.sf(2 / math.sqrt((a + b) / 3), both.df))


def test_few_cells_tell_nothing_and_those_without_two_outcomes_have_no_part():
    values = drawn(np.random.default_rng(4), LEAST, 3, 0.5)
    assert not layout(known(values[1:])).spreads
    values[0, 1:] = np.inf, np.nan
    assert not layout(known(values)).spreads, "one outcome is left of the first"
    more = known([*values, values[1] + 1])
    assert list(layout(more).spreads) == [f"c{i}" for i in range(1, LEAST + 1)]
    assert layout(more).between("c0", "c1") is None


def test_seeds_of_one_cell_alone_tell_nothing():
    values = drawn(np.random.default_rng(12), LEAST + 1, 3, 0.5)
    cells = known(values)
    before = layout(cells).spreads
    cells["c0"] = pd.concat([cells["c0"], pd.Series([90.0, 10.0], index=[7, 8])])
    cells["alone"] = pd.Series([30.0, 31.0], index=[20, 21])
    after = layout(cells).spreads
    assert list(after) == list(before)
    for cell, spread in before.items():
        assert (after[cell].variance, after[cell].df) == pytest.approx((spread.variance, spread.df))


def test_a_cell_that_hardly_scatters_does_not_cost_the_others_their_layout():
    """With the weight of all it has hardly a degree of freedom of its own, and tells nothing of how others scatter."""
    rng, least = np.random.default_rng(1), []
    for _ in range(500):
        found = layout(known(drawn(rng, LEAST, 2, 0.5))).spreads
        assert len(found) == LEAST
        assert all(0 < each.variance < np.inf for each in found.values())
        least.append(min(each.df for each in found.values()))
    assert min(least) < LENT + TELLING, "such cells were among them"


def test_cells_without_any_scatter_are_known_by_what_others_lend():
    values = drawn(np.random.default_rng(5), LEAST + 1, 3, 0.5)
    parallel = np.tile(values[0], (LEAST + 1, 1)) + np.arange(LEAST + 1)[:, None]
    assert not layout(known(parallel)).spreads, "nothing scatters here"
    assert not layout(known(np.full((8, 3), 30.0))).spreads
    assert all(each.variance > 0 for each in layout(known(values)).spreads.values())


@pytest.mark.parametrize(("scatter", "wild"), [(0.0, 0), (0.5, 0), (1.0, 0), (0.5, 2)])
def test_false_positives_stay_rare_and_intervals_cover(scatter, wild):
    """Eight cells that are all alike: the share of tables with any verdict, and of intervals that hold 0."""
    rng, tables_ = np.random.default_rng(6), 250
    wrong, covered = [], []
    for _ in range(tables_):
        pairs = compared(drawn(rng, 8, 3, scatter, wild=wild))
        wrong.append(min(holm([each.p for each in pairs.values()])) <= 0.05)
        covered += [each.difference.low <= 0 <= each.difference.high for each in pairs.values()]
    assert np.mean(wrong) <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / tables_)
    assert np.mean(covered) >= 0.93


@pytest.mark.parametrize("noise", [1.0, 5.0])
def test_one_base_for_all_makes_few_false_verdicts(noise):
    """Thirty cells that are alike against one that scatters otherwise, of which twelve are asked for."""
    rng, tables_ = np.random.default_rng(7), 250
    wrong, covered = [], []
    for _ in range(tables_):
        base = 30 + noise * 2 * rng.normal(0, 1, 3)
        outcomes = np.vstack([base, drawn(rng, 30, 3, 0.5)])
        whole = layout(known(outcomes))
        asked = [Paired(outcomes[i], base, spread=whole.between(f"c{i}", "c0")) for i in range(1, 13)]
        wrong.append(min(holm([each.p for each in asked])) <= 0.05)
        covered += [each.difference.low <= 0 <= each.difference.high for each in asked]
    assert np.mean(wrong) <= 0.05 + 2.6 * math.sqrt(0.05 * 0.95 / tables_)
    assert np.mean(covered) >= 0.93


def test_what_anybody_sees_is_found_even_beside_wild_cells():
    """Thirty cells of three seeds, half of them ten deviations worse: alone their pairs say next to nothing."""
    rng = np.random.default_rng(8)
    shares = {"alone": [], "layout": [], "wild": []}
    apart = {(i, j) for i, j in itertools.combinations(range(30), 2) if i < 15 <= j}
    for _ in range(20):
        outcomes = drawn(rng, 30, 3, 0.3, 20.0)
        alone = {both: Paired(each.a, each.b) for both, each in compared(outcomes).items()}
        p = holm([each.p for each in alone.values()])
        shares["alone"].append(np.mean([q <= 0.05 for both, q in zip(alone, p, strict=True) if both in apart]))
        shares["layout"].append(len(found(outcomes) & apart) / len(apart))
        shares["wild"].append(len(found(drawn(rng, 30, 3, 0.3, 20.0, wild=2)) & apart) / len(apart))
    assert np.mean(shares["alone"]) < 0.1
    assert np.mean(shares["layout"]) > 0.6
    assert np.mean(shares["wild"]) > 0.55, "of the pairs, 13 % have a wild cell"


def test_a_wild_cell_spoils_no_verdict_on_others():
    rng = np.random.default_rng(9)
    before, after = [], []
    for _ in range(20):
        outcomes = drawn(rng, 20, 3, 0.5, 20.0)
        wild = outcomes[0] + np.array([0.0, 70.0, 0.0])  # it collapses in one seed
        before.append(len({both for both in found(outcomes) if 0 not in both}))
        after.append(len({both for both in found([wild, *outcomes[1:]]) if 0 not in both}))
    assert sum(after) > 0.9 * sum(before)


def test_tables_say_so_and_repeats_have_the_scatter_of_what_they_repeat(builder):
    names = ("dcgan", "lsgan", "hinge", "ragan", "wgan", "r1")
    outcomes = drawn(np.random.default_rng(10), 6, 3, 0.3, 20.0)
    builder.trials(**dict(zip(names[:-1], outcomes[:-1].tolist(), strict=True)))
    assert "by the variance of each alone" in " ".join(notes(tables.pairwise(builder.results())))
    builder.trials(r1=outcomes[-1].tolist(), nsgan=outcomes[0].tolist())
    after = tables.pairwise(builder.results())
    assert len(after) == 15, "nsgan repeats dcgan"
    assert "the scatter of both cells beside what each seed does to all (two-way layout, Welch)" in " ".join(
        notes(after)
    )
    for row in after.to_dict("records"):
        first, second = (names.index(row[side].split()[0]) for side in ("label", "other"))
        assert (row["better"] != "") is (first < 3 <= second)
    bounds = ["difference", "low", "high"]
    same = tables.chosen(builder.results(), [(f"{name} bn=off", "hinge bn=off") for name in ("dcgan", "nsgan")])
    assert same[bounds].iloc[0].tolist() == same[bounds].iloc[1].tolist()

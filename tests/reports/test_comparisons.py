"""Pairs, ranks and factors of frames in which something is missing, failed, skipped or diverged."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import BenchError
from reports import tables
from reports.comparisons import blocks, outcomes, pairs, pairwise, ranks
from reports.factors import effects, factors
from reports.groups import labelled, select


def rows(builder):
    return select(builder.results())[1]


def ranks_of(here):
    return ranks(here, pairwise(here))


def cells(builder, **fids):
    """A cell without BN for each algorithm, a trial a seed; None diverged."""
    for algorithm, values in fids.items():
        for seed, fid in enumerate(values):
            builder.trial(algorithm, False, seed, fid, pictures=False)


def changed(builder, algorithm, values, bn=False, **fields):
    """Trials of a cell of which some fields are other than usual."""
    config = builder.cell(algorithm, bn)["config"] | fields
    label = " ".join([f"{algorithm} bn={'on' if bn else 'off'}", *(f"{k}={v}" for k, v in fields.items())])
    for seed, fid in enumerate(values):
        builder.trial(algorithm, bn, seed, fid, pictures=False, config=config, cell=label, name=label)


def test_only_a_divergence_is_an_outcome_without_a_score(builder):
    for seed, status in enumerate(("finished", "diverged", "failed", "interrupted", "running")):
        builder.trial("dcgan", False, seed, 20.0, status=status)
    values = outcomes(rows(builder))["dcgan bn=off"]
    assert values[0] == 20
    assert values[1] == math.inf
    assert values[2:].isna().all()


def test_pairs_are_of_shared_seeds_and_count_what_is_missing(builder):
    cells(builder, dcgan=[10.0, 11.0, None, 12.0], lsgan=[20.0, 21.5, 22.0])
    builder.trial("lsgan", False, 3, None, status="failed")
    builder.trial("lsgan", False, 9, 20.0)
    ((_, pair),) = pairs(rows(builder)).items()
    assert (pair.difference.n, len(pair.a), pair.unknown) == (2, 3, 1)
    row = tables.pairwise(builder.results()).iloc[0]
    assert (row["pairs"], row["unpaired"], row["chance"]) == (2, 2, pytest.approx(2 / 3))


def test_cells_that_are_not_separable_share_ranks(builder):
    # dcgan and lsgan cross, hinge is far above both in every seed.
    cells(builder, dcgan=[10.0, 12.0, 11.0], lsgan=[11.0, 10.5, 11.7], hinge=[90.0, 91.0, 90.4])
    assert ranks_of(rows(builder)) == {"dcgan bn=off": (1, 2), "lsgan bn=off": (1, 2), "hinge bn=off": (3, 3)}
    board = tables.as_text(tables.leaderboard(builder.results()), 120)
    assert next(line for line in board.splitlines() if line.startswith("lsgan")).split()[2] == "1-2"
    assert next(line for line in board.splitlines() if line.startswith("hinge")).split()[2] == "3"


def test_survivors_do_not_take_the_first_rank(builder):
    cells(builder, dcgan=[5.0, 5.1, 5.2, None, None], lsgan=[20.0, 20.3, 20.1, 20.2, 20.4])
    assert set(ranks_of(rows(builder)).values()) == {(1, 2)}
    board = tables.leaderboard(builder.results()).set_index("label")
    assert board.loc["dcgan bn=off", "median"] == 5.2
    assert "5.10*" in tables.as_text(board.reset_index(), 120)
    verdict = tables.pairwise(builder.results())["verdict"].item()
    assert "not separable" in verdict
    assert "dcgan bn=off diverged in 2" in verdict
    assert "survivors alone must not decide" in verdict


def test_a_cell_that_mostly_diverged_has_no_finite_median_and_can_lose_by_signs(builder):
    cells(builder, dcgan=[None] * 6, lsgan=[20.0, 20.3, 20.1, 20.2, 20.4, 20.5])
    row = tables.pairwise(builder.results()).iloc[0]
    assert row["better"] == "lsgan bn=off"
    assert row["verdict"].startswith("lsgan bn=off is better than dcgan bn=off: so in 6 of 6 seeds")
    assert tables.leaderboard(builder.results()).set_index("label").loc["dcgan bn=off", "median"] == math.inf


def test_seeds_that_diverged_on_both_sides_tell_nothing_apart(builder):
    cells(builder, dcgan=[None] * 3, lsgan=[None] * 3)
    verdict = tables.pairwise(builder.results()).iloc[0]["verdict"]
    assert verdict.startswith("dcgan bn=off and lsgan bn=off are not separable; 3 more did not finish both ways")
    assert "Holm" not in verdict


def test_other_code_is_another_cell(builder):
    """Seeds that an older version of the algorithm trained are no further seeds of today's."""
    for seed, code in enumerate(("new", "new", "old", "old")):
        builder.trial("dcgan", False, seed, 20.0 + seed, pictures=False, code=code)
    builder.trial("lsgan", False, 0, 30.0, pictures=False, code="other")
    builder.trial("lsgan", False, 0, 3.0, pictures=False, code="older", track="a task of its own")
    labels = labelled(builder.results().trials).groupby("label")["seed"].nunique()
    assert sorted(labels) == [1, 2, 2]
    assert "lsgan bn=off" in labels.index
    assert labels.index.str.startswith("dcgan bn=off (code ").sum() == 2


def test_one_seed_has_no_rank_and_no_pair(one_seed):
    assert ranks_of(select(one_seed)[1]) == {}
    assert tables.pairwise(one_seed).empty


def test_a_row_that_is_no_gan_has_no_rank(builder):
    cells(builder, dcgan=[10.0, 11.0], lsgan=[20.0, 21.0])
    for seed in (0, 1):
        builder.trial("vae", False, seed, 1.0, no_gan="yes", pictures=False)
    assert set(ranks_of(rows(builder))) == {"dcgan bn=off", "lsgan bn=off"}


@pytest.mark.parametrize("table", [tables.pairwise, tables.factor_effects])
def test_what_is_not_comparable_is_refused(two_protocols, table):
    with pytest.raises(BenchError, match="must not share a table"):
        table(two_protocols)


def test_among_many_pairs_one_interval_off_zero_is_no_verdict(builder):
    # Twenty cells of pure noise: about one in twenty of their 190 intervals misses zero, and no pair is separable.
    rng = np.random.default_rng(1)
    noise = {f"a{i:02}": list(rng.normal(20, 1, 4)) for i in range(20)}
    cells(builder, **noise)
    table = tables.pairwise(builder.results())
    missed = (table["low"] > 0) | (table["high"] < 0)
    assert 3 < missed.sum() < 30
    assert (table["better"] == "").all()
    assert table.loc[missed, "verdict"].str.contains("not as one of 190 comparisons").all()


def test_friedmans_ranks_take_three_cells_and_five_seeds(builder):
    cells(builder, dcgan=[1.0, 2.0, 3.0, 4.0, 5.0], lsgan=[2.0, 3.0, 4.0, 5.0, 4.0])
    assert blocks(rows(builder)) is None
    cells(builder, hinge=[9.0, 9.0, 9.0, 9.0, None])
    assert blocks(rows(builder)).mean().to_dict() == {"dcgan bn=off": 1.2, "lsgan bn=off": 1.8, "hinge bn=off": 3.0}


def test_every_two_valued_field_is_a_factor_and_bn_comes_first(builder):
    cells(builder, dcgan=[20.0, 21.0, 22.0])
    changed(builder, "dcgan", [25.0, 26.1, 26.9], bn=True)
    changed(builder, "dcgan", [18.0, 18.9, 20.1], augment="diffaugment")
    for row in builder.rows:
        row["config"] = {"augment": "none"} | row["config"]
    frame = effects(rows(builder))
    assert list(frame["factor"]) == ["bn", "bn", "augment"]
    augment = frame.iloc[2]
    # 18 - 20, 18.9 - 21, 20.1 - 22: 'none' is the base whatever the alphabet says.
    assert augment["difference"] == pytest.approx(-2.0)
    assert augment["verdict"].startswith(
        "dcgan bn=off with augment=diffaugment is better than with augment=none by 2.00"
    )


def test_numbers_rise_from_the_base(builder):
    changed(builder, "dcgan", [20.0, 21.0, 22.0], lr_d=2e-4)
    changed(builder, "dcgan", [25.0, 26.1, 26.9], lr_d=1e-4)
    row = effects(rows(builder)).query("factor == 'lr_d'").iloc[0]
    assert row["change"] == "lr_d 0.0001 to 0.0002"
    assert row["difference"] == pytest.approx(-5.0)


def test_three_values_are_no_factor_but_are_said(builder):
    for value in (1, 2, 3):
        changed(builder, "dcgan", [20.0, 21.0], n_d=value)
    row = effects(rows(builder)).query("factor == 'n_d'").iloc[0]
    assert row["pairs"] == 0
    assert row["verdict"] == "dcgan bn=off: n_d took 3 values (1, 2, 3); see the pairs of cells"


def test_cells_that_differ_in_two_fields_are_no_pair(builder):
    changed(builder, "dcgan", [20.0, 21.0], n_d=1, dropout=0.3)
    changed(builder, "dcgan", [20.0, 21.0], n_d=2, dropout=0.5)
    assert {factor.field for factor in factors(rows(builder))} == {"bn"}


def test_the_pooled_effect_is_of_seeds_not_of_algorithms(builder):
    # on - off by seed: dcgan 1, 2, 3; lsgan 3, 2, 4: means 2, 2, 3.5. mean 2.5, sd .866, half 4.30265 * .5.
    cells(builder, dcgan=[10.0, 10.0, 10.0], lsgan=[20.0, 20.0, 20.0])
    changed(builder, "dcgan", [11.0, 12.0, 13.0], bn=True)
    changed(builder, "lsgan", [23.0, 22.0, 24.0], bn=True)
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["label"], together["pairs"]) == ("mean of 2", 3)
    assert (together["difference"], together["low"]) == pytest.approx((2.5, 2.5 - 2.15133), abs=1e-4)


def test_the_pooled_effect_leaves_out_seeds_that_some_algorithm_lacks_and_counts_divergences(builder):
    cells(builder, dcgan=[10.0, 10.0, 10.0], lsgan=[20.0, 20.0])
    changed(builder, "dcgan", [11.0, None, 13.0], bn=True)
    changed(builder, "lsgan", [23.0, 22.0], bn=True)
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["pairs"], together["unpaired"], together["chance"]) == (1, 1, 0.0)


def test_a_failure_of_one_algorithm_takes_its_seed_out_of_the_pooled_effect(builder):
    # The mean of those that are left would be a mean of other algorithms.
    cells(builder, dcgan=[10.0, 10.0], lsgan=[20.0, 20.0])
    changed(builder, "dcgan", [11.0, 12.0], bn=True)
    changed(builder, "lsgan", [23.0], bn=True)
    builder.trial("lsgan", True, 1, None, status="failed", pictures=False, config=builder.rows[-1]["config"])
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["pairs"], together["unpaired"], together["difference"]) == (1, 1, 2.0)


def test_p_of_effects_is_adjusted_for_all_rows(builder):
    # on - off: dcgan 1.0, 0.9, 1.1, lsgan .1, .2, -.4, their mean .55, .55, .35. Holm by hand from scipy's t tests.
    cells(builder, dcgan=[10.0, 10.2, 10.1], lsgan=[20.0, 20.0, 20.3])
    changed(builder, "dcgan", [11.0, 11.1, 11.2], bn=True)
    changed(builder, "lsgan", [20.1, 20.2, 19.9], bn=True)
    p = {
        label: stats.ttest_1samp(differences, 0).pvalue
        for label, differences in (
            ("dcgan", [1.0, 0.9, 1.1]),
            ("mean of 2", [0.55, 0.55, 0.35]),
            ("lsgan", [0.1, 0.2, -0.4]),
        )
    }
    assert p["dcgan"] < p["mean of 2"] < p["lsgan"]
    frame = tables.bn_effect(builder.results()).set_index("label")
    expected = [3 * p["dcgan"], 2 * p["mean of 2"], p["lsgan"]]
    assert frame.loc[list(p), "p"].tolist() == pytest.approx(expected)
    # All differences of two rows have one sign, hence 2 / 2^3 each, times three; never above 1.
    assert frame.loc[list(p), "p_permutation"].tolist() == pytest.approx([0.75, 0.75, 1.0])


def test_how_many_seeds_would_tell_is_said_and_capped(builder):
    cells(builder, dcgan=[20.0, 20.0, 20.0], lsgan=[20.9, 20.9, 19.9], hinge=[23.0, 17.0, 20.1])
    table = tables.pairwise(builder.results())
    assert table["verdict"].str.contains(r"roughly \d+ seeds in all would be needed").any()
    assert table["verdict"].str.contains("more than 100 seeds").any()


def test_frames_are_flat_and_numeric(three_seeds):
    for frame in (tables.pairwise(three_seeds), tables.factor_effects(three_seeds)):
        assert pd.api.types.is_numeric_dtype(frame["difference"])
        assert pd.api.types.is_numeric_dtype(frame["p"])

"""Factors: what changing one field does, for each algorithm and on their mean, paired by seed."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reports import tables
from reports.comparisons import pair
from reports.factors import effects, factors, mean_sides
from reports.groups import select
from reports.moderated import LEAST
from reports.notes import notes


def rows(builder):
    return select(builder.results())[1]


def test_every_two_valued_field_is_a_factor_and_bn_comes_first(builder):
    builder.trials(dcgan=[20.0, 21.0, 22.0])
    builder.changed("dcgan", [25.0, 26.1, 26.9], bn=True)
    builder.changed("dcgan", [18.0, 18.9, 20.1], augment="diffaugment")
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


def test_before_is_without_and_after_with(builder):
    builder.trials(dcgan=[10.0, 11.0, 12.0])
    builder.changed("dcgan", [14.0, 15.5, 17.0], bn=True)
    row = tables.bn_effect(builder.results()).iloc[0]
    assert (row["base"], row["changed"]) == (11.0, 15.5)


def test_numbers_rise_from_the_base(builder):
    builder.changed("dcgan", [20.0, 21.0, 22.0], lr_d=2e-4)
    builder.changed("dcgan", [25.0, 26.1, 26.9], lr_d=1e-4)
    row = effects(rows(builder)).query("factor == 'lr_d'").iloc[0]
    assert row["change"] == "lr_d 0.0001 to 0.0002"
    assert row["difference"] == pytest.approx(-5.0)


def test_three_values_are_no_factor_but_are_said(builder):
    for value in (1, 2, 3):
        builder.changed("dcgan", [20.0 + value, 21.0 + value], n_d=value)
    row = effects(rows(builder)).query("factor == 'n_d'").iloc[0]
    assert row["pairs"] == 0
    assert row["verdict"] == "dcgan bn=off: n_d took 3 values (1, 2, 3); see the pairs of cells"


def test_cells_that_differ_in_two_fields_are_no_pair(builder):
    builder.changed("dcgan", [20.0, 21.0], n_d=1, dropout=0.3)
    builder.changed("dcgan", [20.0, 21.0], n_d=2, dropout=0.5)
    assert {factor.field for factor in factors(rows(builder))} == {"bn"}


def test_the_pooled_effect_is_of_seeds_not_of_algorithms(builder):
    # on - off by seed: dcgan 1, 2, 3; lsgan 3, 2, 4: means 2, 2, 3.5. mean 2.5, sd .866, half 4.30265 * .5.
    builder.trials(dcgan=[10.0, 10.0, 10.0], lsgan=[20.0, 20.0, 20.0])
    builder.changed("dcgan", [11.0, 12.0, 13.0], bn=True)
    builder.changed("lsgan", [23.0, 22.0, 24.0], bn=True)
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["label"], together["pairs"]) == ("mean of 2", 3)
    assert (together["difference"], together["low"]) == pytest.approx((2.5, 2.5 - 2.15133), abs=1e-4)


def test_the_pooled_effect_leaves_out_seeds_that_some_algorithm_lacks_and_counts_divergences(builder):
    builder.trials(dcgan=[10.0, 10.0, 10.0], lsgan=[20.0, 20.0])
    builder.changed("dcgan", [11.0, None, 13.0], bn=True)
    builder.changed("lsgan", [23.0, 22.0], bn=True)
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["pairs"], together["unpaired"], together["chance"]) == (1, 1, 0.0)


def test_a_failure_of_one_algorithm_takes_its_seed_out_of_the_pooled_effect(builder):
    # The mean of those that are left would be a mean of other algorithms.
    builder.trials(dcgan=[10.0, 10.0, 10.0], lsgan=[20.0, 20.0, 20.0])
    builder.changed("dcgan", [11.0, 12.0, 19.0], bn=True)
    builder.changed("lsgan", [23.0, 22.0], bn=True)
    builder.trial("lsgan", True, 2, None, status="failed", pictures=False, config=builder.rows[-1]["config"])
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["pairs"], together["unpaired"], together["difference"]) == (2, 1, 2.0)


def test_one_seed_of_one_algorithm_does_not_take_the_pooled_effect_away(builder):
    builder.trials(dcgan=[10.0, 10.2, 10.4], lsgan=[20.0, 20.5, 20.1], wgan=[30.0])
    builder.changed("dcgan", [7.0, 7.1, 7.6], bn=True)
    builder.changed("lsgan", [17.2, 17.3, 17.0], bn=True)
    builder.changed("wgan", [40.0], bn=True)
    together = tables.bn_effect(builder.results()).query("algorithm == ''").iloc[0]
    assert (together["label"], together["pairs"]) == ("mean of 2", 3)


def test_rows_that_repeat_another_are_no_evidence_of_their_own(builder):
    builder.trials(dcgan=[10.0, 10.2, 10.1], nsgan=[10.3, 10.2, 10.1], lsgan=[20.0, 20.1, 20.3])
    builder.changed("dcgan", [11.0, 11.1, 11.2], bn=True)
    builder.changed("nsgan", [11.4, 11.1, 11.2], bn=True)
    builder.changed("lsgan", [20.1, 20.2, 19.9], bn=True)
    found = tables.bn_effect(builder.results()).set_index("label")
    assert math.isnan(found.loc["nsgan", "p"])
    assert found.loc["nsgan", "difference"] == pytest.approx(3.1 / 3)
    assert found.loc["nsgan", "verdict"] == "nsgan: repeats dcgan to the last digit"
    assert found.loc["mean of 2", "difference"] == pytest.approx((1.0 - 0.2 / 3) / 2)
    alone = stats.ttest_1samp([1.0, 0.9, 1.1], 0).pvalue
    assert found.loc["dcgan", "p"] == pytest.approx(3 * alone), "one of dcgan, lsgan and their mean"


def test_a_setting_without_effect_is_none(builder):
    builder.trials(wgan=[10.0, 10.2, 10.1], dcgan=[20.0, 20.1, 20.3])
    builder.changed("wgan", [10.0, 10.2, 10.1], lr_g=1e-3)
    builder.changed("dcgan", [21.0, 21.2, 21.1], lr_g=1e-3)
    found = tables.factor_effects(builder.results(), factor="lr_g").set_index("label")
    assert list(found.index) == ["dcgan bn=off", "wgan bn=off"], "no mean of one"
    assert found.loc["wgan bn=off", "verdict"] == "wgan bn=off: the same to the last digit either way"


def test_a_mean_is_judged_by_its_own_scatter(builder):
    # It scatters less than what it is of: what the single ones lend would hide it.
    rng = np.random.default_rng(5)
    names = [f"a{i:02}" for i in range(16)]
    for name in names:
        before = rng.normal(30, 2, 3)
        builder.trials(**{name: list(before)})
        builder.changed(name, list(before - 1 + rng.normal(0, 2, 3)), bn=True)
    found = tables.bn_effect(builder.results())
    together = found[found["algorithm"] == ""].iloc[0]
    wide = found[found["algorithm"] != ""]
    trials = pd.DataFrame(builder.rows)
    by_seed = trials.groupby(["bn", "seed"])["fid"].mean()
    expected = stats.t.interval(0.95, 2, (means := by_seed[True] - by_seed[False]).mean(), stats.sem(means))
    assert (together["low"], together["high"]) == pytest.approx(expected)
    assert found.attrs["known_by"] == "moderated"
    assert (wide["high"] - wide["low"]).max() < 3 * (wide["high"] - wide["low"]).min(), "these lend to each other"


def test_what_repeats_another_lends_nothing(builder):
    """Of as many rows as lend to each other one is no evidence of its own: too few are left."""
    rng = np.random.default_rng(0)
    *sides, last = rng.normal(30, 2, (LEAST - 1, 2, 3)).tolist()
    for i, (before, after) in enumerate([*sides, last, last]):
        builder.trials(**{f"a{i:02}": before})
        builder.changed(f"a{i:02}", after, bn=True)
    assert not tables.bn_effect(builder.results()).attrs["known_by"]


def test_p_of_effects_is_adjusted_for_all_rows(builder):
    # on - off: dcgan 1.0, 0.9, 1.1, lsgan .1, .2, -.4, their mean .55, .55, .35. Holm by hand from scipy's t tests.
    builder.trials(dcgan=[10.0, 10.2, 10.1], lsgan=[20.0, 20.0, 20.3])
    builder.changed("dcgan", [11.0, 11.1, 11.2], bn=True)
    builder.changed("lsgan", [20.1, 20.2, 19.9], bn=True)
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


def test_an_algorithm_that_always_diverges_counts_in_the_pooled_effect(builder):
    """Without it the mean would say that BN helps, of those alone that it helps."""
    builder.trials(dcgan=[10.0, 10.2, 10.1], lsgan=[20.0, 20.1, 20.3], hinge=[15.0, 15.1, 15.2])
    builder.changed("dcgan", [7.0, 7.1, 7.2], bn=True)
    builder.changed("lsgan", [18.0, 18.0, 18.1], bn=True)
    builder.changed("hinge", [None, None, None], bn=True)
    together = tables.bn_effect(builder.results()).iloc[-1]
    assert (together["label"], together["pairs"], together["tried"]) == ("mean of 3", 0, 3)
    assert "better than" not in together["verdict"]
    assert "with BN diverged in 3" in together["verdict"]


def test_seeds_that_another_version_of_the_code_trained_are_no_side(builder):
    builder.changed("dcgan", [20.0, 21.0, 22.0], bn=True, code="old")
    builder.changed("dcgan", [11.0, 11.1, 11.2], bn=True, code="new")
    builder.changed("dcgan", [30.0, 31.1, 32.3], code="old")
    frame = tables.bn_effect(builder.results()).set_index("label")
    assert list(frame.index.str[:12]) == ["dcgan (code ", "dcgan (code "]
    assert sorted(frame["pairs"]) == [0, 3]
    assert frame.query("pairs == 3")["difference"].item() == pytest.approx(-30.4 / 3)
    assert ": only bn=on was run" in frame.query("pairs == 0")["verdict"].item()


def test_one_side_of_each_code_is_no_effect(builder):
    builder.changed("dcgan", [20.0, 21.0, 22.0], bn=True, code="old")
    builder.changed("dcgan", [30.0, 31.1, 32.3], code="new")
    frame = tables.bn_effect(builder.results())
    assert list(frame["pairs"]) == [0, 0]
    assert frame["label"].is_unique


def simulated_sides(rng, seeds, effect):
    """Three algorithms of very different FID; what BN does varies by seed, and alike for all of them."""
    luck, shared = rng.normal(0, 2, seeds), rng.normal(0, 1, seeds)
    for level, own in ((20, 0.5), (60, -0.5), (35, 0.0)):
        base = level + luck + rng.normal(0, 0.3, seeds)
        yield pd.Series(base + effect + own + shared + rng.normal(0, 0.3, seeds)), pd.Series(base)


@pytest.mark.parametrize("seeds", [3, 6])
def test_the_pooled_effect_covers_the_truth(seeds):
    """As if algorithms were the sample, the interval of a shared effect would be far too narrow."""
    rng = np.random.default_rng(0)
    drawn = [pair(*mean_sides(list(simulated_sides(rng, seeds, 1.0)))).difference for _ in range(500)]
    # 500 draws: a standard error of .0097.
    assert np.mean([each.low <= 1 <= each.high for each in drawn]) == pytest.approx(0.95, abs=0.03)


def test_a_pooled_effect_of_nothing_is_found_as_often_as_alpha_says():
    rng = np.random.default_rng(1)
    found = [pair(*mean_sides(list(simulated_sides(rng, 5, 0.0)))).p <= 0.05 for _ in range(500)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.03)


def test_the_note_on_the_permutation_test_is_of_the_column_beside_it(builder):
    """Its p are Holm's: with three rows of three seeds none can be below 3 * 2 / 2^3."""
    builder.trials(dcgan=[10.0, 10.2, 10.1], lsgan=[20.0, 20.1, 20.3])
    builder.changed("dcgan", [17.0, 17.1, 17.2], bn=True)
    builder.changed("lsgan", [28.0, 28.0, 28.1], bn=True)
    frame = tables.bn_effect(builder.results())
    assert frame["p_permutation"].min() == pytest.approx(0.75)
    assert "of 3 seeds it cannot get below 0.25, and with 3 rows allowed for not below 0.75." in " ".join(notes(frame))


def test_a_list_in_the_config_of_a_strangers_file_is_no_factor(builder):
    builder.changed("dcgan", [20.0, 21.0], sizes=[1, 2])
    builder.changed("dcgan", [20.0, 21.0], sizes=[2, 3])
    assert {factor.field for factor in factors(rows(builder))} == {"bn"}


def test_a_row_that_is_no_gan_has_its_own_effect_and_no_part_in_the_mean(builder):
    builder.trials(dcgan=[10.0, 10.0], lsgan=[20.0, 20.0])
    builder.changed("dcgan", [11.0, 12.0], bn=True)
    builder.changed("lsgan", [23.0, 22.0], bn=True)
    alone = tables.bn_effect(builder.results()).iloc[-1]
    builder.trials(vae=[50.0, 50.0])
    builder.changed("vae", [90.0, 91.0], bn=True)
    for row in builder.rows[-4:]:
        row["no_gan"] = "yes"
    frame = tables.bn_effect(builder.results()).set_index("label")
    assert frame.loc["vae", "difference"] == 40.5
    assert frame.loc["mean of 2", "difference"] == alone["difference"] == 2.0


def test_what_was_run_one_way_is_one_sentence_and_the_advice_is_given_once(builder):
    builder.trials(dcgan=[10.0], lsgan=[20.0], ragan=[30.0])
    builder.changed("hinge", [11.0], bn=True)
    builder.changed("ragan", [31.0], bn=True)
    frame = tables.bn_effect(builder.results())
    shown = [
        line for line in tables.as_text(frame).splitlines() if line.startswith(("dcgan", "lsgan", "hinge", "ragan "))
    ]
    assert [line.split()[0] for line in shown] == ["ragan"], "a line of dashes tells nothing"
    said = notes(frame)[1:]
    assert said[:2] == ["Only bn=off was run of dcgan, lsgan.", "Only bn=on was run of hinge."]
    assert sum("--bn on/off" in note for note in said) == 1


def test_bn_is_a_family_of_its_own_and_every_table_has_the_same_p(builder):
    """Holm by hand: of three p, the two algorithms' and their mean's, the smallest counts three times."""
    sides = {
        "dcgan": ([10.0, 10.2, 10.1], [11.0, 11.1, 11.2], [12.0, 12.1, 12.4]),
        "lsgan": ([20.0, 20.1, 20.4], [23.0, 22.0, 23.9], [22.0, 25.0, 29.0]),
    }
    builder.trials(**{name: off for name, (off, _, _) in sides.items()})
    for name, (_, on, _) in sides.items():
        builder.changed(name, on, bn=True)
    before = tables.bn_effect(builder.results())
    for name, (_, _, faster) in sides.items():
        builder.changed(name, faster, lr_g=1e-3)
    every, bn = tables.factor_effects(builder.results()), tables.bn_effect(builder.results())
    assert bn.loc[bn["both"], ["label", "p"]].to_dict("list") == before[["label", "p"]].to_dict("list")
    pd.testing.assert_frame_equal(every[every["factor"] == "bn"], bn)
    for changed, table in ((1, bn), (2, every[every["factor"] == "lr_g"])):
        off, on = (np.array([each[side] for each in sides.values()]) for side in (0, changed))
        alone = [stats.ttest_rel(*both).pvalue for both in [*zip(on, off, strict=True), (on.mean(0), off.mean(0))]]
        assert table["p"].min() == pytest.approx(3 * min(alone))
    said = " ".join(notes(every))
    assert "adjusted for 3 comparisons of BN and, apart from these, 3 comparisons of other factors (Holm)" in said
    assert "adjusted for 3 comparisons of BN (Holm)" in " ".join(notes(bn))

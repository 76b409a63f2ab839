"""`bench compare`: which cells are meant, what is refused, what is said."""

import pytest

from bench.errors import BenchError
from reports.duel import as_words, duel


@pytest.mark.parametrize(
    ("first", "second", "cells"),
    [
        ("dcgan bn=on", "dcgan bn=off", ("dcgan bn=on", "dcgan bn=off")),
        ("wgan_gp", "dcgan bn=of", ("wgan_gp bn=off", "dcgan bn=off")),
        ("w", "dcgan bn=on", ("wgan_gp bn=off", "dcgan bn=on")),
    ],
)
def test_labels_algorithms_and_beginnings_name_cells(three_seeds, first, second, cells):
    found = duel(three_seeds, first, second)
    assert (found.first, found.second) == cells


def test_settings_may_come_in_any_order(builder):
    builder.changed("nsgan", [20.0], True, spectral_norm="on")
    builder.changed("nsgan", [30.0], True, spectral_norm="on", lr_d=0.1)
    builder.trials(dcgan=[20.0])
    assert duel(builder.results(), "nsgan spectral_norm=on bn=on", "dcgan").first == "nsgan bn=on spectral_norm=on"


def test_an_algorithm_is_not_the_beginning_of_another(builder):
    for name in ("wgan", "wgan_gp", "dcgan"):
        builder.trial(name, False, 0, 20.0, pictures=False)
    assert duel(builder.results(), "wgan", "dcgan").first == "wgan bn=off"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("zzz", "wgan_gp", "no cell 'zzz'; there are: dcgan bn=on, dcgan bn=off, wgan_gp bn=off"),
        ("dcgna", "wgan_gp", "no cell 'dcgna'; did you mean 'dcgan'? there are: dcgan bn=on"),
        ("wgan_gp", "dcgan", "'dcgan' fits 2 cells: dcgan bn=on, dcgan bn=off; name one of them"),
        ("dcgan bn=on", "dcgan bn=on", "are one cell, dcgan bn=on"),
        ("wgan_gp bn=on", "dcgan bn=on", "no cell 'wgan_gp bn=on'; did you mean 'wgan_gp bn=off'"),
        ("", "dcgan bn=on", "'' fits 3 cells"),
    ],
)
def test_names_that_mean_nothing_or_too_much_are_one_line(three_seeds, first, second, words):
    with pytest.raises(BenchError) as error:
        duel(three_seeds, first, second)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_of_many_cells_an_error_names_the_first(builder):
    for number in range(14):
        builder.changed("dcgan", [20.0], False, lr_d=number + 1.0)
    with pytest.raises(BenchError, match=r"'dcgan' fits 14 cells: .*=12\.0, and 2 more \('bench report' shows all\)"):
        duel(builder.results(), "dcgan", "lsgan")


def test_cells_that_never_met_under_one_protocol_do_not_compare(builder):
    builder.trial("dcgan", False, 0, 20.0, pictures=False)
    builder.protocol(1_000, "20 steps")
    builder.trial("lsgan", False, 0, 20.0, pictures=False)
    with pytest.raises(BenchError, match="never ran under one track and protocol") as error:
        duel(builder.results(), "dcgan", "lsgan")
    assert builder.current.id in str(error.value)


def test_several_protocols_must_be_told_apart(builder):
    ids = []
    for samples in (10_000, 1_000):
        builder.protocol(samples, f"{samples} steps")
        ids.append(builder.current.id)
        for name in ("dcgan", "lsgan"):
            builder.trial(name, False, 0, 20.0, pictures=False)
    results = builder.results()
    with pytest.raises(BenchError, match=r"2 protocols, which must not be mixed.*--protocol"):
        duel(results, "dcgan", "lsgan")
    assert duel(results, "dcgan", "lsgan", ids[0]).group.protocol == ids[0]
    with pytest.raises(BenchError, match="no results of 'nonsense'"):
        duel(results, "dcgan", "lsgan", "nonsense")


def test_the_words_hold_every_seed_the_interval_and_the_verdict(three_seeds):
    text = as_words(duel(three_seeds, "dcgan bn=off", "dcgan bn=on"))
    # 17.9 - 20.8, 18.6 - 21.4, 17.2 - 20.5: mean -3, half 4.30265 * .26458 / sqrt(3) = .6572.
    assert "1           18.60      21.40        -2.80" in text
    assert "-3.00 [-3.66, -2.34]" in text
    assert "1.00 [0.29, 1.00], in 3 of 3 seeds" in text
    assert "p (permutation test)    0.250" in text
    assert "p is of this one comparison" in text
    assert text.endswith("dcgan bn=off is better than dcgan bn=on by 3.00 [2.34, 3.66] FID, 3 seeds.")


def test_a_seed_that_diverged_is_shown_and_counts(three_seeds):
    text = as_words(duel(three_seeds, "wgan_gp", "dcgan bn=off"))
    assert "diverged" in text
    assert "0.00 [0.00, 0.71], in 0 of 3 seeds" in text
    assert "1 more did not finish both ways (wgan_gp bn=off diverged in 1)" in " ".join(text.split())


def test_one_seed_is_no_verdict_and_no_test(one_seed):
    text = as_words(duel(one_seed, "dcgan bn=on", "dcgan bn=off"))
    assert "one seed gives no verdict" in text
    assert "run again with --seeds 3" in text
    assert "P(first better)" not in text
    assert "\n\n\n" not in text
    assert "better than" not in text


def test_a_cell_that_always_diverged_has_no_mean_difference(builder):
    builder.trials(dcgan=[None] * 6, lsgan=[20.0, 20.3, 20.1, 20.2, 20.4, 20.5])
    text = as_words(duel(builder.results(), "dcgan", "lsgan"))
    assert "difference         nan" not in text
    assert "mean difference         -\n" in text
    assert "p (sign test)           0.031" in text


def test_a_p_of_almost_nothing_is_not_called_zero(builder):
    builder.trials(dcgan=[10.0, 10.01, 10.02, 10.0], lsgan=[20.0, 20.01, 20.03, 20.0])
    text = as_words(duel(builder.results(), "dcgan", "lsgan"))
    assert "p (t test)              <0.001" in text


def test_probabilities_and_effects_have_two_decimals_however_small(builder):
    # One win of three: P from .0084 on, by Clopper and Pearson; the effect is
    # -.1 / 1.2124 (mean and standard deviation of the differences), times gamma(1) / gamma(1/2): -.0465.
    builder.trials(dcgan=[10.0, 10.0, 11.0], lsgan=[9.0, 9.9, 12.4])
    text = as_words(duel(builder.results(), "dcgan", "lsgan"))
    assert "0.33 [0.01, 0.91], in 1 of 3 seeds" in text
    assert "Hedges' g               -0.05" in text


def test_a_difference_of_one_seed_is_of_one_seed(builder):
    builder.trials(dcgan=[10.0, None, None], lsgan=[20.0, 21.0, None])
    found = duel(builder.results(), "dcgan", "lsgan")
    assert "first minus second -10.00 FID, 1 seed; 2 more did not finish" in found.sentence


def test_words_fit_the_terminal_and_names_are_not_broken(three_seeds, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    found = duel(three_seeds, "wgan_gp", "dcgan bn=off")
    lines = as_words(found).splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(lines).endswith(f"{found.sentence} {found.caution}")

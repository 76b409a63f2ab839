"""Pairs, ranks and factors of frames in which something is missing, failed, skipped or diverged."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.errors import BenchError
from reports import tables
from reports.comparisons import MORE_SEEDS, blocks, outcomes, pair, pairs, pairwise, ranks, repeated, verdict
from reports.groups import labelled, select
from reports.notes import notes
from reports.paired import Paired


def rows(builder):
    return select(builder.results())[1]


def ranks_of(here):
    return ranks(here, pairwise(here))


def test_only_a_divergence_is_an_outcome_without_a_score(builder):
    for seed, status in enumerate(("finished", "diverged", "failed", "interrupted", "running")):
        builder.trial("dcgan", False, seed, 20.0, status=status)
    values = outcomes(rows(builder))["dcgan bn=off"]
    assert values[0] == 20
    assert values[1] == math.inf
    assert values[2:].isna().all()


def test_pairs_are_of_shared_seeds_and_count_what_is_missing(builder):
    builder.trials(dcgan=[10.0, 11.0, None, 12.0], lsgan=[20.0, 21.5, 22.0])
    builder.trial("lsgan", False, 3, None, status="failed")
    builder.trial("lsgan", False, 9, 20.0)
    ((_, pair),) = pairs(rows(builder)).items()
    assert (pair.difference.n, len(pair.a), pair.unknown) == (2, 3, 1)
    row = tables.pairwise(builder.results()).iloc[0]
    assert (row["pairs"], row["unpaired"], row["chance"]) == (2, 2, pytest.approx(2 / 3))


def test_pairs_meet_by_seed_where_one_side_begins_later(builder):
    # 20 - 21 and 40 - 43 in the seeds 1 and 2.
    builder.trials(dcgan=[10.0, 20.0, 40.0])
    for seed, fid in ((1, 21.0), (2, 43.0), (3, 99.0)):
        builder.trial("lsgan", False, seed, fid, pictures=False)
    assert tables.pairwise(builder.results())["difference"].tolist() == [-2.0]


def test_cells_that_are_not_separable_share_ranks(builder):
    # dcgan and lsgan cross, hinge is far above both in every seed.
    builder.trials(dcgan=[10.0, 12.0, 11.0], lsgan=[11.0, 10.5, 11.7], hinge=[90.0, 91.0, 90.4])
    assert ranks_of(rows(builder)) == {"dcgan bn=off": (1, 2), "lsgan bn=off": (1, 2), "hinge bn=off": (3, 3)}
    board = tables.as_text(tables.leaderboard(builder.results()), 120)
    assert next(line for line in board.splitlines() if line.startswith("lsgan")).split()[2] == "1-2"
    assert next(line for line in board.splitlines() if line.startswith("hinge")).split()[2] == "3"


def test_survivors_do_not_take_the_first_rank(builder):
    builder.trials(dcgan=[5.0, 5.1, 5.2, None, None], lsgan=[20.0, 20.3, 20.1, 20.2, 20.4])
    assert set(ranks_of(rows(builder)).values()) == {(1, 2)}
    board = tables.leaderboard(builder.results()).set_index("label")
    assert board.loc["dcgan bn=off", "median"] == 5.2
    assert "5.10*" in tables.as_text(board.reset_index(), 120)
    verdict = tables.pairwise(builder.results())["verdict"].item()
    assert "not separable" in verdict
    assert "dcgan bn=off diverged in 2" in verdict
    assert "survivors alone must not decide" in verdict


def test_a_cell_that_mostly_diverged_has_no_finite_median_and_can_lose_by_signs(builder):
    builder.trials(dcgan=[None] * 6, lsgan=[20.0, 20.3, 20.1, 20.2, 20.4, 20.5])
    row = tables.pairwise(builder.results()).iloc[0]
    assert row["better"] == "lsgan bn=off"
    assert row["verdict"].startswith("lsgan bn=off is better than dcgan bn=off: so in 6 of 6 seeds")
    assert tables.leaderboard(builder.results()).set_index("label").loc["dcgan bn=off", "median"] == math.inf


def test_seeds_that_diverged_on_both_sides_tell_nothing_apart(builder):
    builder.trials(dcgan=[None] * 3, lsgan=[None] * 3)
    verdict = tables.pairwise(builder.results()).iloc[0]["verdict"]
    assert verdict == (
        "dcgan bn=off and lsgan bn=off are not separable, none of 3 seeds finished both ways (dcgan bn=off diverged in "
        "3, lsgan bn=off diverged in 3)"
    )
    assert "Holm" not in verdict


X = math.inf


@pytest.mark.parametrize(
    ("a", "b", "unknown", "p", "said"),
    [
        # Eight seeds in all, of which one side lost every one; then two more, of which the machine lost a side.
        ([X] * 8, [2.0] * 8, 0, 0.01, "b is better than a: so in 8 of 8 seeds (a diverged in 8)"),
        ([X] * 8, [2.0] * 8, 2, 0.01, "so in 8 of 8 seeds (a diverged in 8); 2 more did not finish both ways"),
        ([], [], 3, math.nan, "no seed of a and b ended both ways; run again"),
        ([X], [2.0], 0, math.nan, "one seed gives no verdict on a and b (a diverged in 1); run again"),
        ([1.0], [2.0], 1, math.nan, "a and b (a - b: -1.00 FID); 1 more did not finish both ways; run again"),
        ([2.0, 2.1, X], [1.0, 1.1, 1.0], 1, 0.01, "2 seeds; 2 more did not finish both ways (a diverged in 1)"),
        # Nobody survived both ways, so survivors have nothing to decide.
        (
            [X, X],
            [2.0, 2.0],
            1,
            0.5,
            "not separable, none of 3 seeds finished both ways (a diverged in 2); the sign test",
        ),
    ],
)
def test_a_sentence_counts_each_seed_once(a, b, unknown, p, said):
    sentence = verdict(Paired(np.array(a), np.array(b), unknown), "a", "b", "a - b", p)
    assert said in sentence
    assert "survivors" not in sentence


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
    builder.trials(dcgan=[10.0, 11.0], lsgan=[20.0, 21.0])
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
    builder.trials(**noise)
    table = tables.pairwise(builder.results())
    missed = (table["low"] > 0) | (table["high"] < 0)
    assert 3 < missed.sum() < 30
    assert (table["better"] == "").all()
    alone = [replace(each, spread=None).p <= 0.05 for each in pairs(rows(builder)).values()]
    assert 3 < sum(alone) < 30
    assert list(table["verdict"].str.contains("on their own they would be, but not as one of 190")) == alone


def test_cells_that_repeat_each_other_count_as_one(builder):
    builder.trials(nsgan=[10.0, 11.5, 12.0], dcgan=[10.1, 11.5, 12.2], gan=[10.2, 11.4, 12.2], hinge=[30.0, 31.0, 32.5])
    same = dict.fromkeys(("gan bn=off", "nsgan bn=off"), "dcgan bn=off")
    assert repeated(rows(builder)) == same, "gan by seed 2, nsgan by seed 1"
    table = tables.pairwise(builder.results())
    assert list(zip(table["label"], table["other"], strict=True)) == [("dcgan bn=off", "hinge bn=off")]
    assert table["p"].iloc[0] == pytest.approx(stats.ttest_rel([10.1, 11.5, 12.2], [30.0, 31.0, 32.5]).pvalue)
    board = tables.leaderboard(builder.results())
    assert dict(zip(board["label"], board["rank_low"], strict=True)) == dict.fromkeys(same, 1) | {
        "dcgan bn=off": 1,
        "hinge bn=off": 2,
    }
    said = " ".join(notes(board))
    assert "gan bn=off repeats dcgan bn=off" in said
    assert "nsgan bn=off repeats dcgan bn=off" in said
    assert "nsgan" not in " ".join(notes(board[board["label"] != "nsgan bn=off"]))


def test_what_collapsed_or_diverged_alike_repeats_nothing(builder):
    builder.trials(dcgan=[10.0, None], lsgan=[11.0, None])
    for name in ("dcgan", "lsgan"):
        builder.trial(name, False, 2, 400.0, diagnosis="mode collapse: modes 1", config=builder.rows[-1]["config"])
    assert repeated(rows(builder)) == {}


def test_friedmans_ranks_take_three_cells_and_five_seeds(builder):
    builder.trials(dcgan=[1.0, 2.0, 3.0, 4.0, 5.0], lsgan=[2.0, 3.0, 4.0, 5.0, 4.0])
    assert blocks(rows(builder)) is None
    builder.trials(hinge=[9.0, 9.0, 9.0, 9.0, None])
    assert blocks(rows(builder)).mean().to_dict() == {"dcgan bn=off": 1.2, "lsgan bn=off": 1.8, "hinge bn=off": 3.0}


def test_how_many_seeds_would_tell_is_said_and_capped(builder):
    builder.trials(dcgan=[20.0, 20.0, 20.0], lsgan=[20.9, 20.9, 19.9], hinge=[23.0, 17.0, 20.1])
    table = tables.pairwise(builder.results())
    assert table["verdict"].str.contains(r"roughly \d+ seeds in all would be needed").any()
    assert table["verdict"].str.contains("more than 100 seeds").any()


def test_frames_are_flat_and_numeric(three_seeds):
    for frame in (tables.pairwise(three_seeds), tables.factor_effects(three_seeds)):
        assert pd.api.types.is_numeric_dtype(frame["difference"])
        assert pd.api.types.is_numeric_dtype(frame["p"])


def test_how_many_seeds_would_tell_allows_for_all_comparisons(builder):
    """Where alone it would be a verdict, too; two seeds do not tell how many it takes."""
    builder.trials(dcgan=[10.0, 10.0, 10.0], lsgan=[11.0, 11.1, 11.4], hinge=[11.1, 11.0, 11.6], wgan=[12.0, 9.0, 11.0])
    for seed in (7, 8):  # a cell of other seeds, of whose pairs none has a p
        builder.trial("wgan_gp", False, seed, 30.0, pictures=False)
    table = tables.pairwise(builder.results())
    (row,) = table[(table["label"] == "dcgan bn=off") & (table["other"] == "lsgan bn=off")].to_dict("records")
    needed = Paired(np.array([10.0, 10.0, 10.0]), np.array([11.0, 11.1, 11.4])).seeds_needed(6)
    assert row["high"] < 0
    assert "not as one of 6 comparisons" in row["verdict"]
    assert row["verdict"].endswith(f"roughly {needed} seeds in all would be needed to tell")
    first = {"dcgan bn=off", "lsgan bn=off"}
    few = {label: values[:2] for label, values in outcomes(rows(builder)).items() if label in first}
    two = pair(*few.values())
    assert verdict(two, "a", "b", "a minus b", 0.2).endswith("two seeds do not tell how many would, " + MORE_SEEDS)


def test_holm_allows_for_the_pairs_that_have_a_p(builder):
    builder.trials(dcgan=[10.0, 10.1, 10.2], lsgan=[10.1, 10.0, 10.4])
    for seed in (7, 8, 9):
        builder.trial("hinge", False, seed, 30.0 + seed, pictures=False)
    table = tables.pairwise(builder.results()).set_index(["label", "other"])
    assert table["p"].notna().sum() == 1
    assert table.loc[("dcgan bn=off", "lsgan bn=off"), "p"] == pytest.approx(
        stats.ttest_rel([10.0, 10.1, 10.2], [10.1, 10.0, 10.4]).pvalue
    )
    text = tables.as_text(table.reset_index(), 200)
    assert text.count("not compared") == 2
    assert text.count("not separable") == 1

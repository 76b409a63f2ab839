"""One page of a store in which everything that can happen to a trial happened: it is right, and says so."""

import pytest

from reports import html, tables
from reports.summary import summary


@pytest.fixture
def mixed(builder):
    """dcgan ends in every way there is; lsgan has other seeds, one collapsed; hinge has one; wgan_gp is a skip."""
    builder.references()
    builder.skip()
    builder.trials(dcgan=[20.0, 21.0, None])
    for seed, status in enumerate(("failed", "interrupted", "running"), start=3):
        builder.trial("dcgan", False, seed, 1.0, pictures=False, status=status, reason=f"the {status} reason")
    builder.trials(lsgan=[30.0, 31.5, 32.0, 33.0])
    builder.rows[-1]["diagnosis"] = "discriminator saturation: D's loss is 0; mode collapse: missing 4"
    builder.trials(hinge=[1.5])
    return builder.results()


def test_counts_and_means_are_of_what_finished(mixed):
    board = tables.leaderboard(mixed).set_index("label")
    states = ["finished", "diverged", "failed", "interrupted", "running", "collapsed"]
    assert board.loc["dcgan bn=off", states].tolist() == [2, 1, 1, 1, 1, 0]
    assert board.loc["dcgan bn=off", "fid"] == 20.5
    assert board.loc["lsgan bn=off", states].tolist() == [4, 0, 0, 0, 0, 1]
    assert board.loc["wgan_gp bn=on", "skipped"] == 1


def test_pairs_are_of_the_seeds_that_both_have(mixed):
    (row,) = tables.pairwise(mixed).to_dict("records")
    # Seeds 0 and 1 finished both ways, 2 diverged in one; 3 failed, and 4 and 5 are dcgan's alone.
    assert (row["label"], row["other"], row["pairs"], row["tried"], row["unpaired"]) == (
        "dcgan bn=off", "lsgan bn=off", 2, 3, 2,
    )  # fmt: skip
    assert row["difference"] == pytest.approx(-10.25)
    assert row["better"] == "", "survivors alone, and 2 of 3 seeds"


def test_the_summary_tells_all_of_it(mixed):
    said = " ".join(summary(mixed))
    assert (
        "11 trials of 3 cells ran for 2,000 steps each; 7 finished (1 with modes collapsed), 1 diverged, 1 failed, "
        "1 interrupted, 1 still running; 1 cell was skipped."
    ) in said
    assert "Lowest FID: hinge bn=off with 1.50 in its one seed" in said
    assert "Some cells have a single seed" in said
    assert "is better than" not in said


def test_the_page_holds_every_reason_and_mark(mixed):
    page = html.render(mixed)
    for words in (
        "20.50*", "4/4, 1 collapsed", "2/6", "needs 2+ seeds", "the failed reason", "the interrupted reason",
        "the running reason", "loss of turn d became nan by step 925", "mode collapse: missing 4",
        "2 more did not finish both ways (dcgan bn=off diverged in 1)",
        "batch norm in D couples the images",
    ):  # fmt: skip
        assert words in page, words

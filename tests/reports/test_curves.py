"""What a budget buys, against curves drawn by hand."""

import math

import pytest

from reports import tables
from reports.curves import bands, budgets, pareto, sparklines
from reports.notes import notes


def curve(builder, algorithm, seed, fids, status="finished", **values):
    """A trial with these FIDs in training, after 10, 20, ... steps of 64 images and half a second."""
    final = 20.0 if status == "finished" else None
    run_id = builder.trial(algorithm, False, seed, final, pictures=False, status=status, **values)
    builder.points = [point for point in builder.points if point[0] != run_id]
    for i, fid in enumerate(fids, start=1):
        builder.points.append((run_id, 10 * i, "mnist_fid_2k", fid, 10 * i, 10 * i, 640 * i, 5.0 * i))


def line(builder, target=None):
    return budgets(builder.results(), target=target).set_index("label").loc["dcgan bn=off"]


def test_best_last_and_area_of_one_curve_by_hand(builder):
    curve(builder, "dcgan", 0, [100.0, 40.0, 60.0])
    # Trapezia: (100 + 40) / 2 and (40 + 60) / 2 over two equal steps: mean 60.
    row = line(builder)
    assert (row["best"], row["last"], row["area"]) == (40, 60, 60)


def test_the_area_is_over_images_however_unevenly_they_were_looked_at(builder):
    curve(builder, "dcgan", 0, [100.0, 50.0])
    builder.points.append((builder.points[0][0], 50, "mnist_fid_2k", 50.0, 50, 50, 3_200, 25.0))
    # (75 * 640 + 50 * 1920) / 2560
    assert line(builder)["area"] == pytest.approx(56.25)


def test_arrival_is_the_first_evaluation_at_the_target(builder):
    curve(builder, "dcgan", 0, [100.0, 50.0, 40.0])
    curve(builder, "dcgan", 1, [100.0, 90.0, 50.0])
    curve(builder, "dcgan", 2, [100.0, 90.0, 80.0])
    row = line(builder, target=50)
    # After 20 steps, 30 and never: the median seed needs 30.
    assert (row["reached"], row["trials"]) == (2, 3)
    assert (row["images"], row["seconds"], row["g_updates"]) == (1_920, 15, 30)
    assert line(builder, target=1)["seconds"] == math.inf


def test_a_seed_that_diverged_is_worse_than_any_but_keeps_what_it_had_reached(builder):
    curve(builder, "dcgan", 0, [100.0, 50.0, 40.0])
    curve(builder, "dcgan", 1, [100.0, 30.0], status="diverged")
    row = line(builder, target=50)
    assert row["last"] == row["area"] == math.inf
    assert row["reached"] == 2


def test_a_seed_that_diverged_before_it_was_looked_at_counts_too(builder):
    curve(builder, "dcgan", 0, [100.0, 50.0, 40.0])
    curve(builder, "dcgan", 1, [90.0, 60.0, 50.0])
    curve(builder, "dcgan", 2, [], status="diverged")
    curve(builder, "dcgan", 3, [], status="diverged")
    row = line(builder, target=50)
    assert (row["trials"], row["reached"]) == (4, 2)
    assert row["best"] == row["last"] == row["area"] == row["images"] == math.inf
    assert bands(builder.results(), "images").empty, "a mean of survivors"


def test_the_usual_target_is_of_trials_that_have_an_fid(builder):
    """Though most of them, and the median of their cell, have none."""
    curve(builder, "dcgan", 0, [100.0, 50.0])
    for seed in (1, 2):
        curve(builder, "dcgan", seed, [], status="diverged")
    found = budgets(builder.results())
    assert found.attrs["target"] == 50
    assert list(found["reached"]) == [1]


def test_the_usual_target_is_of_cells_however_many_seeds_they_have(builder):
    for seed in range(3):
        curve(builder, "dcgan", seed, [10.0])
    curve(builder, "lsgan", 0, [20.0])
    curve(builder, "hinge", 0, [30.0])
    assert budgets(builder.results()).attrs["target"] == 20


def test_trials_that_did_not_get_their_budget_do_not_count(builder):
    curve(builder, "dcgan", 0, [100.0, 50.0])
    curve(builder, "dcgan", 1, [3.0], status="interrupted")
    assert line(builder)["trials"] == 1


def test_a_band_ends_with_the_first_of_its_seeds(builder):
    curve(builder, "dcgan", 0, [100.0, 60.0, 50.0, 40.0])
    curve(builder, "dcgan", 1, [120.0, 90.0], status="diverged")
    band = bands(builder.results(), "images")
    assert band["images"].tolist() == [640, 1_280]
    assert band["mean"].tolist() == [110, 75]
    assert band["low"].tolist() == [100, 60]


def test_seeds_evaluated_at_other_steps_meet_on_straight_lines(builder):
    curve(builder, "dcgan", 0, [100.0, 60.0, 40.0])
    curve(builder, "dcgan", 1, [100.0, 1.0, 40.0])
    builder.points = [p for p in builder.points if p[3] != 1.0]
    # Between 100 at 10 steps and 40 at 30, the second one is at 70 after 20.
    assert bands(builder.results(), "images")["mean"].tolist() == [100, 65, 40]


def test_of_a_step_that_was_logged_twice_the_last_counts(builder):
    """As after a crash between a point and the next one."""
    curve(builder, "dcgan", 0, [100.0, 40.0])
    builder.points.append((builder.points[-1][0], 20, "mnist_fid_2k", 50.0, 20, 20, 1_280, 10.0))
    assert bands(builder.results(), "images")["mean"].tolist() == [100, 50]


def test_the_best_so_far_never_rises(builder):
    curve(builder, "dcgan", 0, [100.0, 40.0, 60.0])
    assert bands(builder.results(), "images", best=True)["mean"].tolist() == [100, 40, 40]


def test_without_curves_there_is_nothing_and_no_error(builder):
    builder.trial("dcgan", False, 0, 20.0)
    builder.points.clear()
    results = builder.results()
    assert budgets(results).empty
    assert bands(results, "images").empty
    assert sparklines(results) == {}


def test_the_front_holds_what_no_other_beats_in_both(builder):
    for algorithm, fid, seconds in (("dcgan", 30, 100), ("lsgan", 20, 200), ("hinge", 25, 300), ("nsgan", 35, 150)):
        builder.trial(algorithm, False, 0, float(fid), seconds=float(seconds), pictures=False)
    builder.trial("vae", False, 0, 1.0, seconds=1.0, no_gan="yes", pictures=False)
    builder.trial("wgan", False, 0, 1.0, seconds=1.0, pictures=False)
    builder.trial("wgan", False, 1, None, pictures=False)
    assert pareto(tables.leaderboard(builder.results())) == ["dcgan bn=off", "lsgan bn=off"]


def test_sparklines_share_one_scale(builder):
    curve(builder, "dcgan", 0, [100.0, 10.0])
    curve(builder, "lsgan", 0, [100.0, 31.6228])
    lines = sparklines(builder.results())
    # 31.6 is halfway between 10 and 100 on a logarithmic scale; up is worse.
    assert lines["dcgan bn=off"] == ("M36.0 0.0 L72.0 18.0",)
    assert lines["lsgan bn=off"] == ("M36.0 0.0 L72.0 9.0",)


def test_the_usual_target_is_rounded_up_at_the_scores_own_scale(builder):
    """To a hundredth, every cell would have reached scores of thousandths."""
    curve(builder, "dcgan", 0, [0.01, 0.0031415])
    curve(builder, "lsgan", 0, [0.01, 0.0020])
    curve(builder, "hinge", 0, [0.01, 0.0080])
    found = budgets(builder.results()).set_index("label")
    assert found.attrs["target"] == 0.00315
    assert found["reached"].to_dict() == {"lsgan bn=off": 1, "dcgan bn=off": 1, "hinge bn=off": 0}
    assert "FID 0.00315 or less" in " ".join(notes(found))


def test_the_note_says_which_columns_count_a_divergence(builder):
    """As the table does: best and reached are of what came before."""
    curve(builder, "dcgan", 0, [100.0, 30.0], status="diverged")
    row = line(builder, target=50)
    assert (row["best"], row["reached"], row["last"], row["area"]) == (30, 1, math.inf, math.inf)
    said = " ".join(notes(budgets(builder.results())))
    assert "Last and the mean along the way count a trial that diverged as worse than any score" in said
    assert "best and reached count what it had before" in said

"""What the tables must say, and what they must refuse."""

import math

import pandas as pd
import pytest

from bench.errors import BenchError
from reports import columns, numbers, tables


def cell(frame: pd.DataFrame, label: str) -> pd.Series:
    return frame.set_index("label").loc[label]


def test_leaderboard_has_means_and_intervals_by_hand(three_seeds):
    # 17.9, 18.6, 17.2: mean 17.9, sd 0.7, half 4.30265 * 0.7 / sqrt(3) = 1.7389.
    row = cell(tables.leaderboard(three_seeds), "dcgan bn=off")
    assert (row["fid"], row["fid_low"], row["fid_high"]) == pytest.approx((17.9, 16.1611, 19.6389), abs=1e-3)
    assert (row["seeds"], row["trials"], row["g_updates"], row["images"]) == (3, 3, 2000, 128_000)


def test_leaderboard_is_sorted_with_references_in_place_and_scoreless_cells_last(three_seeds):
    board = tables.leaderboard(three_seeds)
    assert list(board["label"]) == [
        "real train digits", "dcgan bn=off", "dcgan bn=on", "wgan_gp bn=off", "untrained generator", "wgan_gp bn=on",
    ]  # fmt: skip
    assert list(board.query("kind == 'reference'")["label"]) == ["real train digits", "untrained generator"]


def test_diverged_trials_are_counted_and_not_averaged(three_seeds):
    row = cell(tables.leaderboard(three_seeds), "wgan_gp bn=off")
    assert (row["trials"], row["seeds"], row["finished"], row["diverged"]) == (3, 2, 2, 1)
    assert row["fid"] == pytest.approx((26.4 + 24.9) / 2)
    assert "nan by step 925" in row["reason"]


@pytest.mark.parametrize("status", ["diverged", "failed", "interrupted", "running"])
def test_a_score_from_before_the_end_is_no_result(builder, status):
    # With as many samples during training as at the end, both have one name and a stopped trial carries a score.
    builder.trial("dcgan", True, 0, 20.0)
    builder.trial("dcgan", True, 1, 300.0, status=status, reason="stopped")
    row = cell(tables.leaderboard(builder.results()), "dcgan bn=on")
    assert (row["fid"], row["seeds"], row["trials"], row[status]) == (20.0, 1, 2, 1)


def test_means_are_of_trials_that_finished(builder):
    builder.trial("dcgan", True, 0, 20.0, is_=8.0, seconds=100.0, mnist_recall_10k=0.5)
    stopped = {"is_": 2.0, "seconds": 10.0, "mnist_recall_10k": 0.0, "status": "interrupted"}
    builder.trial("dcgan", True, 1, 300.0, **stopped)
    row = cell(tables.leaderboard(builder.results()), "dcgan bn=on")
    assert (row["is_"], row["seconds"], row["mnist_recall_10k"]) == (8.0, 100.0, 0.5)


def test_a_cell_of_which_every_trial_failed_is_a_row_with_its_reason(builder):
    builder.trial("dcgan", True, 0, None, status="failed", reason="RuntimeError: out of memory")
    builder.trial("dcgan", False, 0, 20.0)
    board = tables.leaderboard(builder.results())
    assert list(board["label"]) == ["dcgan bn=off", "dcgan bn=on"]
    assert cell(board, "dcgan bn=on")["reason"] == "RuntimeError: out of memory"
    assert "dcgan bn=on: failed - RuntimeError: out of memory" in tables.as_text(board, 120)


def test_the_interquartile_mean_counts_divergences(builder):
    builder.trials(dcgan=[*[10.0 + seed / 10 for seed in range(20)], *[None] * 10], lsgan=[20.0] * 20)
    board = tables.leaderboard(builder.results())
    assert board.set_index("label")["iqm"].to_dict() == {"dcgan bn=off": math.inf, "lsgan bn=off": 20.0}
    assert "IQM count a seed that diverged as the worst" in tables.as_text(board, 200)


def test_skips_are_rows_with_their_reason(three_seeds):
    row = cell(tables.leaderboard(three_seeds), "wgan_gp bn=on")
    assert math.isnan(row["fid"])
    assert (row["skipped"], row["trials"]) == (1, 0)
    assert row["reason"].startswith("batch norm in D couples")


def test_one_seed_has_no_interval_and_says_what_is_missing(one_seed):
    board = tables.leaderboard(one_seed)
    assert math.isnan(cell(board, "dcgan bn=on")["fid_low"])
    assert "needs 2+ seeds" in tables.as_text(board, 80)
    assert "One seed gives no verdict" in tables.as_text(board, 80)


def test_protocols_are_listed_newest_first(two_protocols):
    assert [group.budget for group in tables.protocols(two_protocols)] == ["20 steps", "2,000 steps"]


@pytest.mark.parametrize("table", [tables.leaderboard, tables.bn_effect])
def test_mixed_protocols_are_refused_in_one_line(two_protocols, table):
    with pytest.raises(BenchError, match="2 tracks or protocols must not share a table") as error:
        table(two_protocols)
    assert "\n" not in str(error.value)
    assert all(group.protocol in str(error.value) for group in tables.protocols(two_protocols))


def test_a_named_protocol_holds_its_own_rows_only(two_protocols):
    small, large = tables.protocols(two_protocols)
    assert list(tables.leaderboard(two_protocols, small).query("kind == 'cell'")["label"]) == ["dcgan bn=on"]
    assert cell(tables.leaderboard(two_protocols, small.protocol), "dcgan bn=on")["fid"] == 391.0
    assert cell(tables.leaderboard(two_protocols, large), "dcgan bn=on")["fid"] == pytest.approx(20.9)


def test_mixed_tracks_of_one_protocol_are_refused_until_named(builder):
    builder.trial("dcgan", True, 0, 20.0)
    builder.trial("acgan", True, 0, 10.0, track="label-conditional")
    results = builder.results()
    with pytest.raises(BenchError, match="must not share"):
        tables.leaderboard(results, builder.current.id)
    (group,) = (group for group in tables.protocols(results) if group.track == "noise-to-image")
    assert list(tables.leaderboard(results, group)["label"]) == ["dcgan bn=on"]


def test_an_unknown_protocol_is_an_error_that_lists_the_known(three_seeds):
    known = tables.protocols(three_seeds)[0].protocol
    with pytest.raises(BenchError, match=f"no results of 'nonsense'; there are: .*{known}"):
        tables.leaderboard(three_seeds, "nonsense")


def test_one_name_with_two_configs_is_two_cells(builder):
    # As when an algorithm's default changes between two releases: not two seeds of one cell.
    builder.trial("dcgan", True, 0, 20.0)
    config = builder.cell("dcgan", True)["config"] | {"dropout": 0.5}
    builder.trial("dcgan", True, 1, 30.0, config=config)
    board = tables.leaderboard(builder.results())
    assert list(board["seeds"]) == [1, 1]
    assert board["label"].str.match(r"dcgan bn=on \(config [0-9a-f]{4}\)").all()


def test_further_metrics_of_as_many_samples_are_columns(builder):
    builder.trial("dcgan", True, 0, 20.0, inception_fid_10k=7.25, inception_fid_2k=9.0)
    board = tables.leaderboard(builder.results())
    assert board["inception_fid_10k"].tolist() == [7.25]
    assert "inception_fid_2k" not in board
    assert "inception\\_fid\\_10k" in tables.as_markdown(board)


def test_bn_effect_is_paired_by_seed(builder):
    # on - off: 3, 2, 4 over the seeds 0 to 2 whatever their order; mean 3, sd 1, half 4.30265 / sqrt(3) = 2.4841.
    for seed, fid in ((2, 14.0), (0, 33.0), (1, 22.0)):
        builder.trial("dcgan", True, seed, fid)
    for seed, fid in ((0, 30.0), (1, 20.0), (2, 10.0)):
        builder.trial("dcgan", False, seed, fid)
    (row,) = tables.bn_effect(builder.results()).to_dict("records")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((3, 0.5159, 5.4841), abs=1e-3)
    assert row["pairs"] == 3
    assert row["verdict"] == "dcgan without BN is better than with BN by 3.00 [0.52, 5.48] FID, 3 seeds"


def test_bn_that_helps_is_named_so(builder):
    for seed in range(3):
        builder.trial("dcgan", True, seed, 10.0 + seed)
        builder.trial("dcgan", False, seed, 20.0 + seed * 1.1)
    verdict = tables.bn_effect(builder.results())["verdict"].item()
    assert verdict.startswith("dcgan with BN is better than without BN by 10.10 [")


def test_an_interval_around_zero_is_no_verdict(builder):
    for seed, difference in enumerate((3.0, -2.5, 1.0)):
        builder.trial("dcgan", True, seed, 20.0 + difference)
        builder.trial("dcgan", False, seed, 20.0)
    verdict = tables.bn_effect(builder.results())["verdict"].item()
    assert "not separable" in verdict
    assert "better" not in verdict


def test_one_seed_is_never_a_verdict(builder):
    builder.trial("dcgan", True, 0, 400.0)
    builder.trial("dcgan", False, 0, 2.0)
    row = tables.bn_effect(builder.results()).iloc[0]
    assert "no verdict" in row["verdict"]
    assert "--seeds" in row["verdict"]
    assert "better" not in row["verdict"]
    assert math.isnan(row["low"])


def test_seeds_that_only_one_side_finished_are_left_out_and_counted(builder):
    for seed in range(3):
        builder.trial("dcgan", True, seed, None if seed == 0 else 20.0 + seed)
        builder.trial("dcgan", False, seed, 10.0)
    row = tables.bn_effect(builder.results()).iloc[0]
    assert (row["pairs"], row["unpaired"]) == (2, 1)
    assert "1 more did not finish both ways" in row["verdict"]


def test_only_equal_configs_are_compared(builder):
    builder.trial("dcgan", True, 0, 20.0)
    config = builder.cell("dcgan", False)["config"] | {"dropout": 0.5}
    builder.trial("dcgan", False, 0, 10.0, cell="dcgan bn=off dropout=0.5", config=config)
    effect = tables.bn_effect(builder.results())
    assert list(effect["label"]) == ["dcgan", "dcgan dropout=0.5"]
    assert list(effect["pairs"]) == [0, 0]
    assert effect["verdict"].tolist() == [
        "dcgan: only bn=on was run", "dcgan dropout=0.5: only bn=off was run",
    ]  # fmt: skip


def test_a_skipped_side_is_said_with_its_reason(three_seeds):
    row = tables.bn_effect(three_seeds).set_index("label").loc["wgan_gp"]
    assert row["verdict"].startswith("wgan_gp: bn=on is skipped: batch norm in D couples")


def test_problems_list_what_gave_no_result_in_every_group(two_protocols):
    problems = tables.problems(two_protocols)
    assert list(zip(problems["label"], problems["status"], strict=True)) == [
        ("wgan_gp bn=off", "diverged"),
        ("wgan_gp bn=on", "skipped"),
    ]


def test_a_result_with_something_wrong_is_listed_with_its_diagnosis(builder):
    builder.trial("dcgan", True, 0, 90.0, diagnosis="mode collapse: missing 4")
    builder.trial("dcgan", True, 1, 20.0)
    (row,) = tables.problems(builder.results()).to_dict("records")
    assert (row["seed"], row["status"], row["reason"]) == (0, "finished", "mode collapse: missing 4")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("table", [tables.leaderboard, tables.bn_effect])
def test_text_fits_the_terminal_and_keeps_every_row(three_seeds, table, width):
    frame = table(three_seeds)
    text = tables.as_text(frame, width)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii()
    for label in frame["label"]:
        assert any(line.startswith(label) for line in text.splitlines()), label


def test_a_wide_terminal_shows_updates_and_parameters(three_seeds):
    board = tables.leaderboard(three_seeds)
    assert "params D" in tables.as_text(board, 160)
    assert "params D" not in tables.as_text(board, 80)


def test_text_is_rounded_to_two_decimals_and_names_its_protocol(three_seeds):
    board = tables.leaderboard(three_seeds)
    line = next(line for line in tables.as_text(board, 80).splitlines() if line.startswith("dcgan bn=off"))
    assert line.split() == ["dcgan", "bn=off", "1-2", "17.90", "[16.16,", "19.64]", "3/3", "6.57", "180", "s"]
    assert tables.protocols(three_seeds)[0].protocol in tables.as_text(board, 80).splitlines()[0]


def test_markup_in_names_is_text(builder):
    builder.trial("dcgan", True, 0, 20.0, cell="[bold]x[/bold] | <b>`y`</b>")
    board = tables.leaderboard(builder.results())
    assert "[bold]x[/bold] | <b>" in tables.as_text(board, 160)
    row = next(line for line in tables.as_markdown(board).splitlines() if "bold" in line)
    assert row.replace("\\|", "").count("|") == len(tables.as_markdown(board).splitlines()[2].split("|")) - 1
    assert "\\<b>" in row.replace("\\>", ">")


def headings(board: pd.DataFrame) -> list[str]:
    return [column.heading for column in columns.columns(board)]


def test_metrics_of_the_task_are_named_by_what_is_new_and_others_in_full(builder):
    values = {"inpainting_psnr_10k": 17.256, "inpainting_hole_l1_10k": 0.12345, "inception_fid_10k": 7.25}
    builder.trial("dcgan", True, 0, 20.0, prefix="inpainting", is_=math.nan, **values)
    board = tables.leaderboard(builder.results())
    assert headings(board)[:7] == ["cell", "FID", "95 % interval", "finished", "PSNR", "hole L1", "inception_fid_10k"]
    head, line = (line for line in tables.as_text(board, 160).splitlines() if line.startswith(("cell ", "dcgan bn=on")))
    assert "PSNR  hole L1" in head
    assert line.split()[:10] == ["dcgan", "bn=on", "20.00", "needs", "2+", "seeds", "1/1", "17.26", "0.123", "7.25"]


def test_a_metric_is_not_the_tasks_because_its_name_begins_alike(builder):
    builder.trial("dcgan", True, 0, 20.0, mnist_accuracy_10k=0.5, mnistish_fid_10k=3.0)
    assert {"accuracy", "mnistish_fid_10k"} <= set(headings(tables.leaderboard(builder.results())))


def test_a_metric_that_a_reference_lacks_is_a_dash_in_its_line(builder):
    builder.references()
    builder.trial("dcgan", True, 0, 20.0, mnist_accuracy_10k=0.5)
    lines = tables.as_text(tables.leaderboard(builder.results()), 160).splitlines()
    real, row = (next(line for line in lines if line.startswith(label)) for label in ("real", "dcgan bn=on"))
    assert real.split()[3:8] == ["0.14", "reference", "-", "9.82", "-"]
    assert row.split()[8] == "0.500"


def test_a_metric_is_written_in_one_form_throughout(builder):
    """A count without decimals; a share of 1 with as many as one of .949."""
    for seed, (modes, recall) in enumerate(((965, 0.949), (1000, 1.0))):
        builder.trial("dcgan", bool(seed), 0, 20.0, mnist_modes_10k=modes, mnist_recall_10k=recall)
    text = tables.as_text(tables.leaderboard(builder.results()), 160)
    for line, values in (("dcgan bn=off", ["965", "0.949"]), ("dcgan bn=on", ["1,000", "1.000"])):
        assert next(here for here in text.splitlines() if here.startswith(line)).split()[8:10] == values


def test_bounds_within_a_trial_do_not_pass_for_an_interval_over_seeds(builder):
    """KID's are over subsets of one trial's samples: far narrower than what another seed gives."""
    for seed, kid in enumerate((0.01, 0.05, 0.09)):
        bounds = {"mnist_kid_low_10k": kid - 0.001, "mnist_kid_high_10k": kid + 0.001}
        builder.trial("dcgan", True, seed, 20.0 + seed, mnist_kid_10k=kid, **bounds)
    board = tables.leaderboard(builder.results())
    assert board["mnist_kid_10k"].tolist() == [pytest.approx(0.05)]
    assert [name for name in board if "kid" in name] == ["mnist_kid_10k"]
    assert "so are further metrics, without an interval" in tables.as_text(board, 120)


def test_the_interval_of_is_is_shown(builder):
    # 8, 8.2, 8.4: mean 8.2, sd .2, half 4.30265 * .2 / sqrt(3) = .4968.
    for seed, score in enumerate((8.0, 8.2, 8.4)):
        builder.trial("dcgan", True, seed, 20.0 + seed, is_=score)
    assert "| 8.20 | \\[7.70, 8.70\\] |".replace("\\", "") in tables.as_markdown(tables.leaderboard(builder.results()))


def test_is_is_a_column_where_some_row_has_it(builder):
    builder.trial("dcgan", True, 0, 20.0, is_=math.nan)
    builder.trial("dcgan", False, 0, 21.0, is_=math.nan)
    board = tables.leaderboard(builder.results())
    assert "IS" not in headings(board)
    assert "| IS |" not in tables.as_markdown(board)
    builder.references()
    assert headings(tables.leaderboard(builder.results()))[:5] == ["cell", "FID", "95 % interval", "finished", "IS"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00310, "0.0031"), (-0.0042, "-0.0042"), (0.0, "0.00"), (0.1, "0.10"), (2.346, "2.35"), (1234.5, "1,234.50")],
)
def test_two_decimals_hide_no_number(value, text):
    assert numbers.number(value) == text


def test_reference_rows_whose_trials_have_not_begun_are_no_group(two_protocols):
    before = tables.protocols(two_protocols)
    other = two_protocols.trials["protocol"] == before[-1].protocol
    begun = two_protocols.trials[~other | (two_protocols.trials["kind"] == "reference")]
    assert tables.protocols(two_protocols.but(trials=begun)) == before[:-1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(999, "999"), (1_671_105, "1.67M"), (999_600, "1M"), (1_200_000_000, "1.2G"), (math.nan, "-")],
)
def test_counts_have_three_digits_and_the_unit_that_these_need(value, text):
    assert numbers.short(value) == text

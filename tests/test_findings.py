"""The page of findings: its tables are those of the committed figures. `test_findings_said.py` is of its words."""

import json
import re

import pytest
import scipy.stats
from measured import ENDED, FRAME, LABELLED, TEXT, TOLD_OF, TRIALS, TRICKS, by_seed, curve, lines
from pages import script

from reports.groups import protocols


@pytest.fixture(scope="module")
def findings():
    return script("findings")


@pytest.fixture(scope="module")
def found():
    return script("committed").load()


def test_the_page_has_every_table_once(findings):
    assert re.findall(r"<!-- (?!end)(\w+) -->", TEXT) == list(findings.TABLES)


def test_every_cell_of_the_track_is_in_one_of_two_tables(findings, found):
    ranked = [row[1] for row in lines(findings.leaderboard(found))]
    rest = [row[0] for row in lines(findings.too_few(found))]
    references = ["real train digits", "untrained generator"]
    assert sorted({*ranked, *rest} - {*references}) == sorted(ENDED["cell"].unique())
    assert not {*ranked} & {*rest}
    for cell in ranked:
        assert cell in references or len(by_seed(cell)) >= 3


def test_other_tracks_hold_every_other_cell(findings, found):
    text = findings.other_tracks(found)
    others = FRAME[(FRAME["kind"] == "trial") & ~FRAME.index.isin(TOLD_OF.index)]
    assert set(re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)) == set(others["cell"])
    assert text.count("### ") == len(protocols(found)) - 2
    vae = others[others["cell"] == "vae bn=on"]
    line = next(row for row in lines(text) if row[0] == "vae bn=on")
    assert float(line[2].split()[0]) == pytest.approx(vae["fid"].mean(), abs=0.0051)
    assert float(line[-1]) == pytest.approx(vae["mnist_reconstruction_10k"].mean(), abs=0.000051)


def test_rows_with_labels_say_how_well_they_obey(findings, found):
    rows = [row for row in lines(findings.conditional(found)) if row[0] != "-"]
    assert {row[1] for row in rows} == set(LABELLED["cell"])
    assert len(rows) == 9
    for _, cell, seeds, fid, _, accuracy, intra, _ in rows:
        mine = LABELLED[LABELLED["cell"] == cell]
        assert seeds == f"{len(mine)}/{len(mine)}"
        assert float(fid.split()[0]) == pytest.approx(mine["fid"].mean(), abs=0.0051)
        if cell == "sgan bn=on":
            assert (accuracy, intra) == ("-", "-"), "its G is told nothing"
        else:
            assert float(accuracy) == pytest.approx(mine["mnist_accuracy_10k"].mean(), abs=0.00051)
            assert float(intra) == pytest.approx(mine["mnist_intra_fid_10k"].mean(), abs=0.0051)


def test_tricks_are_compared_with_their_base_in_the_same_seeds(findings, found):
    rows = lines(findings.tricks(found))
    assert {row[0].split()[0] for row in rows} <= set(TRICKS)
    ran = set(TRIALS["algorithm"]) & set(TRICKS)
    assert len(rows) == len(ran - {"unrolled_gan"}), "which has other rates and another loss too"
    for trick, base, seeds, difference, _, said in rows:
        plain = trick.split()[0] != "logan"  # whose paper has no dropout
        assert base == f"nsgan {trick.split()[1]}" + ("" if plain else " dropout=0.0")
        differences = (by_seed(trick) - by_seed(base)).dropna()
        assert len(differences) == int(seeds)
        assert float(difference.split()[0]) == pytest.approx(differences.mean(), abs=0.0051)
        assert said in ("better", "worse", "not separable", "not compared")
        assert (said == "not compared") is (len(differences) < 2)


def test_like_is_compared_with_like(findings, found):
    rows = lines(findings.like_for_like(found))
    configs = TRIALS.drop_duplicates("cell").set_index("cell")["config"].map(json.loads)
    for cell, base, seeds, difference, _, _ in rows:
        assert base.startswith("nsgan ")
        assert all(value == configs[cell].get(name, value) for name, value in configs[base].items()), cell
        differences = (by_seed(cell) - by_seed(base)).dropna()
        assert len(differences) == int(seeds)
        assert float(difference.split()[0]) == pytest.approx(differences.mean(), abs=0.0051)
    told = {row[0] for row in rows}
    assert {"hinge bn=on", "hinge bn=off", "rsgan bn=off"} < told
    assert not told & {"dcgan bn=on", "wgan bn=on"}, "the base itself, and one whose settings no row of the base has"


def test_a_rank_and_what_is_surely_beaten_agree_with_all_pairs(findings, found):
    table = findings.leaderboard(found)
    sure, pairs = (int(n.replace(",", "")) for n in re.search(r"([\d,]+) of ([\d,]+) pairs", table).groups())
    rows = [row for row in lines(table) if row[0] != "-" and row[1] not in ("nsgan bn=on", "nsgan bn=off")]
    assert pairs == len(rows) * (len(rows) - 1) // 2, "nsgan is dcgan"
    told = 0
    for rank, cell, *_, better in rows:
        best, worst = map(int, rank.split("-")) if "-" in rank else (int(rank), int(rank))
        first, _, more = better.replace("`", "").removesuffix(" more").partition(" and ")
        beaten = 0 if better == "-" else int(more or 0) + 1
        assert worst == len(rows) - beaten
        assert better == "-" or by_seed(cell).mean() < by_seed(first).mean()
        told += beaten + best - 1
    assert told == 2 * sure


def test_readmes_show_the_first_ten_and_the_most_used(findings, found):
    every = [row for row in lines(findings.leaderboard(found)) if row[0] != "-"]
    some = [row for row in lines(findings.headline(found)) if row[0] != "-"]
    assert some[:10] == [row[:5] for row in every[:10]]
    used = [row[:5] for row in every[10:] if set(row[1].split()) <= {*findings.MOST_USED, "bn=on", "bn=off"}]
    assert some[10:] == used
    assert {"wgan_gp bn=off", "dcgan bn=on", "dcgan bn=off"} <= {row[1] for row in used}


def test_the_tail_stands_beside_the_base_at_as_many_updates_of_g(findings, found):
    rows = lines(findings.tail(found))
    limit = 1.25 * by_seed("nsgan bn=on").mean()
    high = TRIALS.groupby("cell").filter(lambda rows: rows["fid"].mean() > limit)
    ill = ENDED[(ENDED["status"] != "finished") | ENDED["diagnosis"].str.contains("collapse")]
    assert {row[0] for row in rows} == {*high["cell"], *ill["cell"]}
    base = curve("nsgan bn=on", "mnist_fid_2k")
    for row in rows:
        updates = int(row[3].replace(",", ""))
        before, after = base[base.index <= updates], base[base.index >= updates]  # nsgan has a turn of G each step
        low, high = sorted((before.iloc[-1], after.iloc[0]))
        assert low - 0.0051 <= float(row[5]) <= high + 0.0051
        assert float(row[4]) == pytest.approx(curve(row[0], "mnist_fid_2k").iloc[-1], abs=0.0051)


def test_published_figures_stand_apart_and_orders_agree_as_said(findings, found):
    text = findings.published(found)
    rows = lines(text)
    theirs = [float(row[1].split()[0]) for row in rows]
    ours = [by_seed(row[0]).mean() for row in rows]
    assert theirs == sorted(theirs)
    assert [int(row[5]) for row in rows] == [int(rank) for rank in scipy.stats.rankdata(ours)]
    tau = float(re.search(r"tau of these \d+: ([+-][\d.]+)", text).group(1))
    assert tau == pytest.approx(scipy.stats.kendalltau(theirs, ours).statistic, abs=0.0051)
    missing = re.findall(r"`(\w+)`", text.partition("Not measured")[2])
    assert {row[0].split()[0] for row in rows} | set(missing) == set(findings.LUCIC)

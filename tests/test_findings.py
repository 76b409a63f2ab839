"""The page of findings: its tables are those of the committed figures, and so is what it says in bold."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from pages import script, with_bn

import gans
from reports import tables
from reports.groups import protocols

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "findings.md").read_text()
FRAME = pd.read_parquet(ROOT / "reports" / "quick.parquet")
ENDED = FRAME.query("kind == 'trial' and track == 'noise-to-image' and weights == 'raw'")
TRIALS = ENDED[ENDED["status"] == "finished"]


@pytest.fixture(scope="module")
def findings():
    return script("findings")


@pytest.fixture(scope="module")
def found(findings):
    return findings.load()


def lines(table):
    """The cells of a Markdown table's rows, without backticks and stars."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip("`*") for cell in row] for row in rows]


def by_seed(cell):
    return TRIALS[TRIALS["cell"] == cell].set_index("seed")["fid"].sort_index()


def curve(cell, metric):
    """Index step: a figure in training, mean over the seeds of a cell."""
    points = pd.read_parquet(ROOT / "reports" / "quick.curves.parquet")
    runs = TRIALS.loc[TRIALS["cell"] == cell, "run_id"]
    return points[points["run_id"].isin(runs) & (points["metric"] == metric)].groupby("step")["value"].mean()


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
    others = FRAME.query("kind == 'trial' and not (track == 'noise-to-image' and weights == 'raw')")
    assert set(re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)) == set(others["cell"])
    assert text.count("### ") == len(protocols(found)) - 1
    adc = others[others["cell"] == "adc_gan bn=on"]
    line = next(row for row in lines(text) if row[0] == "adc_gan bn=on")
    assert float(line[2].split()[0]) == pytest.approx(adc["fid"].mean(), abs=0.0051)
    assert float(line[-1]) == pytest.approx(adc["mnist_accuracy_10k"].mean(), abs=0.00051)


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


def test_a_rank_and_what_is_surely_beaten_agree_with_all_pairs(findings, found):
    table = findings.leaderboard(found)
    sure, pairs = map(int, re.search(r"(\d+) of (\d+) pairs", table).groups())
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


def means(column):
    return TRIALS.groupby("cell")[column].mean()


def still_falling(cell):
    """Its last FID in training is its lowest."""
    fids = curve(cell, "mnist_fid_2k")
    return fids.idxmin() == fids.index[-1]


def nsgan_is_behind(cell):
    """The cell, of five turns of D for each of G, has the lower FID in training at its end."""
    fids, base = curve(cell, "mnist_fid_2k"), curve("nsgan bn=on", "mnist_fid_2k")
    return fids.iloc[-1] < np.interp(fids.index[-1] / 5, base.index, base)


def of(pairs, cells):
    """The pairs of which both cells are of these."""
    return pairs[pairs["label"].isin(cells) & pairs["other"].isin(cells)]


def ranking(pairs):
    """The compared cells by mean FID."""
    return list(dict.fromkeys([*pairs["label"], *pairs["other"]]))


def without_dropout(cells):
    """How many of these train D without it."""
    return sum(ENDED[ENDED["cell"] == cell]["config"].map(json.loads).iloc[0]["dropout"] == 0 for cell in cells)


def averaged(cell):
    """Index seed: FID of averaged weights."""
    rows = FRAME.query("weights == 'ema' and status == 'finished'")
    return rows[rows["cell"] == cell].set_index("seed")["fid"]


def tricks(verdict, bounds=False):
    """The tricks of which the page says this, or the bounds of their intervals."""
    table = TEXT.partition("<!-- tricks -->")[2].partition("<!-- end -->")[0]
    rows = [row for row in lines(table) if row[5] == verdict]
    if bounds:
        return [bound for row in rows for bound in re.findall(r"\[(\S+), (\S+)\]", row[3])[0]]
    return [row[0].split()[0] for row in rows]


TO_THE_PAPER = ("dcgan bn=on", "nsgan bn=on dropout=0.0", "dcgan_paper bn=on batch_size=64", "dcgan_paper bn=on")
"""`nsgan` is `dcgan`: without dropout, as the paper has it, and with its batches."""
STEPS = ("nsgan bn=off dropout=0.0", "r1 bn=off gamma=0.0", "r1 bn=off")
"""From `nsgan bn=off`, which is `dcgan bn=off`: without dropout, with R1's settings of Adam, with its penalty."""
TRICKS = [cls.info.name for cls in gans.families()["trick"]]
SAID = {
    "`lsgan` is better without it": lambda bn, _: bn.loc["lsgan", "p"] <= 0.05 and bn.loc["lsgan", "difference"] > 0,
    "`ragan` is better with it": lambda bn, _: bn.loc["ragan", "p"] <= 0.05 and bn.loc["ragan", "difference"] < 0,
    "For `dcgan` and `hinge` no difference is established": lambda bn, _: all(
        bn.loc[name, "p"] > 0.05 for name in ("dcgan", "hinge")
    ),
    "With it the seeds scatter less in all six": lambda bn, _: (
        (own := bn.index[bn["both"] & (bn["repeats"] == "") & (bn["algorithm"] != "")]).size == 6
        and all(by_seed(with_bn(name, "on")).std() < by_seed(with_bn(name, "off")).std() for name in own)
    ),
    "with batch norm D's loss is above that in the first 500 steps, without it below": lambda *_: (
        curve("lsgan bn=on", "loss_d").loc[:500].mean() > 0.25 > curve("lsgan bn=off", "loss_d").loc[:500].mean()
    ),
    "The first eleven cannot be told from each other": lambda _, pairs: (
        of(pairs, ranking(pairs)[:11])["better"] == ""
    ).all(),
    "`mmd_gan_rep`, `dcgan_paper` and `r1` are surely better than `dcgan`, with batch norm and without": (
        lambda _, pairs: all(
            of(pairs, [cell, f"dcgan bn={switch}"])["better"].tolist() == [cell]
            for cell in ("mmd_gan_rep bn=off", "dcgan_paper bn=on", "r1 bn=off")
            for switch in ("on", "off")
        )
    ),
    "Without these batches its FID is three points higher": lambda _, pairs: (
        (higher := by_seed(TO_THE_PAPER[2]) - by_seed(TO_THE_PAPER[3])).between(2, 4).all()
        and 5 * scipy.stats.ttest_1samp(higher, 0).pvalue == pytest.approx(0.010, abs=0.0005)
        and means("images")[TO_THE_PAPER[3]] == 2 * means("images")[TO_THE_PAPER[2]]
        and of(pairs, [TO_THE_PAPER[2], "dcgan bn=on"])["better"].tolist() == [""]
    ),
    "Ten of the first eleven train D without dropout, and two of the seventeen that follow.": lambda _, pairs: (
        without_dropout(ranking(pairs)[:11]) == 10 and without_dropout(ranking(pairs)[11:28]) == 2
    ),
    "Leaving dropout out lowers the mean of `nsgan`, with batch norm and without, neither surely": lambda *_: all(
        (lower := (by_seed(f"nsgan bn={switch}") - by_seed(f"nsgan bn={switch} dropout=0.0")).dropna()).mean() > 2
        and scipy.stats.ttest_1samp(lower, 0).pvalue > 0.05
        for switch in ("on", "off")
    ),
    "Each of these three lowers the FID in each of three seeds": lambda *_: all(
        ((change := (by_seed(after) - by_seed(before)).dropna()) < 0).all() and len(change) == 3
        for before, after in itertools.pairwise(TO_THE_PAPER)
    ),
    "Where D's slope is penalised no difference can be seen": lambda _, pairs: (
        (among := of(pairs, [f"{name} bn=off" for name in ("r1", "r1_r2", "gp0", "js_reg")])["better"]).size == 6
        and (among == "").all()
    ),
    "Each of the three steps from `nsgan bn=off` lowers the mean of three seeds, none surely": lambda _, pairs: (
        np.diff([by_seed(cell)[:3].mean() for cell in ("nsgan bn=off", *STEPS)]).max() < 0
        and all((of(pairs, two)["better"] == "").all() for two in itertools.pairwise(("dcgan bn=off", *STEPS)))
        and of(pairs, ["dcgan bn=off", "r1 bn=off"])["better"].tolist() == ["r1 bn=off"]
    ),
    "Between the seventeen that follow the first eleven nothing is certain": lambda _, pairs: (
        (cells := ranking(pairs)[11:28])[0] == "mmgan bn=on"
        and cells[-1] == "rsgan bn=off"
        and (of(pairs, cells)["better"] == "").all()
    ),
    "The rows with five D updates for each of G come last": lambda _, pairs: (
        (slow := {cell for cell in ranking(pairs) if means("g_updates")[cell] == 400})
        and set(ranking(pairs)[-len(slow) :]) == slow
    ),
    "Minibatch discrimination alone helps": lambda _, pairs: (
        tricks("better") == ["minibatch_discrimination"]
        and (by_seed("minibatch_discrimination bn=on") - by_seed("nsgan bn=on")).dropna().between(-13, -7).all()
        and of(pairs, ["minibatch_discrimination bn=on", "dcgan bn=on"])["better"].tolist() == [""]
    ),
    "`ttur`, `diffaugment`, `pacgan` and `feature_matching` are worse, and their FID is at its lowest at the end": (
        lambda *_: (
            tricks("worse") == ["ttur", "diffaugment", "pacgan", "feature_matching"]
            and all(still_falling(f"{name} bn=on") for name in tricks("worse"))
        )
    ),
    "Of the other six no difference is established, and by its interval none of them changes FID by three points": (
        lambda *_: (
            len(tricks("not separable")) == 6
            and sum(len(tricks(said)) for said in ("better", "worse", "not separable")) == len(TRICKS) - 3
            and all(-3 < float(bound) < 3 for bound in tricks("not separable", bounds=True))
        )
    ),
    "in three seeds it changes the FID of `nsgan` by a point at the most": lambda *_: (
        (change := (averaged("ema_gan bn=on") - by_seed("nsgan bn=on")).dropna()).abs().max() <= 1
        and np.sign(change).sum() == 1
        and len(change) == 3
    ),
    "All cells above 60 have had a fifth of the G updates.": lambda *_: (
        set(means("g_updates")[means("fid") > 60]) == {400}
    ),
    "After as many G updates, `nsgan` is behind all of these but `wgan` without batch norm": lambda *_: (
        {cell for cell in means("g_updates").eq(400).loc[lambda slow: slow].index if not nsgan_is_behind(cell)}
        == {"wgan bn=off"}
    ),
    "`wgan` is not only late": lambda *_: curve("wgan bn=off", "mnist_fid_2k").loc[667:].std() < 3,
    "`began` has the most precise samples of all": lambda *_: means("mnist_precision_10k").idxmax() == "began bn=off",
    "`wgan` without batch norm is among the first four in it": lambda *_: (
        "wgan bn=off" in means("mnist_precision_10k").nlargest(4).index
        and means("mnist_recall_10k")["wgan bn=off"] < 0.15
    ),
    "among the rows with one D update for each of G most pairs cannot be told apart": lambda _, pairs: (
        (of(pairs, means("g_updates").loc[lambda turns: turns == 2_000].index)["better"] != "").mean() < 0.5
    ),
}


def test_what_is_said_in_bold_is_what_the_figures_say(findings, found):
    bold = [re.sub(r"\s+", " ", said) for said in re.findall(r"\*\*(.+?)\*\*", TEXT, re.DOTALL)]
    group = findings.main_group(found)
    bn, pairs = tables.bn_effect(found, group).set_index("label"), tables.pairwise(found, group)
    assert bold == list(SAID), "every claim has its check here, in the page's order"
    for said, holds in SAID.items():
        assert holds(bn, pairs), said

"""The page of findings: what it says in bold is what the committed figures say."""

import functools
import itertools
import json
import re

import numpy as np
import pytest
import scipy.stats
from measured import ENDED, FRAME, LABELLED, TEXT, TRIALS, TRICKS, by_seed, curve, lines
from pages import script, with_bn

from reports import tables


def means(column):
    return TRIALS.groupby("cell")[column].mean()


def still_falling(cell):
    """Its last FID in training is its lowest."""
    fids = curve(cell, "mnist_fid_2k")
    return fids.idxmin() == fids.index[-1]


def is_behind(base, cell):
    """The cell, of five turns of D for each of G, has the lower FID in training at its end than the base by then."""
    fids, base = curve(cell, "mnist_fid_2k"), curve(base, "mnist_fid_2k")
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


def table(name):
    """The rows of a table of the page."""
    return lines(TEXT.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0])


def tricks(verdict, bounds=False):
    """The tricks of which the page says this, or the bounds of their intervals."""
    rows = [row for row in table("tricks") if row[5] == verdict]
    if bounds:
        return [bound for row in rows for bound in re.findall(r"\[(\S+), (\S+)\]", row[3])[0]]
    return [row[0].split()[0] for row in rows]


def alike(verdict):
    """The cells of which the page says this, against `nsgan` with their settings."""
    return [row[0] for row in table("like_for_like") if row[5] == verdict]


@functools.cache
def labelled():
    """The pairs of the cells that are given labels."""
    committed = script("committed")
    return tables.pairwise(committed.load(), committed.main_group(committed.load(), committed.LABELLED))


def p_of(label, field):
    """Of the effect of a factor, with all factors but batch norm allowed for."""
    committed = script("committed")
    found = committed.load()
    return tables.factor_effects(found, committed.main_group(found), field).set_index("label").loc[label, "p"]


def all_beat(pairs, cells, others):
    """Each of these cells is surely better than each of the others."""
    return all(of(pairs, [cell, other])["better"].tolist() == [cell] for cell in cells for other in others)


READING = ("adc_gan bn=on", "acgan bn=on", "sgan bn=on", "tac_gan bn=on")
TOLD = ("cgan bn=on", "cgan bn=on dropout=0.0 lr_g=0.0004 lr_d=0.0004")
ON_SNGAN = ("projection_gan bn=off", "reacgan bn=off", "contragan bn=off")
"""Rows with labels: D names an image's digit; it is told the digit, with its own settings and those of READING; it is
put on `sngan`."""
TO_THE_PAPER = ("dcgan bn=on", "nsgan bn=on dropout=0.0", "dcgan_paper bn=on batch_size=64", "dcgan_paper bn=on")
"""`nsgan` is `dcgan`: without dropout, as the paper has it, and with its batches."""
AS_ACGAN, AS_INFOGAN, AS_WGAN_GP, AS_SNGAN = (
    "nsgan bn=on dropout=0.0 lr_g=0.0004 lr_d=0.0004",
    "nsgan bn=on dropout=0.0 latent_dim=62 lr_g=0.001",
    "nsgan bn=off dropout=0.0 lr_g=0.0001 lr_d=0.0001 beta2=0.9 n_d=5",
    "nsgan spectral_norm=on bn=off dropout=0.0",
)
"""`nsgan` with the settings that these have."""
STEPS = ("nsgan bn=off dropout=0.0", "r1 bn=off gamma=0.0", "r1 bn=off")
"""From `nsgan bn=off`, which is `dcgan bn=off`: without dropout, with R1's settings of Adam, with its penalty."""
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
    "Eight of them are surely better than `dcgan` with batch norm": lambda _, pairs: (
        {*ranking(pairs)[:11]} - {f"{name} bn=on" for name in ("infogan", "minibatch_discrimination")} - {"gp0 bn=off"}
        == set(pairs.query("other == 'dcgan bn=on' and better != ''")["better"])
    ),
    "Without these batches its FID is three points higher": lambda _, pairs: (
        (by_seed(TO_THE_PAPER[2]) - by_seed(TO_THE_PAPER[3])).between(2, 4).all()
        and p_of("dcgan_paper bn=on", "batch_size") == pytest.approx(0.012, abs=0.0005)
        and means("images")[TO_THE_PAPER[3]] == 2 * means("images")[TO_THE_PAPER[2]]
        and all_beat(pairs, TO_THE_PAPER[2:3], ["dcgan bn=on"])
    ),
    "Ten of the first eleven train D without dropout, and nine of the 24 that follow.": lambda _, pairs: (
        without_dropout(ranking(pairs)[:11]) == 10 and without_dropout(ranking(pairs)[11:35]) == 9
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
        and all_beat(pairs, STEPS[1:], ["dcgan bn=off"])
    ),
    "Between the 24 that follow the first eleven nothing is certain": lambda _, pairs: (
        (cells := ranking(pairs)[11:35])[0] == "js_reg bn=off"
        and cells[-1] == "zcr_gan bn=off"
        and (of(pairs, cells)["better"] == "").all()
    ),
    "The rows with five D updates for each of G come last": lambda _, pairs: (
        (slow := {cell for cell in ranking(pairs) if means("g_updates")[cell] == 400})
        and set(ranking(pairs)[-len(slow) :]) == slow
    ),
    "With like settings most losses are not separable from `nsgan`'s.": lambda *_: (
        2 * len(alike("not separable")) > len([row for row in table("like_for_like") if row[5] != "not compared"])
    ),
    (
        "Worse are `rsgan` and `ragan` without batch norm, `softmax_gan`, `bgan`, and `lsgan` with batch norm; "
        "better are `mmgan`, and `dcgan_paper` with batches of 64"
    ): lambda *_: (
        set(alike("worse")) == {"rsgan bn=off", "ragan bn=off", "softmax_gan bn=on", "bgan bn=on", "lsgan bn=on"}
        and set(alike("better")) == {"mmgan bn=on", "dcgan_paper bn=on batch_size=64"}
    ),
    "Beside `nsgan` with spectral norm and no dropout nothing is seen of what three terms add to `sngan`": lambda *_: (
        {row[0] for row in table("like_for_like") if row[1] == AS_SNGAN and row[5] == "not separable"}
        == {f"{name} bn=off" for name in ("lecam", "cr_gan", "bcr_gan", "zcr_gan", "sngan")}
        and by_seed(AS_SNGAN).mean() < by_seed("sngan bn=off").mean()
    ),
    "`infogan`'s lead is that of its settings": lambda _, pairs: (
        "infogan bn=on" in alike("not separable")
        and ranking(pairs)[2] == AS_INFOGAN
        and abs((by_seed("infogan bn=on") - by_seed(AS_INFOGAN)).mean()) < 0.21
    ),
    "With settings that were searched for `acgan`, no dropout and twice the rates, `nsgan` is better by seven points": (
        lambda _, pairs: (
            (by_seed("nsgan bn=on") - by_seed(AS_ACGAN)).dropna().between(6, 8).all()
            and all_beat(pairs, [AS_ACGAN], ["dcgan bn=on"])
        )
    ),
    "Nor is it their loss that puts `wgan_gp` and `wgan_lp` near the end": lambda _, pairs: (
        {"wgan_gp bn=off", "wgan_lp bn=off"} <= set(alike("not separable"))
        and AS_WGAN_GP in ranking(pairs)[-5:]
        and by_seed(AS_WGAN_GP).mean() > by_seed("wgan_gp bn=off").mean()
    ),
    "With these higher rates seeds scatter by less than a tenth of a point": lambda *_: (
        max(by_seed(cell).std() for cell in (AS_ACGAN, AS_INFOGAN)) < 0.1
        and round(by_seed("nsgan bn=on").std(), 1) == 0.7
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
    "Three of them are better than `sngan`, by four to six points": lambda *_: all(
        ((lower := (by_seed("sngan bn=off") - by_seed(f"{name} bn=off")).dropna()).size == 3 and 4 < lower.mean() < 6)
        and by_seed("sngan bn=off").std() > by_seed(f"{name} bn=off").std()
        and [f"{name} bn=off", "better"] in [[row[0], row[5]] for row in table("on_sngan")]
        for name in ("lecam", "cr_gan", "bcr_gan")
    ),
    "changes nothing that can be seen": lambda *_: (
        ["zcr_gan bn=off", "sngan bn=off", "3", "not separable"] in [[*row[:3], row[5]] for row in table("on_sngan")]
    ),
    "`adc_gan` is surely better than every other row": lambda *_: all_beat(
        labelled(), READING[:1], {*LABELLED["cell"]} - {READING[0]}
    ),
    (
        "it is surely better than with its own, by sixteen points, and not separable from `acgan`, `sgan` and `tac_gan`"
    ): lambda *_: (
        all_beat(labelled(), TOLD[1:], TOLD[:1])
        and round(by_seed(TOLD[0]).mean() - by_seed(TOLD[1]).mean()) == 16
        and (of(labelled(), (*READING[1:], TOLD[1]))["better"] == "").all()
    ),
    "The three that are put on `sngan` come last": lambda *_: (
        set(LABELLED.groupby("cell")["fid"].mean().nlargest(3).index) == set(ON_SNGAN)
    ),
    "they have had a fifth of the G updates, and after as many `cgan` is behind each": lambda *_: (
        set(LABELLED.loc[LABELLED["g_updates"] == 400, "cell"]) == set(ON_SNGAN)
        and all(is_behind(TOLD[0], cell) for cell in ON_SNGAN)
    ),
    "`contragan` obeys least": lambda *_: LABELLED.groupby("cell")["mnist_accuracy_10k"].mean().idxmin() == ON_SNGAN[2],
    "All cells above 60 have had a fifth of the G updates.": lambda *_: (
        set(means("g_updates")[means("fid") > 60]) == {400}
    ),
    "After as many G updates, `nsgan` is behind all of these but `mmd_gan`, and `wgan` without batch norm": lambda *_: (
        {cell for cell in means("g_updates").eq(400).loc[lambda slow: slow].index if not is_behind("nsgan bn=on", cell)}
        == {"mmd_gan bn=off", "wgan bn=off"}
    ),
    "`wgan` is not only late": lambda *_: curve("wgan bn=off", "mnist_fid_2k").loc[667:].std() < 3,
    "`began` has the most precise samples of all": lambda *_: means("mnist_precision_10k").idxmax() == "began bn=off",
    "`wgan` without batch norm is among the first four in it": lambda *_: (
        "wgan bn=off" in means("mnist_precision_10k").nlargest(4).index
        and means("mnist_recall_10k")["wgan bn=off"] < 0.15
    ),
    "`ls_gan_qi` lost one of three seeds to its own loss": lambda *_: (
        by_seed("ls_gan_qi bn=off").round(2).tolist() == [37.39, 35.03, 99.69]
        and all(
            (late := curve("ls_gan_qi bn=off", f"{part}_loss_d", seed=2).loc[444:]).max() < 0.01 and len(late) > 50
            for part in ("real", "fake")
        )
        and np.allclose(
            *(curve("ls_gan_qi bn=off", name, seed=2).loc[444:] for name in ("loss_d", "margin_d")), atol=0.01
        )
    ),
    "among the rows with one D update for each of G most pairs cannot be told apart": lambda _, pairs: (
        (of(pairs, means("g_updates").loc[lambda turns: turns == 2_000].index)["better"] != "").mean() < 0.5
    ),
}


def test_what_is_said_in_bold_is_what_the_figures_say():
    bold = [re.sub(r"\s+", " ", said) for said in re.findall(r"\*\*(.+?)\*\*", TEXT, re.DOTALL)]
    committed = script("committed")
    found = committed.load()
    group = committed.main_group(found)
    bn, pairs = tables.bn_effect(found, group).set_index("label"), tables.pairwise(found, group)
    assert bold == list(SAID), "every claim has its check here, in the page's order"
    for said, holds in SAID.items():
        assert holds(bn, pairs), said

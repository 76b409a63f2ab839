"""`bench compare BASE ...`: one cell against several, or against all that it may be compared with."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.errors import BenchError
from reports.contest import as_words, conclusions, contest
from reports.layout import LEAST, layout


def test_p_allows_for_the_comparisons_that_were_asked_for_alone(three_seeds):
    found = contest(three_seeds, "dcgan bn=on", ["wgan_gp", "dcgan bn=off"]).set_index("label")
    off = stats.ttest_1samp([17.9 - 20.8, 18.6 - 21.4, 17.2 - 20.5], 0).pvalue
    wgan_gp = stats.ttest_1samp([26.4 - 20.8, 24.9 - 21.4], 0).pvalue  # the third seed diverged
    assert list(found.index) == ["dcgan bn=off", "wgan_gp bn=off"], "the lowest difference first"
    assert found["difference"].tolist() == pytest.approx([-3.0, 4.55])
    assert found["p"].tolist() == pytest.approx([2 * off, wgan_gp])
    assert found["better"].tolist() == ["dcgan bn=off", ""]
    alone = contest(three_seeds, "dcgan bn=on", ["dcgan bn=off"])
    assert alone["p"].tolist() == pytest.approx([off])


def test_an_interval_does_not_depend_on_which_others_are_asked_for(builder):
    """What the whole table knows of the scatter of cells is known of the two that are named."""
    rng = np.random.default_rng(0)
    base, others = 20 + rng.normal(0, 1, 3), 24 + rng.normal(0, 1, (LEAST - 1, 3))
    builder.trials(hinge=base.tolist())
    for number, fids in enumerate(others):
        if number == LEAST - 2:
            said = " ".join(as_words(contest(builder.results(), "hinge")).split())
            assert "by the variance of each alone" in said, "too few cells"
        builder.changed("dcgan", fids.tolist(), False, lr_d=number + 1.0)
    cells = [f"dcgan bn=off lr_d={number + 1}.0" for number in range(LEAST - 1)]
    named = contest(builder.results(), "hinge", cells[:2]).set_index("label").loc[cells[:2]]
    every = contest(builder.results(), "hinge").set_index("label").loc[cells[:2]]
    bounds = ["difference", "low", "high"]
    assert named[bounds].to_numpy() == pytest.approx(every[bounds].to_numpy())
    whole = layout({"hinge": pd.Series(base)} | {cell: pd.Series(o) for cell, o in zip(cells, others, strict=True)})
    alone = []
    for cell, fids in zip(cells[:2], others, strict=False):
        spread = whole.between(cell, "hinge")
        error, mean = np.sqrt(spread.variance / 3), (fids - base).mean()
        half = stats.t.ppf(0.975, spread.df) * error
        assert named.loc[cell, bounds].tolist() == pytest.approx([mean, mean - half, mean + half])
        alone.append(2 * stats.t.sf(mean / error, spread.df))
    assert named["p"].tolist() == pytest.approx(multipletests(alone, method="holm")[1].tolist()), "as two comparisons"
    assert (every["p"] > named["p"]).all()
    said = " ".join(as_words(contest(builder.results(), "hinge", cells[:2])).split())
    assert "by the scatter of both cells beside what each seed does to all (two-way layout, Welch)" in said


def test_without_others_it_is_every_cell_of_the_group(builder):
    builder.trials(dcgan=[20.0, 20.5], lsgan=[22.0, 22.5], hinge=[21.0, 21.5])
    builder.protocol(1_000, "20 steps")
    builder.trials(wgan=[30.0, 30.5])
    assert list(contest(builder.results(), "dcgan")["label"]) == ["hinge bn=off", "lsgan bn=off"]


def test_conclusions_name_the_better_the_worse_and_the_rest(builder):
    base = [20.0, 20.5, 20.2, 20.4]
    builder.trials(
        dcgan=base,
        lsgan=[fid + step for fid, step in zip(base, (5.0, 5.1, 4.9, 5.0), strict=True)],
        hinge=[fid - step for fid, step in zip(base, (5.0, 5.1, 4.9, 5.0), strict=True)],
        ragan=[fid + step for fid, step in zip(base, (5.0, -5.1, 4.9, -5.0), strict=True)],
        wgan=[25.0],
        r1=[25.0],
    )
    found = contest(builder.results(), "dcgan")
    assert conclusions(found) == [
        "1 cell better than dcgan bn=off: hinge bn=off.",
        "1 cell worse than dcgan bn=off: lsgan bn=off.",
        "1 cell not separable from dcgan bn=off: ragan bn=off.",
        "2 cells without a verdict: too few seeds in common (--seeds 3).",
    ]
    assert as_words(found).endswith("\n".join(conclusions(found)))


def test_the_base_is_said_once_and_every_line_fits_the_terminal(builder, monkeypatch):
    long = {name: float(number) for number, name in enumerate(("lr_g", "lr_d", "beta2"))}
    builder.trials(dcgan=[20.0, 20.5, 20.2], minibatch_discrimination=[21.0, 21.4, 21.3])
    builder.changed("hinge", [19.0, 19.2, 19.9], **long)
    monkeypatch.setenv("COLUMNS", "80")
    lines = as_words(contest(builder.results(), "dcgan")).splitlines()
    assert lines[0] == "FID of each cell minus that of dcgan bn=off: below zero, the cell is better."
    assert max(map(len, lines)) <= 80
    head = next(line for line in lines if line.startswith("cell "))
    assert head.split()[:2] == ["cell", "difference"]
    assert any(line.startswith("minibatch_discrimination bn=off ") for line in lines), "a name is not broken"


def test_what_the_terminal_has_no_room_for_is_not_explained(builder, monkeypatch):
    builder.trials(dcgan=[20.0, 20.5, 20.2], lsgan=[21.0, 21.4, 21.3])
    for width, shown in (("200", True), ("50", False)):
        monkeypatch.setenv("COLUMNS", width)
        said = as_words(contest(builder.results(), "dcgan"))
        assert (said.count("P(better)") == 2) is shown
        assert ("P(better) is of the cell in one more seed" in " ".join(said.split())) is shown


def test_a_side_that_always_diverged_loses_by_signs(builder):
    builder.trials(dcgan=[20.0] * 6, lsgan=[None] * 6)
    (sentence,) = conclusions(contest(builder.results(), "dcgan"))
    assert sentence == "1 cell worse than dcgan bn=off: lsgan bn=off."


def test_one_seed_that_diverged_is_no_verdict(builder):
    builder.trials(dcgan=[10.0, 11.0, 12.0], lsgan=[None], hinge=[30.0, 31.1, 32.2])
    found = contest(builder.results(), "dcgan")
    assert conclusions(found) == [
        "1 cell worse than dcgan bn=off: hinge bn=off.",
        "1 cell without a verdict: too few seeds in common (--seeds 3).",
    ]
    assert found.attrs["families"] == {"": 1}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("dcgan bn=on", "wgan_gp", "dcgna"), "no cell 'dcgna'"),
        (("dcgan",), "'dcgan' fits 2 cells: dcgan bn=on, dcgan bn=off; name one of them"),
        (("dcgan bn=on", "wgan_gp", "wgan_gp bn=off"), "'wgan_gp' and 'wgan_gp bn=off' are one cell, wgan_gp bn=off"),
    ],
)
def test_names_that_mean_no_cells_are_one_line(three_seeds, names, words):
    with pytest.raises(BenchError) as error:
        contest(three_seeds, names[0], names[1:])
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_cell_that_is_alone_has_no_rival(builder):
    builder.trials(dcgan=[20.0, 20.5])
    with pytest.raises(BenchError, match="dcgan bn=off is the only cell of noise-to-image"):
        contest(builder.results(), "dcgan")

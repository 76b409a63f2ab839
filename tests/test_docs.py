"""The pages that are made of the code: they say what the code says, and what was measured to the last digit shown."""

import re
from pathlib import Path

import pytest
from pages import script

import gans
from bench import results
from bench.metrics import METRICS
from reports import tables
from reports.numbers import number

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site():
    """The hook of MkDocs."""
    return script("generate")


@pytest.fixture(scope="module")
def example():
    return results.load(ROOT / "reports" / "example.parquet")


@pytest.mark.parametrize("name", gans.names())
def test_a_page_tells_all_that_is_known_of_an_algorithm(site, example, name):
    info = gans.get(name).info
    page = site.algorithm_page(gans.get(name), example)
    plain = re.sub(r"\\(.)", r"\1", re.sub(r"\[(`\w+`)\]\(\w+\.md\)", r"\1", page))
    for text in (info.summary, *info.losses, *info.deviations, *info.same_as):
        assert text in plain
    source = re.search(r"`(gans/\S+\.py)`", page).group(1)
    assert f'"{name}"' in (ROOT / source).read_text()


def test_settings_are_those_that_differ(site, example):
    own = site.algorithm_page(gans.get("wgan_gp"), example).partition("## Settings of its own")[2].partition("##")[0]
    fields = set(re.findall(r"^\| `(\w+)`", own, re.MULTILINE))
    default = gans.GAN.Config().to_dict()
    config = gans.get("wgan_gp").Config().to_dict()
    assert fields == {field for field, value in config.items() if field not in default or default[field] != value}


def test_measured_numbers_are_those_of_the_table(site, example):
    (group,) = tables.protocols(example)
    board = tables.leaderboard(example, group).set_index("label")
    page = site.measured("dcgan", example)
    head = re.search(r"^\|  \| (.*) \|$", page, re.MULTILINE).group(1).split(" | ")
    assert set(head) == {"dcgan bn=on", "dcgan bn=off", "real train digits", "untrained generator"}
    fid = re.search(r"^\| FID \| (.*) \|$", page, re.MULTILINE).group(1).split(" | ")
    assert fid == [number(board.loc[label, "fid"]) for label in head]
    assert group.protocol in page


def test_what_was_not_measured_is_said(site, example):
    assert site.measured("began", example) == "Not yet, under today's protocol."


def test_nothing_of_a_docstring_becomes_markup(site):
    assert site.prose("a_b * <i> [x](y) `nsgan` and `lr_d=1`") == (
        r"a\_b \* \<i\> \[x\](y) [`nsgan`](nsgan.md) and `lr_d=1`"
    )


def test_every_algorithm_and_metric_is_listed(site):
    index = site.index_page()
    assert sorted(re.findall(r"^\| \[`(\w+)`\]\(\1\.md\) \|", index, re.MULTILINE)) == gans.names()
    table = (ROOT / "docs" / "metrics.md").read_text().partition("<!-- metrics -->")[2].partition("<!-- end -->")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(METRICS)

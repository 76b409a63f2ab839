"""What the page is made of: its sections and their names, galleries, algorithms as they are stated."""

import re

import pytest

from reports import catalogue, gallery, html
from reports.groups import all_rows, titles
from reports.looks import looks
from reports.page import page
from reports.plotting import MOST_ROWS
from reports.tables import protocols


def test_groups_of_one_track_and_budget_are_told_apart(builder):
    """By what differs: the task first, then the data, then the weights; the same name twice in no list."""
    for track, more in (
        ("image-to-image", {"prefix": "inpainting"}),
        ("image-to-image", {"prefix": "super_resolution"}),
        ("noise-to-image", {"weights": "ema"}),
        ("noise-to-image", {"weights": "raw"}),
        ("curves", {"prefix": "curves"}),
    ):
        protocol = f"{track} {more}"
        builder.trial("dcgan", True, 0, 20.0, pictures=False, track=track, protocol=protocol, **more)
    assert sorted(titles(builder.results()).values()) == [
        "curves, 2,000 steps",
        "image-to-image, 2,000 steps, inpainting", "image-to-image, 2,000 steps, super resolution",
        "noise-to-image, 2,000 steps, ema weights", "noise-to-image, 2,000 steps, raw weights",
    ]  # fmt: skip
    assert "<h2>Image-to-image, 2,000 steps, super resolution</h2>" in html.render(builder.results())


def test_the_group_of_most_cells_comes_first(two_protocols):
    """Though the smoke run of one cell is newer."""
    assert [group.budget for group in protocols(two_protocols)] == ["20 steps", "2,000 steps"]
    assert [section.group.budget for section in page(two_protocols).sections] == ["2,000 steps", "20 steps"]
    assert [group.budget for group in protocols(two_protocols)] == ["20 steps", "2,000 steps"], "as before"


def test_pictures_of_which_there_is_none_are_one_sentence(one_seed):
    results = one_seed.but(trials=one_seed.trials.assign(imported="all.csv"), files={})
    source = html.render(results)
    assert source.count("<p>Nothing to show: all.csv holds no training.gif.</p>") == 1
    assert source.count("all.csv holds no samples.png") == 1
    assert '<div class="missing">' not in source
    assert '<div class="gallery">' not in source


def test_animations_have_room_before_latent_spaces_and_the_rest_is_named(builder, monkeypatch):
    runs = [builder.trial("dcgan", bn, 0, fid) for bn, fid in ((True, 20.0), (False, 30.0))]
    for run in runs:
        builder.files[run, "latent/interpolation.png"] = builder.files[run, "samples.png"]
    taken = sum(4 * ((len(content) + 2) // 3) for content in builder.files.values())
    last = 4 * ((len(builder.files[runs[1], "latent/interpolation.png"]) + 2) // 3)
    monkeypatch.setattr(gallery, "ALL_BYTES", taken - last)
    results = builder.results()
    shown = page(results).sections[0].gallery
    assert all(picture.data for picture in [*shown.samples, *shown.gifs, shown.latent[0]])
    assert shown.latent[1].data is None
    source = html.render(results)
    assert "<summary>1 more, left out to keep this page small</summary>" in source
    assert f"dcgan bn=off, interpolation, seed 0, FID 30.00: <code>latent/interpolation.png of run {runs[1]}" in source
    assert '<div class="missing">' not in source
    assert 'alt="interpolation of dcgan bn=on"' in source
    assert 'alt="samples of dcgan bn=on"' in source
    assert re.search(r"<summary>Animations \(2\).*?alt=\"training of dcgan bn=on\"", source, re.DOTALL)


def test_of_many_pairs_neighbours_are_listed_and_the_notes_are_of_all(builder):
    builder.trials(**{f"a{i:02}": [20.0 + i, 20.3 + 1.1 * i, 20.1 + i] for i in range(13)})
    section = page(builder.results()).sections[0]
    assert (len(section.pairs.lines), section.pairs_in_all) == (12, 78)
    assert "by the scatter of both cells beside what each seed does to all" in section.pairs.notes[0]
    assert "adjusted for 78 comparisons" in section.pairs.notes[0]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["run a --seeds 1 -x", "run a --seeds 3 -x", "run a --seeds 2 -x"], ["run a --seeds 3 -x"]),
        (["run a --seeds 1", "run b --seeds 1"], ["run a --seeds 1", "run b --seeds 1"]),
        (["run a --seeds 2", "run a --seeds 2 --first-seed 5"], ["run a --seeds 2", "run a --seeds 2 --first-seed 5"]),
        (["run a", "run a"], ["run a"]),
    ],
)
def test_of_commands_that_differ_in_seeds_alone_the_longest_stands_for_all(builder, commands, expected):
    for seed, command in enumerate(commands):
        builder.trial("dcgan", True, seed, 20.0, pictures=False, command=command)
    results = builder.results()
    assert catalogue.algorithms(all_rows(results), looks(results))[0].commands == expected


def test_settings_that_differ_have_a_column_for_each_of_the_first_cells(builder):
    """Two values that six digits would not tell apart are two."""
    for i in range(MOST_ROWS + 2):
        builder.changed("dcgan", [20.0 + i], lr_d=0.00012345670 + i * 1e-11)
    results = builder.results()
    (listed,) = catalogue.algorithms(all_rows(results), looks(results))
    assert (len(listed.cells), listed.more, listed.differ) == (MOST_ROWS, 2, ["lr_d"])
    settings = dict(listed.settings)
    assert settings["lr_d"][:2] == ["0.0001234567", "0.00012345671"]
    assert (len(settings["lr_d"]), settings["latent_dim"]) == (MOST_ROWS, ["100"])
    source = html.render(results)
    assert f'<th scope="row">latent_dim</th><td colspan="{MOST_ROWS}">100</td></tr>' in source
    assert "2 further cells have no column here" in source


def test_commands_of_digits_that_stood_in_are_said_to_need_more(build):
    assert "stood in for MNIST" not in html.render(build(1))
    fallen = build(1)
    fallen.trials["dataset"] = "mnist5k"
    assert "A command does the same again with --offline" in html.render(fallen)


@pytest.mark.parametrize(
    ("item", "headed"),
    [
        ("paper: batch 64", ("Differs from paper", "batch 64")),
        ("nets: an encoder", ("Nets", "an encoder")),
        ("G is told no label: it has none", ("Differs", "G is told no label: it has none")),
        ("one sentence", ("Differs", "one sentence")),
    ],
)
def test_only_paper_and_tutorial_are_differed_from(one_seed, item, headed):
    rows = all_rows(one_seed).assign(deviations=[[item]] * len(one_seed.trials))
    assert catalogue.algorithms(rows, looks(one_seed))[0].deviations == [headed]

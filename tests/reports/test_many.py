"""More cells than a page can draw: which ones it shows, that it says so, and that nothing is worked out twice."""

import dataclasses
import re
from pathlib import Path

import pytest

import reports
from bench.results import Results, load
from reports import html, looks, tables
from reports.budget_figures import pareto_front
from reports.comparisons import MOST_RANKED
from reports.figures import fid_curve, leaderboard_dots, pairwise_matrix
from reports.groups import select
from reports.looks import DISTINCT
from reports.plotting import MOST_ROWS

CELLS = MOST_RANKED + 5
QUICK = Path(reports.__file__).parent / "quick.parquet"


def name(i):
    return f"lsgan lr_d={1000 - i}"


@pytest.fixture
def many(builder):
    """CELLS cells with two seeds each; by name they stand the other way round than by FID."""
    for i in range(CELLS):
        config = builder.cell("lsgan", False)["config"] | {"lr_d": 1000.0 - i}
        for seed in (0, 1):
            fid = 20 + i + 0.25 * seed
            builder.trial("lsgan", False, seed, fid, pictures=False, cell=name(i), name=name(i), config=config)
    builder.references()
    return builder.results()


def test_the_table_has_every_cell_and_the_rest_those_of_lowest_fid(many):
    board = tables.leaderboard(many).query("kind == 'cell'")
    assert list(board["label"]) == [name(i) for i in range(CELLS)]
    assert board["rank_low"].notna().sum() == MOST_RANKED
    assert board["rank_low"].iloc[:MOST_RANKED].notna().all()
    compared = tables.pairwise(many)
    assert len(compared) == MOST_RANKED * (MOST_RANKED - 1) / 2
    assert set(compared["label"]) | set(compared["other"]) == {name(i) for i in range(MOST_RANKED)}
    labels = [text.get_text() for text in leaderboard_dots(many).axes[0].get_yticklabels()]
    assert labels == [name(i) for i in range(MOST_ROWS)]
    assert len(pairwise_matrix(many).axes[0].get_yticklabels()) == DISTINCT
    drawn = {text.get_text() for text in fid_curve(many).legends[0].get_texts()}
    assert {label for label in drawn if label.startswith("lsgan")} == {name(i) for i in range(DISTINCT)}


def test_cells_that_are_drawn_together_look_different_in_every_group():
    """Those of the committed quick runs: by their order alone, eight of them shared a look with another one."""
    quick = load(QUICK)
    for group in tables.protocols(quick):
        drawn = looks.drawn(quick, select(quick, group)[1])
        assert len(drawn) == len(set(drawn.values())), group


def test_a_cell_of_two_crowded_groups_looks_like_none_of_its_neighbours(builder):
    """Two groups of DISTINCT cells with one in common: all looks are in use, and some twice, never together."""
    for track in ("one", "other"):
        for i in range(DISTINCT):
            cell = "dcgan" if i == 0 else f"dcgan {track}={i}"
            config = builder.cell("dcgan", False)["config"]
            builder.trial("dcgan", False, 0, 20.0, False, track=track, cell=cell, name=cell, config=config)
    results = builder.results()
    for group in tables.protocols(results):
        assert len(set(looks.drawn(results, select(results, group)[1]).values())) == DISTINCT


def test_cells_that_are_drawn_together_look_different(many):
    seen = looks.looks(many)
    assert len({(look.colour, str(look.dash)) for look in (seen[name(i)] for i in range(DISTINCT))}) == DISTINCT


def test_the_page_says_what_it_leaves_out_and_draws_no_more(many):
    page = html.render(many)
    assert (
        f"Of these {CELLS} cells, lines and dots of FID against cost show the {DISTINCT} of lowest mean FID (dots also "
        f"the front), the matrix shows the first {DISTINCT}, samples and figures with one row per cell show "
        f"{MOST_ROWS} and {MOST_RANKED} are compared with each other."
    ) in page
    assert "Of the 4,950 pairs, those of neighbours are listed; the matrix has every two of the cells that it" in page
    assert all(f"{name(i)}</th>" in page for i in range(CELLS)), "the table is whole"
    samples = re.search(r"<h3>Samples</h3>(.*?)</section>", page, re.DOTALL).group(1)
    assert name(MOST_ROWS - 1) in samples
    assert name(MOST_ROWS) not in samples
    assert "untrained generator" in samples


def test_the_front_is_of_all_cells_not_of_those_that_are_drawn(builder):
    """The quickest cell is on it, however many have a lower FID."""
    names = [f"a{i:02}" for i in range(DISTINCT + 2)]
    for i, algorithm in enumerate(names):
        builder.trial(algorithm, False, 0, 10.0 + i, pictures=False, seconds=100.0 - i)
    axes = pareto_front(builder.results()).axes[0]
    assert axes.lines[0].get_xdata().tolist() == [100.0 - i for i in reversed(range(len(names)))]
    assert len(axes.collections) == len(names)


def test_no_matrix_is_told_of_where_none_is_drawn(builder):
    """One seed each: lines are limited, nothing is compared."""
    builder.trials(**{f"a{i:02}": [20.0 + i] for i in range(DISTINCT + 1)})
    builder.points.clear()
    page = html.render(builder.results())
    assert f"Of these {DISTINCT + 1} cells, lines and dots of FID against cost show the {DISTINCT} of lowest" in page
    assert "the matrix" not in page


def test_what_was_worked_out_is_kept_and_nobody_spoils_it(three_seeds, monkeypatch):
    first = tables.leaderboard(three_seeds)
    monkeypatch.setattr(tables, "mean_interval", None)  # whoever works it out again, fails
    again = tables.leaderboard(three_seeds)
    assert again.attrs == first.attrs
    again["fid"] = 0.0
    again.attrs["track"] = "spoilt"
    assert tables.leaderboard(three_seeds)["fid"].equals(first["fid"])
    assert tables.leaderboard(three_seeds).attrs == first.attrs
    read_again = Results(three_seeds.trials, three_seeds.points, three_seeds.experiment, three_seeds.store, {})
    with pytest.raises(TypeError):
        tables.leaderboard(read_again)


def test_results_are_immutable(three_seeds):
    with pytest.raises(dataclasses.FrozenInstanceError):
        three_seeds.trials = three_seeds.trials.iloc[:1]

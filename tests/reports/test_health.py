"""The doctor's findings and the agreement of two extractors, as the report tells them."""

import pytest

from bench.examination import REAL, SHOWN, Examination
from reports import health, html
from reports.agreement import agreement
from reports.groups import protocols
from reports.summary import summary
from reports.tables import leaderboard

ORDER = {"fid": 1.0, "is": -0.1, "precision": -0.1, "recall": -0.1, "coverage": -0.1, "missing": 0.0, "diversity": -0.1}
PROBES = (
    REAL, "shifted by 1 pixel", "shifted by 2 pixels", "blurred, 3x3", "blurred, 5x5", "noise, sd 0.1", "noise, sd 0.3",
    "uniform noise", "digits 0 to 7", "digits 0 to 4", "ten images a digit", "one image a digit",
)  # fmt: skip


@pytest.fixture
def examination():
    measured = {
        name: {metric: 9.0 + i * ORDER[metric] if metric in ("fid", "is") else 0.5 for metric in SHOWN}
        for i, name in enumerate(PROBES)
    }
    return Examination(measured, {1000: 0.2, 500: 0.4}, 0.2, {"first": 0.995, "second": 0.99})


def test_the_page_shows_what_the_doctor_found(examination, three_seeds):
    without = html.render(three_seeds)
    three_seeds = three_seeds.but(examination=examination)
    page = html.render(three_seeds)
    assert "Do the metrics behave?" not in without
    assert "Do the metrics behave?" in page
    assert all(name in page for name in PROBES)
    assert 'aria-label="FID of damaged digits"' in page


def test_what_does_not_hold_comes_first_and_loudly(examination):
    said = health.verdicts(examination)
    broken = [promise for promise, holds in examination.verdicts().items() if not holds]
    assert broken, "the made-up recall of a collapse is one half"
    assert said[: len(broken)] == [f"DOES NOT HOLD: {promise}" for promise in broken]
    assert not any("HOLD" in sentence for sentence in said[len(broken) :])


def cells(builder, firsts, seconds):
    for i, (fid, second) in enumerate(zip(firsts, seconds, strict=True)):
        builder.trial(f"gan{i}", False, 0, fid, mnist_fid_second_10k=second)
    results = builder.results()
    group = protocols(results)[0]
    return results, group, leaderboard(results, group)


@pytest.mark.parametrize(
    ("seconds", "rho"),
    # Of ranks 1 2 3 4 against 1 2 4 3 the squared differences sum to 2: 1 - 6 * 2 / (4 * 15).
    [((1.0, 2.0, 3.0, 90.0), 1.0), ((4.0, 3.0, 2.0, 1.0), -1.0), ((1.0, 2.0, 4.0, 3.0), 0.8)],
)
def test_agreement_is_spearmans_rank_correlation_over_cells(builder, seconds, rho):
    results, group, board = cells(builder, (10.0, 20.0, 30.0, 40.0), seconds)
    found = agreement(board, group)
    assert found.rho == pytest.approx(rho)
    assert found.cells == 4
    assert f"is {rho:.2f} over 4 cells" in summary(results, group)[-1]


def test_agreement_is_of_cells_alone(builder):
    """Real digits and noise would agree on any two extractors."""
    for name, fid in (("real train digits", 0.1), ("untrained generator", 400.0)):
        builder.row(kind="reference", name=name, cell=name, fid=fid, mnist_fid_second_10k=fid)
    _, group, board = cells(builder, (10.0, 11.0, 12.0), (4.0, 3.0, 2.0))
    found = agreement(board, group)
    assert (found.rho, found.cells) == (pytest.approx(-1), 3)


def test_two_cells_or_a_tie_of_all_say_nothing(builder):
    _, group, board = cells(builder, (10.0, 20.0), (1.0, 2.0))
    assert agreement(board, group) is None


def test_rows_without_a_second_score_say_nothing(three_seeds):
    group = protocols(three_seeds)[0]
    assert agreement(leaderboard(three_seeds, group), group) is None


def test_its_axis_has_plain_numbers(examination):
    labels = [text.get_text() for text in health.damage(examination).axes[0].get_xticklabels()]
    assert "10" in labels
    assert all(float(label) > 0 for label in labels)

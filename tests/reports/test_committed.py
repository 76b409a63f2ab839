"""The figures of quick runs that are committed: this version reads them, and they are what they claim to be."""

from pathlib import Path

import pytest

import gans
import reports
from bench import results
from bench.plan import expand
from reports.groups import floor, protocols, select
from reports.tables import leaderboard

QUICK = Path(reports.__file__).parent / "quick.parquet"


@pytest.fixture(scope="module")
def quick():
    return results.load(QUICK)


def test_every_row_is_a_whole_quick_trial_of_a_registered_algorithm(quick):
    trials = quick.trials.query("kind == 'trial' and status == 'finished'")
    assert len(trials) >= 19
    assert set(trials["algorithm"]) <= set(gans.names())
    assert set(trials["preset"]) == {"quick"}
    assert trials["fid"].notna().all()
    assert trials["fingerprint"].is_unique
    assert set(trials["run_id"]) <= set(quick.curves["run_id"]), "with their curves"


def test_default_settings_are_todays(quick):
    """A row that is called by its defaults was trained with what they are now."""
    for row in quick.trials.query("kind == 'trial'").to_dict("records"):
        cell = expand([row["algorithm"]]).cells[0]
        if row["cell"] == cell.label:
            assert row["config"] == cell.config.to_dict(), row["cell"]


def test_no_trial_scores_better_than_real_examples(quick):
    for group in protocols(quick):
        _, rows = select(quick, group)
        board = leaderboard(quick, group).query("kind == 'cell'")
        assert (board["fid"].dropna() > floor(rows, "fid")).all(), group

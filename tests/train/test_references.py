"""Rows of reference are scored once for each table of a store, and anew where another program would score them."""

import pytest

from bench import environment
from bench.track import PREFIX, Store

GRID = ("run", "--algos", "gan", "--preset", "smoke", "--steps", 4, "--samples", 200)
NAMES = ["real curves", "untrained generator"]


@pytest.fixture
def run(command, ready_store, no_page, monkeypatch):
    """Runs GRID with more words: what it prints, and the parents of all rows of reference, in order of their start."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        code, out, err = command(*GRID, *words)
        assert code == 0, err
        rows = sorted(Store().runs("reference"), key=lambda row: row.info.start_time)
        return out, [row.data.tags["mlflow.parentRunId"] for row in rows]

    return run


def test_the_next_run_takes_them_from_the_store(run):
    _, rows = run()
    assert len(rows) == 2
    out, again = run("--first-seed", 1)
    assert again == rows
    assert all(name in out for name in NAMES), "its table shows them all the same"
    *_, trial = sorted(Store().runs("trial"), key=lambda row: row.info.start_time)
    assert "no learning" in trial.data.tags[f"{PREFIX}diagnosis"], "which is told by the untrained generator's score"


def test_a_new_table_gets_its_own(run):
    _, rows = run()
    _, more = run("--set", "ema=0,0.9")
    assert more[:2] == rows
    assert len(more) == 4
    assert len({row.data.tags[f"{PREFIX}protocol"] for row in Store().runs("reference")}) == 2


def test_another_program_and_fresh_score_their_own(run, monkeypatch):
    _, rows = run()
    torch_before = environment.versions() | {"torch": "0"}
    for count, (name, value) in enumerate({"commit": "f00", "versions": torch_before, "device_name": "tpu"}.items(), 2):
        monkeypatch.setattr(environment, name, lambda *_, value=value: value)
        _, rows = run("--first-seed", count)
        assert len(rows) == 2 * count
    _, rows = run("--fresh")
    assert len(rows) == 10


def test_each_track_has_its_own(run, monkeypatch):
    run()
    monkeypatch.setattr("bench.train.conditions.Conditions.track", lambda *_: "another")
    run("--first-seed", 1)
    tracks = [row.data.tags[f"{PREFIX}track"] for row in Store().runs("reference")]
    assert sorted(tracks) == ["another"] * 2 + ["curves"] * 2


def test_other_options_score_their_own(run):
    _, rows = run()
    _, more = run("--first-seed", 1, "--device", "cpu")
    assert more[:2] == rows
    assert len(more) == 4


def test_rows_that_a_kill_left_incomplete_are_scored_again(run):
    run()
    store = Store()
    store.client.delete_run(store.runs("reference")[0].info.run_id)
    _, rows = run("--first-seed", 1)
    assert len(rows) == 1 + 2

"""The merge: what a file brings stands in the store like what was measured there, once, and never against it."""

import dataclasses

import pandas as pd
import pytest
from stores import fill, record, reference, trial

from bench import results
from bench.errors import BenchError
from bench.frames import write
from bench.merge import Merged, merge
from bench.points import Table
from bench.track import Store

IDENTITY = ["run_id", "parent_id", "imported"]


@pytest.fixture
def exported(tmp_path):
    """Writes a store to a file and reads it."""

    def export(store, name="theirs.csv"):
        loaded = results.load(store.uri)
        write(loaded.trials, loaded.curves, tmp_path / name)
        return results.from_file(tmp_path / name)

    return export


def runs(store):
    return store.client.search_runs([store.experiment_id], max_results=1000)


def by_cell(frame):
    return frame.sort_values(["kind", "cell", "seed"], ignore_index=True)


def test_rows_curves_and_times_are_those_of_the_file(store, new_store, exported, monkeypatch):
    """In as many calls of the store as they take."""
    monkeypatch.setattr("bench.merge.BATCH", 7)
    here, theirs = new_store("other machine"), exported(store)
    assert merge(theirs, here) == Merged(added=4, present=0)
    there, merged = results.load(store.uri), results.load(here.uri)
    pd.testing.assert_frame_equal(
        by_cell(merged.trials).drop(columns=IDENTITY), by_cell(there.trials).drop(columns=IDENTITY),
        check_exact=True, check_like=True,
    )  # fmt: skip
    assert set(merged.trials["imported"]) == {"theirs.csv"}
    curves = []
    for each in (there, merged):
        named = each.curves.merge(each.trials[["run_id", "cell", "seed"]], on="run_id").drop(columns="run_id")
        curves.append(named.sort_values(["cell", "seed", "step", "metric"], ignore_index=True))
    pd.testing.assert_frame_equal(*curves, check_exact=True)


def test_a_second_time_adds_nothing(store, new_store, exported):
    here, theirs = new_store("other machine"), exported(store)
    merge(theirs, here)
    before = len(runs(here))
    assert merge(theirs, here) == Merged(added=0, present=4)
    assert len(runs(here)) == before


def test_without_curves_the_figures_are_there(store, new_store, exported):
    theirs = exported(store)
    here = new_store("other machine")
    merge(dataclasses.replace(theirs, points=Table(theirs.curves.iloc[:0])), here)
    merged = by_cell(results.load(here.uri).trials).drop(columns=IDENTITY)
    expected = by_cell(theirs.trials).drop(columns=IDENTITY)
    pd.testing.assert_frame_equal(merged, expected, check_exact=True, check_like=True)


def test_other_figures_of_the_same_trial_are_refused_and_nothing_is_written(new_store, exported):
    here, there = new_store("here"), new_store("there")
    record(here, trial(seed=1), 20.5)
    record(there, trial(seed=0), 30.0)
    record(there, trial(seed=1), 20.5000001)
    before = len(runs(here))
    with pytest.raises(BenchError, match=r"theirs.csv contradicts the store: fid of dcgan bn=on seed=1") as refusal:
        merge(exported(there), here)
    for words in ("is 20.5000001 on cpu", "in the store 20.5 on cpu", "nothing was imported", "--experiment NAME"):
        assert words in str(refusal.value)
    assert len(runs(here)) == before


@pytest.mark.parametrize("here_status", ["finished", "diverged"])
def test_that_one_finished_and_the_other_diverged_is_a_contradiction(new_store, exported, here_status):
    here, there = new_store("here"), new_store("there")
    record(here, trial(), 20.5, status=here_status)
    record(there, trial(), 20.5, status="diverged" if here_status == "finished" else "finished")
    with pytest.raises(BenchError, match=rf"contradicts the store: status of dcgan .* in the store {here_status}"):
        merge(exported(there), here)


def test_what_was_trained_again_since_is_there_already(new_store, exported):
    """By the same code; the store shows the later result, and still has the one of the file."""
    here = new_store("here")
    record(here, trial(), 20.5)
    earlier = exported(here)
    record(here, trial(), 20.75)
    assert merge(earlier, here) == Merged(added=0, present=1)
    assert list(results.load(here.uri).trials["fid"]) == [20.75]


def test_other_figures_of_other_code_are_no_contradiction(new_store, exported):
    here, there = new_store("here"), new_store("there")
    for store, fid, code in ((here, 20.5, "old"), (there, 21.5, "new")):
        store.write(record(store, trial(), fid), tags={"code": code}, params={})
    assert merge(exported(there), here) == Merged(added=1, present=0)
    assert list(results.load(here.uri).trials["fid"]) == [21.5]


def test_a_contradiction_tells_the_versions_of_torch_where_they_differ(new_store, exported):
    here, there = new_store("here"), new_store("there")
    record(here, trial(), 20.5)
    there.write(record(there, trial(), 21.5), tags={"versions": '{"torch": "2.15.0"}'}, params={})
    words = r"is 21.5 on cpu .* with torch 2.15.0, in the store 20.5 on cpu .* with torch 2.14.1; nothing was imported"
    with pytest.raises(BenchError, match=words):
        merge(exported(there), here)


def test_another_duration_is_no_contradiction(new_store, exported):
    here, there = new_store("here"), new_store("there")
    record(here, trial(), 20.5, seconds=10.0)
    record(there, trial(), 20.5, seconds=99.0)
    assert merge(exported(there), here) == Merged(added=0, present=1)


def test_real_digits_measured_anew_are_no_contradiction(new_store, exported):
    here, there = new_store("here"), new_store("there")
    reference(here, 0.2)
    reference(there, 0.2000001)
    assert merge(exported(there), here) == Merged(added=0, present=1)


def test_a_result_replaces_a_failure_and_not_the_other_way_round(new_store, exported):
    good, bad, third = new_store("good"), new_store("bad"), new_store("third")
    record(good, trial(), 20.5)
    record(bad, trial(), 77.0, status="failed")
    record(third, trial(), 77.5, status="failed")
    finished, failed = exported(good, "good.csv"), exported(bad, "bad.csv")
    assert merge(failed, good) == Merged(added=0, present=1)
    assert merge(failed, third) == Merged(added=0, present=1)
    assert merge(finished, bad) == Merged(added=1, present=0)
    assert list(results.load(bad.uri).trials["status"]) == ["finished"]


def test_an_import_that_is_broken_off_can_be_repeated(store, new_store, exported, monkeypatch):
    here, theirs = new_store("other machine"), exported(store)
    calls = []

    def stop(self, run_id, points):
        calls.append(run_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return add(self, run_id, points)

    add = Store.add_points
    monkeypatch.setattr(Store, "add_points", stop)
    with pytest.raises(KeyboardInterrupt):
        merge(theirs, here)
    monkeypatch.undo()
    assert {run.data.tags["bench.kind"]: run.info.status for run in runs(here)}["run"] == "KILLED"
    merged = merge(theirs, here)
    assert merged.added + merged.present == 4
    assert merged.added >= 2
    rows = by_cell(results.load(here.uri).trials).drop(columns=IDENTITY)
    expected = by_cell(results.load(store.uri).trials).drop(columns=IDENTITY)
    pd.testing.assert_frame_equal(rows, expected, check_exact=True, check_like=True)


@pytest.mark.parametrize("kind", ["reference", "failed trial"])
def test_a_row_that_a_broken_off_import_began_is_imported_again(new_store, exported, monkeypatch, kind):
    here, there = new_store("here"), new_store("there")
    reference(there) if kind == "reference" else record(there, trial(), 77.0, status="failed")
    theirs = exported(there)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "add_points", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        merge(theirs, here)
    assert list(results.load(here.uri).trials["status"]) == ["running"]
    assert merge(theirs, here) == Merged(added=1, present=0)
    assert list(results.load(here.uri).trials["status"]) == list(theirs.trials["status"])
    assert merge(theirs, here) == Merged(added=0, present=1)


def test_many_sittings_gather_in_one_file(new_store, exported):
    """Two machines, one file that both add to: import, measure, export."""
    first, second = new_store("first"), new_store("second")
    fill(first, seeds=(0,))
    merge(exported(first, "all.csv"), second)
    record(second, trial(seed=1), 24.0)
    both = exported(second, "all.csv")
    assert sorted(both.trials["seed"].dropna()) == [0, 0, 1]
    assert merge(both, first) == Merged(added=1, present=4)

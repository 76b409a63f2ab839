"""Who may write to a trial's folder, and when: claims, locks, and what must be on the disk before what."""

import errno
import os
import threading
from pathlib import Path

import pytest
from filelock import FileLock
from stored import client_of

from bench import spool, sync
from bench.journal import Journal, NoRoom
from bench.locks import try_lock, unlock
from bench.request import Request
from bench.spool import Place, Spool, Taken
from bench.track import Store, tracking_uri
from bench.train import worker

AWAY = "http://127.0.0.1:9"


@pytest.fixture
def claim():
    """Claims one trial in the store of this directory."""

    def call(made_by="this code", said=None, parent="p", fresh=False, finished=lambda: None):
        return Spool(Store()).claim(
            "0123", "a trial", parent,
            made_by=made_by, fresh=fresh, finished=finished, say=lambda text: (said or []).append(text),
        )  # fmt: skip

    return call


def status(run_id):
    return client_of().get_run(run_id).info.status


def test_a_trial_that_begins_anew_in_its_run_runs_again(claim):
    """Its process died before the first checkpoint, which `sync` has noted."""
    writer = claim()
    writer.params({"seed": 0})
    writer.flush()
    writer.release()
    sync.sync(Store())
    assert status(writer.run_id) == "KILLED"
    again = claim()
    again.rewind(0)
    again.params({"seed": 0})
    again.flush()
    assert again.run_id == writer.run_id
    assert status(writer.run_id) == "RUNNING"
    again.release()
    third = claim()
    third.rewind(0)
    third.flush()
    third.release()
    sync.sync(Store())
    assert status(writer.run_id) == "KILLED", "its last word, that it runs again, is not its end"


def test_another_program_begins_a_run_of_its_own_and_none_takes_any(claim):
    said = ["before"]
    first = claim()
    first.release()
    any_program = claim(None, said)
    any_program.release()
    other = claim("other code", said)
    assert any_program.run_id == first.run_id != other.run_id
    assert said == ["before", "what was begun of it is of other code, torch or device and not used"]
    assert status(first.run_id) == "KILLED"
    other.close("FINISHED")


def test_what_fresh_began_is_gone_on_with_in_its_own_run_only(claim):
    first = claim(fresh=True)
    first.release()
    second_try = claim(fresh=True)
    second_try.release()
    other_run = claim(parent="q", fresh=True)
    other_run.release()
    assert first.id == second_try.id != other_run.id


def test_what_another_process_has_just_finished_is_not_begun(claim):
    with pytest.raises(Taken, match="another 'bench run' has just finished it") as taken:
        claim(finished=lambda: "its run")
    assert taken.value.run_id == "its run"
    assert not Path(spool.WORK).exists()


def test_results_that_wait_for_the_store_are_not_put_aside(claim, gone):
    gone(0)
    with pytest.warns(UserWarning, match="takes nothing"):
        writer = claim()
        writer.close("FINISHED")
        with pytest.raises(Taken, match="its earlier results wait for the store: 'bench sync'"):
            claim(fresh=True)
    gone(10**6)
    assert sync.sync(Store()).delivered == ["a trial"]


def test_a_store_that_is_away_is_not_taken_for_one_without_the_run(claim, monkeypatch):
    writer = claim()
    writer.release()
    monkeypatch.setattr(Store, "find", lambda *_: 1 / 0)
    again = claim()
    again.release()
    assert again.id == writer.id


def test_each_store_and_each_experiment_has_a_folder_of_its_own():
    places = (Place("a", "x"), Place("a", "y"), Place("b", "x"))
    assert len({Spool(place).folder("0123") for place in places}) == 3


def test_what_lies_beside_the_journal_is_cleared_before_others_may_write(claim, monkeypatch):
    """Also where the store takes nothing, so that the folder stays."""
    writer = claim()
    monkeypatch.setattr(Store, "set_status", lambda *_: 1 / 0)
    free = []
    with pytest.warns(UserWarning, match="takes nothing"):
        writer.close("FINISHED", lambda: free.append((Journal(writer.folder).closed, try_lock(writer.folder))))
    assert free == [(True, None)]
    assert writer.folder.exists()


def test_a_run_is_on_the_disk_before_the_store_has_it(monkeypatch):
    """Else a power cut leaves one there that no journal knows."""
    seen = []
    sync_file, create = os.fsync, Store.create

    def fsync(number):
        seen.append(Path(f"/proc/self/fd/{number}").readlink().name)
        sync_file(number)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Store, "create", lambda *arguments: seen.append("in the store") or create(*arguments))
    Spool(Store()).start("a run", "run").release()
    assert "journal.jsonl" in seen[: seen.index("in the store")]


def test_what_is_on_its_way_was_noted_as_such(monkeypatch):
    """Else it may be undone, and sent otherwise, after a kill."""
    writer = Spool(Store()).start("a run", "run")
    writer.metrics({"loss": 1.0}, 1)
    noted = []
    monkeypatch.setattr(Store, "add_points", lambda *_: noted.append(Journal(writer.folder).tried))
    writer.flush()
    writer.release()
    assert noted == [2]


def test_no_entry_is_without_its_file(full_disk):
    writer = Spool(Store()).start("a run", "reference")
    full_disk("samples.png")
    with pytest.raises(NoRoom, match="No space left"):
        writer.artifact("samples.png", b"content")
    writer.release()
    assert [entry["op"] for entry in Journal(writer.folder).entries] == ["start"]


def test_what_was_not_noted_is_not_taken_for_noted(tmp_path, monkeypatch):
    """Else the next delivery sends points without a note, and a kill then sends them twice."""
    writer = Spool(Store()).start("a run", "run")
    writer.tags({"reason": "x"})
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr("bench.journal.write_atomically", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        writer.journal.note_delivery(writer.run_id, 1)
    assert writer.journal.tried == Journal(writer.folder).tried == 1
    writer.close("FINISHED")


@pytest.mark.parametrize("whole_store", [True, False])
def test_results_whose_run_was_deleted_go_to_a_new_one(empty_store, whole_store):
    writer = Spool(Store()).start("a run", "run")
    writer.metrics({"loss": 0.5}, 1)
    writer.flush()
    writer.release()
    if whole_store:
        Path("mlflow.db").write_bytes(empty_store.read_bytes())
    else:
        client_of().delete_run(writer.run_id)
    done = sync.sync(Store())
    assert (done.delivered, done.failures) == (["a run"], [])
    found = Store().find(writer.id)
    assert found.info.run_id != writer.run_id
    assert (found.data.metrics["loss"], found.info.status) == (0.5, "KILLED")
    assert not Path(spool.WORK).exists()


def test_a_store_that_is_away_keeps_no_worker_from_its_work(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", AWAY)
    request = Request(algos="gan", preset="smoke", samples=200, device="cpu")
    workplace = worker._workplace.__wrapped__(request)
    with pytest.warns(UserWarning, match="takes nothing"):
        writer = workplace.spool.start("a run", "run")
    assert writer.journal.start["uri"] == AWAY
    assert workplace.spool.folder("0123") == Spool(Place(AWAY, "bench")).folder("0123")
    writer.release()


def test_a_worker_is_told_the_store_though_the_variable_is_not_set():
    assert worker.Site.here(1).environment["MLFLOW_TRACKING_URI"] == tracking_uri()


def test_a_folder_that_goes_while_a_lock_is_made_is_made_again(tmp_path, monkeypatch):
    honest = FileLock.acquire
    calls = []

    def acquire(self, *arguments, **options):
        calls.append(self)
        if len(calls) < 3:
            raise FileNotFoundError(errno.ENOENT, "gone")
        return honest(self, *arguments, **options)

    monkeypatch.setattr(FileLock, "acquire", acquire)
    lock = try_lock(tmp_path / "work" / "0123")
    assert lock.is_locked
    lock.release()


def test_who_has_patience_gets_the_lock_that_another_lets_go_of(tmp_path):
    held = FileLock(tmp_path / "0123.lock", thread_local=False)
    held.acquire()
    threading.Timer(0.3, held.release).start()
    lock = try_lock(tmp_path / "0123", patience=60.0)
    assert lock is not None
    lock.release()


def test_a_lock_is_removed_while_it_is_held(tmp_path, monkeypatch):
    """Else it may be another's by then."""
    lock = try_lock(tmp_path / "work" / "0123")
    there = []
    honest = FileLock.release

    def release(self, *arguments, **options):
        there.append(Path(self.lock_file).exists())
        honest(self, *arguments, **options)

    monkeypatch.setattr(FileLock, "release", release)
    unlock(lock)
    assert there[0] is False

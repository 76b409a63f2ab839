"""A store that is gone while trials train loses nothing: results wait on disk, and arrive once, in order."""

import json
import re
import resource
import signal
from pathlib import Path

import pytest
from stored import client_of, content, runs
from victim import CURVES, LONG, Victim, context, open_store

from bench import results, spool, sync
from bench.errors import BenchError
from bench.journal import Journal, NoRoom
from bench.locks import try_lock
from bench.track import Store

START = {
    "op": "start",
    "id": "i",
    "name": "n",
    "kind": "run",
    "parent": None,
    "time": 0.5,
    "uri": "u",
    "experiment": "e",
}
TAGS = {"op": "tags", "values": {}}


def waiting():
    return sorted(path.parent.name for path in Path(spool.WORK).glob("*/journal.jsonl"))


@pytest.mark.parametrize("writes", [0, 12, *(pytest.param(n, marks=LONG) for n in (3, 20))])
def test_a_store_that_is_gone_midway_gets_everything_later(command, gone, tmp_path, writes):
    """From the parent's first word on, or from somewhere in the trial."""
    assert command(*CURVES)[0] == 0
    whole = content(tmp_path)
    client = client_of()
    client.delete_experiment(client.get_experiment_by_name("bench").experiment_id)
    gone(writes)
    other = (*CURVES, "--experiment", "other")
    with pytest.warns(UserWarning, match="takes nothing .database is locked.; results wait in .*bench-work"):
        code, out, err = command(*other)
    assert code == 2
    assert "the trials are done, but" in err
    assert "bench sync && bench report" in err
    assert waiting()
    assert not list(Path(spool.WORK).glob("*/checkpoint-*"))
    code, out, _ = command("sync")
    assert code == 1
    assert "database is locked" in out
    gone(10**6)
    code, out, _ = command("sync")
    assert code == 0
    assert "delivered  gan bn=off seed=0" in out
    assert not Path(spool.WORK).exists()
    assert content(tmp_path, "other") == whole
    frame = results.load(experiment="other").trials
    assert frame.loc[frame["kind"] == "trial", "parent_id"].ne("").all()
    code, out, _ = command("sync")
    assert (code, out) == (0, "nothing waits here\n")


def test_the_next_run_delivers_what_waits_and_knows_it(command, gone, tmp_path):
    gone(15)
    with pytest.warns(UserWarning, match="takes nothing"):
        assert command(*CURVES)[0] == 2
    gone(10**6)
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "1 of them finished before" in out
    assert runs(tmp_path) == 1


def test_what_arrives_late_was_begun_when_it_was_begun(gone, monkeypatch):
    """Else a stale result would pass for the last one."""
    monkeypatch.setattr("bench.spool.time.time", lambda: 1_700_000_000.25)
    gone(0)
    with pytest.warns(UserWarning, match="takes nothing"):
        writer = spool.Spool(Store()).start("a run", "run")
    writer.close("FINISHED")
    gone(10**6)
    sync.sync(Store())
    assert Store().find(writer.id).info.start_time == 1_700_000_000_250


def test_a_name_is_cut_to_what_every_database_takes():
    store = Store()
    assert store.client.get_run(store.add("x" * 300, "run")).info.run_name == "x" * 250


def test_points_that_come_twice_are_there_once(tmp_path):
    """A kill after the store has taken them, before that was noted."""
    store = Store()
    writer = spool.Spool(store).start("a run", "run")
    writer.metrics({"loss": 1.0}, step=1)
    writer.metrics({"loss": 2.0}, step=2)
    writer.flush()
    writer.journal.note_delivery(writer.run_id, 1)
    writer.flush()
    history = store.client.get_metric_history(writer.run_id, "loss")
    assert sorted((point.step, point.value) for point in history) == [(1, 1.0), (2, 2.0)]


def test_many_points_go_in_calls_that_the_store_takes(monkeypatch):
    sizes = []
    honest = Store.add_points
    monkeypatch.setattr(
        Store, "add_points", lambda self, run, points: sizes.append(len(points)) or honest(self, run, points)
    )
    writer = spool.Spool(Store()).start("a run", "run")
    for step in range(500):
        writer.metrics({f"m{i}": float(step) for i in range(5)}, step)
    writer.flush()
    assert sum(sizes) == 2500
    assert max(sizes) <= 1000
    assert len(sizes) == 4


def test_a_store_that_has_just_failed_is_left_alone(monkeypatch):
    """Each of its calls may hold the training up for long."""
    asked = []
    monkeypatch.setattr(Store, "create", lambda *_: asked.append("once") or 1 / 0)
    with pytest.warns(UserWarning, match="takes nothing"):
        writer = spool.Spool(Store()).start("a run", "run")
    for _ in range(3):
        writer.flush()
    writer.release()
    assert asked == ["once"]


def test_of_a_line_that_did_not_fit_nothing_stays(tmp_path):
    journal = Journal(tmp_path)
    journal.append(START)
    path = tmp_path / "journal.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, before[1]))
    try:
        with pytest.raises(NoRoom, match="File too large"):
            journal.append(TAGS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append({"op": "close", "status": "FINISHED"})
    assert [entry["op"] for entry in Journal(tmp_path).entries] == ["start", "close"]


def test_a_torn_line_is_forgotten(tmp_path):
    journal = Journal(tmp_path)
    journal.append(START)
    for number in range(3):
        journal.append({"op": "tags", "values": {"n": str(number)}})
    path = tmp_path / "journal.jsonl"
    path.write_text(path.read_text()[:-5])
    again = Journal(tmp_path)
    assert [entry["values"]["n"] for entry in again.entries[1:]] == ["0", "1"]
    again.append({"op": "tags", "values": {"n": "3"}})
    assert [json.loads(line)["values"]["n"] for line in path.read_text().splitlines()[1:]] == ["0", "1", "3"]


def test_an_abandoned_parent_is_ended_by_sync(command, tmp_path):
    victim = Victim(tmp_path, *CURVES, die_in=("bench.tasks.curves:CurveYardstick.judge", 2))
    assert victim.wait() == -signal.SIGKILL
    code, out, _ = command("sync")
    assert code == 0
    assert "unfinished gan bn=off seed=0: give its 'bench run' again to go on" in out
    client = client_of()
    experiment = client.get_experiment_by_name("bench").experiment_id
    (parent,) = client.search_runs([experiment], "tags.`bench.kind` = 'run'")
    assert parent.info.status == "KILLED"


def test_two_runs_at_once_share_the_work(tmp_path):
    """Each trial is trained once, and both tables have all of them or say who has the other."""
    many = (*CURVES, "--seeds", "3", "--steps", "400")
    both = [Victim(tmp_path, *many, out=name) for name in ("one.txt", "two.txt")]
    assert [victim.wait() for victim in both] == [0, 0], [victim.output for victim in both]
    assert runs(tmp_path) == 3
    assert {row["status"] for row in content(tmp_path).values()} == {"finished"}
    assert not (tmp_path / "bench-work").exists()
    for victim in both:
        in_table = re.findall(r"^gan bn=off .* (\d)/\1 ", victim.output, re.MULTILINE)
        others = victim.output.count("is left out: another 'bench run' trains it now")
        assert sum(map(int, in_table)) + others == 3, victim.output


def test_several_processes_make_one_fresh_store(tmp_path):
    """MLflow's own making of the tables fails in three of four."""
    barrier = context.Barrier(4)
    processes = [context.Process(target=open_store, args=(tmp_path, barrier)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert not list(tmp_path.glob("fresh.db.*"))


def test_a_kill_while_the_store_is_made_does_not_break_it(tmp_path):
    (tmp_path / "mlflow.db").unlink()
    victim = Victim(tmp_path, *CURVES, die_in=("mlflow.store.db.utils:_upgrade_db", 1))
    assert victim.wait() == -signal.SIGKILL
    Store()


@pytest.mark.parametrize(
    "entries",
    [
        [b"\xff\n"],
        [TAGS],
        [START, START],
        [START | {"time": "now"}],
        [START, {"op": "dance"}],
        [START, {"op": "file", "file": "../../secret", "folder": None}],
        [START, 5],
    ],
)
def test_a_damaged_journal_is_named_and_holds_nothing_else_up(command, entries, tmp_path):
    whole = spool.Spool(Store()).start("a run", "reference")
    whole.journal.append({"op": "close", "status": "FINISHED"})
    whole.release()
    (tmp_path / spool.WORK / "0123").mkdir()
    lines = [entry if isinstance(entry, bytes) else json.dumps(entry).encode() + b"\n" for entry in entries]
    (tmp_path / spool.WORK / "0123" / "journal.jsonl").write_bytes(b"".join(lines))
    code, out, _ = command("sync")
    assert code == 1
    assert "delivered  a run\n" in out
    assert "0123/journal.jsonl is damaged; remove" in out


def test_a_journal_shorter_than_what_was_delivered_is_damaged(tmp_path):
    journal = Journal(tmp_path)
    for entry in (START, TAGS, TAGS):
        journal.append(entry)
    journal.note_delivery("run", 3)
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    with pytest.raises(BenchError, match="is damaged; remove"):
        Journal(tmp_path)


def test_a_longer_journal_is_cut_behind_what_the_store_may_have(tmp_path):
    """A longer journal than the store was told of is cut there, never before."""
    journal = Journal(tmp_path)
    for entry in (START, TAGS, TAGS):
        journal.append(entry)
    journal.note_delivery("run", 1)
    journal.append(TAGS)
    journal.truncate(0)
    assert len(journal.entries) == len(Journal(tmp_path).entries) == 3
    assert Journal(tmp_path).delivered == 1


def test_a_trial_whose_process_was_killed_no_longer_seems_to_run(command, tmp_path):
    victim = Victim(tmp_path, *CURVES, die_in=("bench.tasks.curves:CurveYardstick.judge", 3))
    assert victim.wait() == -signal.SIGKILL
    client = client_of()
    experiment = client.get_experiment_by_name("bench").experiment_id

    def status():
        (trial,) = client.search_runs([experiment], "tags.`bench.kind` = 'trial'")
        return trial.info.status

    assert status() == "RUNNING"
    assert command("sync")[0] == 0
    assert status() == "KILLED"
    assert set(results.load().trials.query("kind == 'trial'")["status"]) == {"interrupted"}
    assert command(*CURVES)[0] == 0
    assert status() == "FINISHED"


def test_sync_holds_one_folder_at_a_time(tmp_path, monkeypatch):
    """While it delivers one journal, a 'bench run' may begin with any other."""
    store = Store()
    for number in range(3):
        writer = spool.Spool(store).start(f"run {number}", "run")
        writer.tags({"reason": str(number)})
        writer.release()
    free = []

    def deliver(journal, store):
        others = [folder for folder in Path(spool.WORK).iterdir() if folder.is_dir() and folder != journal.folder]
        for folder in others:
            lock = try_lock(folder.absolute())
            free.append(lock is not None)
            lock.release()
        real(journal, store)

    real = sync.deliver
    monkeypatch.setattr(sync, "deliver", deliver)
    assert sorted(sync.sync(store).delivered) == ["run 0", "run 1", "run 2"]
    assert free == [True] * 3


def test_what_a_kill_leaves_of_a_folder_that_is_being_removed_is_swept_away(command, tmp_path, monkeypatch):
    def killed(folder):
        raise KeyboardInterrupt

    store = Store()
    writer = spool.Spool(store).start("a run", "run")
    writer.artifact("notes/what.txt", b"text")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bench.journal.shutil.rmtree", killed)
        writer.close("FINISHED")
    writer.release()
    assert (writer.folder / "delivered.json").exists()
    assert command("sync") == (0, "nothing waits here\n", "")
    assert not Path(spool.WORK).exists()

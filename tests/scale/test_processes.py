"""Trials side by side in processes: the same trials, whoever dies or is stopped on the way."""

import itertools
import os
import re
import signal
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace

import pytest
import workers
from stored import content, runs
from victim import AVERAGED, GRID, Victim

from bench import results
from bench.errors import BenchError
from bench.plan import expand
from bench.request import Request
from bench.train import processes, worker
from bench.train.interface import Ended, Order
from bench.train.loop import Loop
from bench.train.processes import Processes
from bench.train.signals import Interrupts
from bench.train.worker import Site


class Notes:
    """A watcher that remembers."""

    def __init__(self, heard=lambda text: None):
        self.said, self.heard = [], heard

    def say(self, text):
        self.said.append(text)
        self.heard(text)


def orders(count):
    return [Order(number, "", "", {}) for number in range(count)]


def engine(work, jobs, threads=4):
    return Processes(Request(algos="gan"), expand(["gan"], seeds=4).trials, jobs, threads, work)


def stop(now):
    """A signal to this process, if it is time."""
    if now:
        os.kill(os.getpid(), signal.SIGTERM)


def worker_pids(victim):
    """The processes that a `bench run --jobs` has made for trials."""
    found = []
    for pid in Path(f"/proc/{victim.process.pid}/task/{victim.process.pid}/children").read_text().split():
        if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text():
            found.append(int(pid))
    return found


@pytest.fixture(scope="module")
def one_by_one(undisturbed):
    """What the grid leaves in a store when its trials are trained one after the other."""
    return undisturbed(*GRID)


def test_a_killed_process_changes_no_result(one_by_one, tmp_path):
    """Scores, curves, weights and pictures of all are those of one process; the killed trial goes on."""
    victim = Victim(tmp_path, *GRID, "--jobs", "2")
    assert victim.wait_for("[1/3]   step 150/300"), victim.output
    # Of that trial, which has a checkpoint now. Each process began with the seed of its place, but either was first.
    seed = int(re.search(r"^\[1/3\] .* seed=(\d): 300 steps$", victim.output, re.MULTILINE).group(1))
    os.kill(worker_pids(victim)[seed], signal.SIGKILL)
    assert victim.wait() == 0, victim.output
    assert victim.output.count("its process died of SIGKILL; it goes on in another one") == 1
    assert "goes on from step" in victim.output
    assert content(tmp_path) == one_by_one
    assert runs(tmp_path) == 3
    assert not (tmp_path / "bench-work").exists()


def test_one_signal_stops_all_and_the_same_command_goes_on(one_by_one, tmp_path):
    victim = Victim(tmp_path, *GRID, "--jobs", "2")
    assert victim.wait_for("step 150/300"), victim.output
    pids = worker_pids(victim)
    os.kill(victim.process.pid, signal.SIGINT)
    assert victim.wait() == 130, victim.output
    assert "stopped; to go on: bench run" in victim.output
    assert len(pids) == 2
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    frame = results.load(f"sqlite:///{tmp_path}/mlflow.db").trials
    assert set(frame.loc[frame["kind"] == "trial", "status"]) <= {"interrupted", "finished"}
    assert "Traceback" not in victim.output
    victim = Victim(tmp_path, *GRID, "--jobs", "2")
    assert victim.wait() == 0, victim.output
    assert "goes on from step" in victim.output
    assert content(tmp_path) == one_by_one
    assert runs(tmp_path) == 3


def test_a_second_signal_kills_all_at_once(tmp_path):
    """Halted processes, which obey no first one."""
    victim = Victim(tmp_path, *GRID, "--jobs", "2")
    assert victim.wait_for("step 150/300"), victim.output
    alive = {os.pidfd_open(pid): pid for pid in worker_pids(victim)}
    assert len(alive) == 2
    try:
        for pid in alive.values():
            os.kill(pid, signal.SIGSTOP)
        os.kill(victim.process.pid, signal.SIGINT)
        os.kill(victim.process.pid, signal.SIGTERM)
        assert victim.wait() == 128 + signal.SIGTERM, victim.output
        assert all(wait([handle], 30) for handle in alive), "left behind"
    finally:
        for handle in alive:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)


def test_a_dead_process_costs_one_more_try(tmp_path):
    notes = Notes()
    with Interrupts() as interrupts:
        ended = {each.number: each for each in engine(workers.fragile, jobs=2).run(orders(4), notes, interrupts)}
    assert sorted(ended) == [0, 1, 2, 3]
    assert ended[0].outcome.reason.startswith("attempt 2, patience 30")
    assert ended[1].outcome is None
    assert ended[1].lost == "its process died 2 times, at last of SIGKILL"
    assert ended[1].patience == processes.PATIENCE
    assert ended[2].outcome.reason == "attempt 1, patience 0.0, 2 threads"
    assert len(notes.said) == 2
    assert all("its process died of SIGKILL" in text for text in notes.said)


class Pipe:
    """A worker's end of the connection: one order, then nobody is there any more."""

    def __init__(self):
        self.orders, self.sent = [Order(7, "", "", {})], []

    def recv(self):
        if not self.orders:
            raise EOFError
        return self.orders.pop()

    def send(self, event):
        self.sent.append(event)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), BenchError("no"), None])
def test_what_a_trial_raises_is_not_taken_for_the_death_of_the_master(error):
    """The life of a worker, lived in this process."""

    def work(request, order, watcher, interrupts):
        if error is not None:
            raise error
        return Ended(order.number)

    pipe, handler = Pipe(), signal.getsignal(signal.SIGINT)
    try:
        processes._serve(pipe, Site.here(1), Request(algos="gan"), work)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert pipe.sent == [error or Ended(7)]


def test_a_worker_trains_no_other_trial_than_the_one_that_was_asked_for(monkeypatch):
    """As where its machine has other data."""
    here = SimpleNamespace(plan=SimpleNamespace(trials=["a trial"]), fingerprint=lambda trial: "0123")
    workplace = SimpleNamespace(conditions=here, train=lambda order, *_: Ended(order.number))
    monkeypatch.setattr(worker, "_workplace", lambda request: workplace)
    assert worker.train(None, Order(0, "0123", "", {}), None, None) == Ended(0)
    for order in (Order(0, "4567", "", {}), Order(1, "0123", "", {})):
        with pytest.raises(BenchError, match=f"trial {order.number} is another one"):
            worker.train(None, order, None, None)


def test_what_ends_a_run_stops_the_others_too(tmp_path):
    with Interrupts() as interrupts, pytest.raises(BenchError, match="the disk is full"):
        list(engine(workers.faulty, jobs=2).run(orders(3), Notes(), interrupts))
    assert [path.name for path in Path().glob("waits-*")] == ["waits-1"], "the third was begun"
    assert Path("stopped-1").exists()


def test_all_are_stopped_and_none_is_begun(tmp_path):
    heard = set()

    def hear(text):
        heard.add(text)
        if len(heard) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        list(engine(workers.patient, jobs=2).run(orders(4), Notes(hear), interrupts))
    assert heard == {"0 waits", "1 waits"}
    assert sorted(path.name for path in Path().glob("stopped-*")) == ["stopped-0", "stopped-1"]


def test_a_trial_whose_process_always_dies_is_a_failed_row(command, monkeypatch, tmp_path):
    monkeypatch.setattr(Processes.__init__, "__defaults__", (workers.doomed,))
    code, _, err = command(*AVERAGED, "--seeds", "1", "--jobs", "2")
    assert code == 1, err
    frame = results.load().trials
    rows = frame[frame["kind"] == "trial"]
    assert rows["status"].tolist() == ["failed"]
    assert rows["reason"].tolist() == ["its process died 2 times, at last of SIGKILL"]
    assert rows["cell"].tolist() == ["gan bn=off ema=0.9"]
    assert not Path("bench-work").exists()


def test_a_trial_whose_process_always_died_goes_on_later(one_by_one, command, monkeypatch, tmp_path):
    """With the memory that it lacked, say: what was trained of it is not lost, though it is a failed row until then."""
    with monkeypatch.context() as patch:
        steps = itertools.count(1)
        patch.setattr(Loop, "run", lambda self, n, honest=Loop.run: stop(next(steps) == 70) or honest(self, n))
        assert command(*GRID, "--seeds", "1")[0] == 130
    with monkeypatch.context() as patch:
        patch.setattr(Processes.__init__, "__defaults__", (workers.doomed,))
        assert command(*GRID, "--seeds", "1", "--jobs", "2")[0] == 1
    (row,) = results.load().trials.query("kind == 'trial'").to_dict("records")
    assert (row["status"], row["reason"]) == ("failed", "its process died 2 times, at last of SIGKILL")
    code, out, err = command(*GRID, "--seeds", "1")
    assert code == 0, err
    assert "goes on from step 70 of 300" in out
    assert list(content(tmp_path).values()) == [one_by_one["gan bn=off ema=0.9", 0]]
    assert runs(tmp_path) == 1
    assert not Path("bench-work").exists()

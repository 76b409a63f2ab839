"""Faults that are none of our making: a store that another process locks, a disk that is full, a server that goes."""

import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from server import Server
from stored import content, runs
from victim import CURVES, LONG, Victim

from bench import results
from bench.spool import WORK


@pytest.fixture(scope="module")
def whole(undisturbed):
    """What the trial leaves in a store when nothing happens to it."""
    return undisturbed(*CURVES)


def test_a_store_that_another_process_locks_gets_everything_later(command, whole, tmp_path):
    environment = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db?timeout=0.2",
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    }
    victim = Victim(tmp_path, *CURVES, patience=0.2, **environment)
    assert victim.wait_for("[1/1]"), victim.output
    with closing(sqlite3.connect(tmp_path / "mlflow.db", timeout=60, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert victim.wait() == 2, victim.output
    assert "database is locked); results wait in" in victim.output
    assert "the trials are done, but" in victim.output
    assert "Traceback" not in victim.output
    os.environ |= environment
    try:
        code, out, _ = command("sync")
    finally:
        for name in environment:
            del os.environ[name]
    assert code == 0
    assert "delivered  gan bn=off seed=0" in out
    assert content(tmp_path) == whole
    assert not Path(WORK).exists()


@pytest.fixture
def small_disk(tmp_path):
    """Sets the size of the disk that `bench-work` is on; skips where this user cannot mount one."""
    work = tmp_path / WORK
    work.mkdir()
    mounted = []

    def resize(size):
        again = ",remount" if mounted else ""
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}{again}", "bench-test", str(work)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            pytest.skip("no rights to mount a small disk here")
        mounted[:] = [work]

    yield resize
    if mounted:
        subprocess.run(["umount", str(work)], check=True)


@pytest.mark.parametrize("size", ["64k", pytest.param("16k", marks=LONG)])
def test_a_disk_that_is_full_stops_it_in_one_line_and_with_room_it_goes_on(small_disk, whole, tmp_path, size):
    small_disk(size)
    victim = Victim(tmp_path, *CURVES)
    code = victim.wait()
    assert code == 2, victim.output
    assert "No space left on device; make room and give the same command again" in victim.output
    assert "Traceback" not in victim.output
    small_disk("50m")
    victim = Victim(tmp_path, *CURVES)
    assert victim.wait() == 0, victim.output
    assert content(tmp_path) == whole
    assert runs(tmp_path) == 1
    assert not list((tmp_path / WORK).iterdir())


def test_a_second_signal_ends_a_run_at_once_and_nothing_is_lost(whole, tmp_path):
    """Both come within one step, so that the first one has no time for what it does."""
    turn = "gans.standard.gan:ClassicGAN.d_loss"
    victim = Victim(tmp_path, *CURVES, die_in=(turn, 70, signal.SIGINT, signal.SIGINT))
    assert victim.wait() == 128 + signal.SIGINT
    assert "to go on" not in victim.output
    assert "Traceback" not in victim.output
    victim = Victim(tmp_path, *CURVES)
    assert victim.wait() == 0, victim.output
    assert "goes on from step 50 of 100" in victim.output
    assert content(tmp_path) == whole
    assert runs(tmp_path) == 1


@LONG
def test_a_server_that_goes_and_comes_back_gets_everything(command, monkeypatch, tmp_path, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    with server:
        victim = Victim(tmp_path, *CURVES, MLFLOW_TRACKING_URI=server.uri)
        assert victim.wait_for("[1/1]"), victim.output
    assert victim.wait() == 2, victim.output
    assert f"the store {server.uri} takes nothing" in victim.output
    assert "Traceback" not in victim.output
    assert (tmp_path / WORK).exists()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    code, out, _ = command("sync")
    assert code == 1
    assert "waits      gan bn=off seed=0" in out
    with server:
        code, out, _ = command("sync")
        assert code == 0, out
        frame = results.load().trials
        (row,) = frame[frame["kind"] == "trial"].to_dict("records")
        assert row["status"] == "finished"
        assert results.load().artifact(row["run_id"], "weights.safetensors")
        assert not (tmp_path / WORK).exists()

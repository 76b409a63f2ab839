"""Trials on a Ray cluster: one that loses a machine midway still trains each exactly once, to the same result."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from server import free_port
from stored import content, runs
from victim import LONG, Victim

from bench import scale
from bench.cli.scale import _slots
from bench.errors import BenchError
from bench.plan import expand
from bench.request import Request
from bench.train import on_ray
from bench.train.interface import Ended, Order, Silence
from bench.train.run import Run
from bench.train.signals import Interrupts

needs_ray = pytest.mark.skipif(not importlib.util.find_spec("ray"), reason="no Ray here: pip install -e .[ray]")
LOOPBACK = "127.0.0.2"
"""Loopback too, but Ray takes 127.0.0.1 for the machine's outer address wherever it reads it."""
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
"""The tests' own cluster lets nobody else in."""
ROOT = Path(__file__).parents[2]
GRID = ("run", "--algos", "gan", "--preset", "smoke", "--steps", "1500", "--samples", "200", "--seeds", "4")
OFTEN = ("--checkpoint-every", "0.5")


class Node:
    """A node of a Ray cluster on loopback with one slot, in a process group of its own."""

    def __init__(self, folder, *options):
        environment = (
            os.environ | TOKEN | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        )
        words = ["start", f"--node-ip-address={LOOPBACK}", "--num-cpus=1", "--block", *options]
        self.log = folder / "ray.txt"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from ray.scripts.scripts import main; main()", *words],
                env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def members(self):
        """Every process of the node: some of Ray's make groups of their own."""
        found, fresh = [], [self.process.pid]
        while fresh:
            found += fresh
            paths = [Path(f"/proc/{pid}/task/{pid}/children") for pid in fresh]
            fresh = [int(pid) for path in paths if path.exists() for pid in path.read_text().split()]
        return found

    def lose(self):
        """All of it is gone at once."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def ray(monkeypatch):
    """The module; where it is not installed, one in its place, for what is not Ray's own in the way to it."""
    if importlib.util.find_spec("ray"):
        return importlib.import_module("ray")
    there = ModuleType("ray")
    there.nodes = there.cluster_resources = None
    monkeypatch.setitem(sys.modules, "ray", there)
    return there


@pytest.fixture
def cluster(tmp_path_factory):
    """The address of a head with one slot, and a second node beside it."""
    folder = tmp_path_factory.mktemp("ray")
    port = free_port(LOOPBACK)
    address = f"{LOOPBACK}:{port}"
    nodes = [Node(folder, "--head", f"--port={port}", "--include-dashboard=false")]
    try:
        for _ in range(300):
            assert nodes[0].process.poll() is None, nodes[0].log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex((LOOPBACK, port)) == 0:
                    break
            time.sleep(0.2)
        nodes.append(Node(folder, f"--address={address}"))
        yield address, nodes[1]
    finally:
        for node in nodes:
            node.lose()


@LONG
@needs_ray
def test_a_cluster_that_loses_a_node_trains_each_trial_once(cluster, tmp_path, empty_store):
    address, second = cluster
    (tmp_path / "one").mkdir()
    shutil.copy(empty_store, tmp_path / "one")
    alone = Victim(tmp_path / "one", *GRID)
    assert alone.wait() == 0, alone.output
    victim = Victim(tmp_path, *GRID, *OFTEN, "--ray", address, **TOKEN)
    assert victim.wait_for("[2/4]", 240), victim.output
    time.sleep(4)  # in which it takes some checkpoints
    second.lose()
    assert victim.wait() == 0, victim.output
    print(victim.output)
    assert "goes on from step" in victim.output
    assert "Traceback" not in victim.output
    assert content(tmp_path) == content(tmp_path / "one")
    assert runs(tmp_path) == 4
    assert not (tmp_path / "bench-work").exists()


@LONG
@needs_ray
def test_a_signal_stops_the_tasks_and_the_same_command_goes_on(tmp_path):
    victim = Victim(tmp_path, *GRID, *OFTEN, "--ray", "local")
    assert victim.wait_for("[1/4]", 240), victim.output
    time.sleep(2)
    os.kill(victim.process.pid, signal.SIGINT)
    assert victim.wait() == 130, victim.output
    assert "stopped; to go on: bench run" in victim.output
    victim = Victim(tmp_path, *GRID)
    assert victim.wait() == 0, victim.output
    assert "goes on from step" in victim.output
    assert runs(tmp_path) == 4


@needs_ray
def test_a_gpu_that_is_not_there_is_said_and_not_waited_for(command):
    code, _, err = command(*GRID, "--ray", "local", "--gpu-share", "0.5")
    assert code == 2
    assert "--ray local: the cluster has no GPU, and trials that ask for one would wait for ever" in err


def test_without_ray_it_is_said_how_to_get_it(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, err = command(*GRID, "--ray", "local")
    assert code == 2
    assert err.splitlines()[-1] == "bench: error: --ray needs Ray: pip install 'gan-bench[ray]'"


def test_a_cluster_that_is_not_there_is_one_line(ray, command):
    port = free_port()
    code, _, err = command(*GRID, "--ray", f"127.0.0.1:{port}")
    assert code == 2
    assert err.count("\n") == 1
    assert f"--ray 127.0.0.1:{port}: nothing answers there (Connection refused); allowed is local, auto or" in err


@pytest.mark.parametrize("address", ["nonsense", "head:port", "127.0.0.1:99999", "no.such.host.invalid:6379"])
def test_an_address_that_is_none_is_one_line(address, ray, command):
    code, _, err = command(*GRID, "--ray", address)
    assert code == 2
    assert err.count("\n") == 1
    assert f"--ray {address}: nothing answers there (" in err


def test_the_address_of_the_store_is_told_without_its_password(ray, monkeypatch):
    machines = [{"NodeManagerAddress": name, "Alive": True} for name in ("10.0.0.1", "10.0.0.2")]
    monkeypatch.setattr(ray, "nodes", lambda: machines)
    with pytest.raises(BenchError, match=r"2 machines, which cannot share the store postgresql://host/db;") as caught:
        on_ray._check_store("postgresql://me:secret@host/db")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("there", "device", "share", "asked"),
    [(2, "auto", None, 0.25), (2, "cuda", 0.5, 0.5), (2, "cpu", None, 0.0), (0, "auto", None, 0.0)],
)
def test_a_trial_asks_for_a_part_of_a_gpu_where_there_are_gpus(ray, monkeypatch, there, device, share, asked):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0} | ({"GPU": float(there)} if there else {}))
    assert on_ray._gpus("auto", Request(algos="gan", device=device), share) == asked


def test_simulated_trials_ask_for_no_gpu(ray, monkeypatch):
    """Of one GPU only four would run at once, and a measurement of eight slots would wait for the others in vain."""
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 8.0, "GPU": 1.0})
    asked = []

    @contextlib.contextmanager
    def cluster(address, request, trials, gpu_share, store, *, slots):
        yield asked.append(on_ray._gpus(address, request, gpu_share))

    monkeypatch.setattr(on_ray, "cluster", cluster)
    monkeypatch.setattr(scale, "timed", lambda *_, **__: (1.0, []))
    _slots(8, 1.0, SimpleNamespace(uri="sqlite:///none"))
    assert asked == [0.0]


@needs_ray
def test_a_trial_lost_with_its_machine_is_claimed_with_patience(ray, monkeypatch):
    """A file server holds the lock of a dead machine for up to 90 s; the cluster is played."""

    def lost(_):
        raise ray.exceptions.WorkerCrashedError

    mailbox = SimpleNamespace(qsize=lambda: 0, get_nowait_batch=lambda _: [])
    task = SimpleNamespace(remote=lambda *_: "a task")
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: "0" * 56))
    monkeypatch.setattr("ray.util.queue.Queue", lambda **_: mailbox)
    monkeypatch.setattr(ray, "remote", lambda **_: lambda _: task)
    monkeypatch.setattr(ray, "wait", lambda references, **_: (references, []))
    monkeypatch.setattr(ray, "get", lost)
    engine = on_ray.OnRay(Request(algos="gan"), expand(["gan"]).trials, 0.0, None)
    with Interrupts() as interrupts:
        (ended,) = engine.run([Order(0, "", "", {})], Silence(), interrupts)
    assert ended.lost.startswith("its process died 2 times")
    claimed = []
    run = object.__new__(Run)
    run.parent, run.run_ids = SimpleNamespace(id="parent", run_id="of mlflow"), []
    run.workplace = SimpleNamespace(give_up=lambda order, *_: claimed.append(order) or Ended(order.number))
    run._take(ended, Silence())
    assert [(order.number, order.patience) for order in claimed] == [(0, on_ray.PATIENCE)]


@LONG
@needs_ray
def test_two_halves_of_a_gpu_are_used_at_once(ray, monkeypatch):
    """Ray counts a GPU that is not there, too. Each trial waits for the other one to run beside it."""
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

    def work(*arguments, **given):
        ended = scale.sleep(*arguments, **given)
        gpus = ray.get_runtime_context().get_assigned_resources()["GPU"]
        return replace(ended, outcome=replace(ended.outcome, scores={"gpus": gpus, "process": os.getpid()}))

    ray.init(address="local", num_cpus=4, num_gpus=1, include_dashboard=False, log_to_driver=False)
    try:
        engine = on_ray.OnRay(Request(algos="gan"), expand(["gan"], seeds=2).trials, 0.5, work)
        _, ended = scale.timed(engine, work, 2, 0.0, together=True)
    finally:
        ray.shutdown()
    assert [each.outcome.scores["gpus"] for each in ended] == [0.5, 0.5]
    assert len({each.outcome.scores["process"] for each in ended}) == 2

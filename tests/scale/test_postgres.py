"""Many writers: `mlflow server` on PostgreSQL takes the trials of several processes at once, each exactly once."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest

from bench import results
from bench.track import Store
from reports import html

pytest.importorskip("psycopg2")
pytestmark = [
    pytest.mark.skipif(not shutil.which("initdb"), reason="no PostgreSQL here (its bin folder must be in PATH)"),
    pytest.mark.skipif(not os.environ.get("BENCH_LONG"), reason="takes a minute; BENCH_LONG=1 runs it"),
]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(stack, folder, command, **options):
    """A process that lives as long as the stack; its output is in log.txt."""
    log = stack.enter_context((folder / "log.txt").open("a"))
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True, **options)
    stack.callback(_stop, process)
    return process


def _stop(process):
    """PostgreSQL, asked by SIGTERM, would wait for the connections that this process keeps."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URIs of an MLflow server and of its store, a PostgreSQL database; both end with the tests."""
    folder = tmp_path_factory.mktemp("postgres")
    port, web = free_port(), free_port()
    # PostgreSQL refuses to run as root; the Debian package brings its own user.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        # Under xdist there is a folder more between this one and that of all temporary files.
        for path in (folder, *takewhile(lambda path: path != Path(tempfile.gettempdir()), folder.parents)):
            path.chmod(0o755)
        shutil.chown(folder, user)
    data = folder / "data"
    subprocess.run(
        ["initdb", "--auth=trust", "--username=bench", "-D", data], user=user, check=True, capture_output=True
    )
    with ExitStack() as stack:
        words = ["postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder]
        database = start(stack, folder, words, user=user)
        uri = f"postgresql+psycopg2://bench@127.0.0.1:{port}/postgres"
        for _ in range(300):
            assert database.poll() is None, (folder / "log.txt").read_text()
            if not subprocess.run(["pg_isready", "-h", "127.0.0.1", "-p", str(port)], capture_output=True).returncode:
                break
            time.sleep(0.2)
        options = ["--backend-store-uri", uri, "--artifacts-destination", str(folder / "artifacts"), "--workers", "2"]
        words = [sys.executable, "-m", "mlflow", "server", *options, "--host", "127.0.0.1", "--port", str(web)]
        process = start(stack, folder, words)
        while True:
            assert process.poll() is None, (folder / "log.txt").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{web}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{web}", uri


def test_processes_share_a_server(server, command, monkeypatch):
    address, database = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    grid = ("--algos", "gan", "--preset", "smoke", "--steps", 100, "--samples", 200, "--seeds", 4, "--jobs", 2)
    code, out, err = command("run", *grid)
    assert code == 0, err
    assert "[4/4]" in out
    runs = Store().runs("trial")
    assert len(runs) == 4
    assert {run.info.status for run in runs} == {"FINISHED"}
    loaded = results.load()
    rows = loaded.trials[loaded.trials["kind"] == "trial"]
    assert sorted(rows["seed"]) == [0, 1, 2, 3]
    # 4 reads of the losses: every 25 steps, each with both losses.
    losses = loaded.curves[loaded.curves["metric"].isin(["loss_d", "loss_g"])]
    assert losses.groupby("run_id").size().tolist() == [8] * 4
    assert all(loaded.artifact(run_id, "weights.safetensors") for run_id in rows["run_id"])
    assert "4 of them finished before" in command("run", *grid)[1]
    # The database itself, which a report of many trials reads in few queries.
    direct = results.load(database)
    # PostgreSQL gives a run's metrics in no order.
    pd.testing.assert_frame_equal(direct.trials, loaded.trials, check_like=True)
    by = ["run_id", "metric", "step"]
    same = [each.curves.sort_values(by, kind="stable", ignore_index=True) for each in (direct, loaded)]
    pd.testing.assert_frame_equal(*same, check_exact=True)
    assert "gan bn=off" in html.render(direct)

"""Many writers: `mlflow server` on PostgreSQL takes the trials of several processes at once, each exactly once."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from server import Server, free_port, stop
from victim import LONG

from bench import results
from bench.track import Store
from reports import html

pytest.importorskip("psycopg2")
pytestmark = [
    pytest.mark.skipif(not shutil.which("initdb"), reason="no PostgreSQL here (its bin folder must be in PATH)"),
    LONG,
]


@contextmanager
def _postgres(port):
    """A database that answers on this port while it is entered."""
    # PostgreSQL refuses to run as root; the Debian package brings its own user, who may not enter pytest's folders.
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log.txt").open("w+") as log:
        if user:
            shutil.chown(folder, user)
        start = ["initdb", "--auth=trust", "--username=bench", "-D", f"{folder}/data"]
        subprocess.run(start, user=user, check=True, capture_output=True)
        words = ["postgres", "-D", f"{folder}/data", "-p", str(port), "-h", "127.0.0.1", "-k", folder]
        database = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, start_new_session=True, user=user)
        try:
            asking = ["pg_isready", "-h", "127.0.0.1", "-p", str(port)]
            for _ in range(300):
                assert database.poll() is None, Path(log.name).read_text()
                if subprocess.run(asking, capture_output=True).returncode == 0:
                    break
                time.sleep(0.2)
            yield
        finally:
            # Asked by SIGTERM, it would wait for the connections that this process keeps.
            stop(database, signal.SIGINT)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URIs of an MLflow server and of its store, a PostgreSQL database; both end with the tests."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    with _postgres(port):
        uri = f"postgresql+psycopg2://bench@127.0.0.1:{port}/postgres"
        options = ["--backend-store-uri", uri, "--artifacts-destination", str(folder / "artifacts"), "--workers", "2"]
        with Server(folder, *options) as running:
            yield running.uri, uri


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

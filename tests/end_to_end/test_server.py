"""A run against an MLflow server on loopback: everything arrives there, nothing lies in the working directory."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from bench import results


@pytest.fixture
def server(tmp_path_factory):
    """The URI of an `mlflow server` that lives as long as the test."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *options],
            cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            uri = f"http://127.0.0.1:{port}"
            while True:
                assert process.poll() is None, (folder / "log.txt").read_text()
                try:
                    urllib.request.urlopen(f"{uri}/health", timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield uri
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def test_a_server_takes_everything(server, command, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    code, out, err = command("run", "--algos", "dcgan", "--preset", "smoke", "--steps", 2, "--experiment", "remote")
    assert code == 0, err
    assert f"{server} (in a browser)" in out
    assert not Path("mlflow.db").exists()
    assert not Path("mlruns").exists()
    loaded = results.load(experiment="remote")
    trial = loaded.trials[loaded.trials["kind"] == "trial"].iloc[0]
    assert trial["status"] == "finished"
    for name in ("samples.png", "training.gif", "weights.safetensors", "summary.json"):
        assert loaded.artifact(trial["run_id"], name)

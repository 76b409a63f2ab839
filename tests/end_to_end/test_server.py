"""A run against an MLflow server on loopback: everything arrives there, nothing lies in the working directory."""

from pathlib import Path

import pytest
from server import Server

from bench import results


@pytest.fixture
def server(tmp_path_factory):
    """The URI of an `mlflow server` that lives as long as the test."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running.uri


def test_a_server_takes_everything(server, no_page, command, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    code, out, err = command("run", "--algos", "dcgan", "--preset", "smoke", "--steps", 2, "--experiment", "remote")
    assert code == 0, err
    assert f"runs:   {server}/#/experiments/" in out
    assert not Path("mlflow.db").exists()
    assert not Path("mlruns").exists()
    loaded = results.load(experiment="remote")
    trial = loaded.trials[loaded.trials["kind"] == "trial"].iloc[0]
    assert trial["status"] == "finished"
    for name in ("samples.png", "training.gif", "weights.safetensors", "summary.json"):
        assert loaded.artifact(trial["run_id"], name)

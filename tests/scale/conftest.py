"""A store that is there already, and one thread: another number of threads is another order of sums."""

import shutil

import pytest
import torch

from bench.track import open_client


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A sqlite store as MLflow makes it, which takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path, empty_store):
    """Processes that tests make train with one thread; no test needs its page."""
    shutil.copy(empty_store, tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("bench.cli.report.write", lambda *_: "no report")
    yield
    torch.set_num_threads(threads)

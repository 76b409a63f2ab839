"""A store that is there already, and one thread: another number of threads is another order of sums."""

import pytest
import torch


@pytest.fixture(autouse=True)
def quick(monkeypatch, ready_store):
    """Processes that tests make train with one thread; no test needs its page."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("bench.cli.report.write", lambda *_: "no report")
    yield
    torch.set_num_threads(threads)

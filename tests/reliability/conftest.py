"""Faults on demand."""

import errno
import os
from pathlib import Path

import pytest
import torch
from victim import blank_report


@pytest.fixture(autouse=True)
def quick(monkeypatch, ready_store):
    """A store that is there already, and no report, which would take longer than the trainings here; one thread."""
    # Another number of threads is another order of sums.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setattr("bench.cli.report.write", blank_report)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def full_disk(monkeypatch):
    """Lets the disk be full for files whose path holds a text; called with None it has room again."""
    full = []
    honest = os.fsync

    def fsync(number):
        if any(text in str(Path(f"/proc/self/fd/{number}").readlink()) for text in full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(number)

    monkeypatch.setattr(os, "fsync", fsync)

    def fill(text):
        full[:] = [] if text is None else [text]

    return fill

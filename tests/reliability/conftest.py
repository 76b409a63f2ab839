"""Faults on demand."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from bench.track import Store


@pytest.fixture(autouse=True)
def quick(quick):
    """For every test here."""


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


@pytest.fixture
def gone(monkeypatch):
    """Lets the store refuse everything from the nth write on."""
    state = {"left": 10**6}

    def refusing(honest):
        def call(self, *arguments, **options):
            state["left"] -= 1
            if state["left"] < 0:
                raise sqlite3.OperationalError("database is locked")
            return honest(self, *arguments, **options)

        return call

    for name in ("write", "add_points", "add_image", "add_file", "set_status", "create"):
        monkeypatch.setattr(Store, name, refusing(getattr(Store, name)))

    def arm(left):
        state["left"] = left

    return arm

"""Stores of invented figures: one to read, and empty ones to write to without MLflow's making its tables each time."""

from pathlib import Path

import pytest
from stores import copy_of, fill


@pytest.fixture
def new_store(empty_store, tmp_path):
    """Makes an empty store in a folder of the test."""

    def make(name, experiment="bench"):
        (tmp_path / name).mkdir(exist_ok=True)
        return copy_of(empty_store, tmp_path / name, experiment)

    return make


@pytest.fixture(scope="session")
def store(empty_store, tmp_path_factory):
    """dcgan with and without BN, real digits and a skip, with pictures; to be read only."""
    return fill(copy_of(empty_store, tmp_path_factory.mktemp("store")))


@pytest.fixture
def folder(store):
    """Where its database lies."""
    return Path(store.uri.removeprefix("sqlite:///")).parent

"""Stores of invented figures: one to read, and empty ones to write to without MLflow's making its tables each time."""

from pathlib import Path

import pytest
from stores import copy_of, fill

from bench.track import open_client


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A database with MLflow's tables and no runs."""
    path = tmp_path_factory.mktemp("blank") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def new_store(blank, tmp_path):
    """Makes an empty store in a folder of the test."""

    def make(name, experiment="bench"):
        (tmp_path / name).mkdir(exist_ok=True)
        return copy_of(blank, tmp_path / name, experiment)

    return make


@pytest.fixture(scope="session")
def store(blank, tmp_path_factory):
    """dcgan with and without BN, real digits and a skip, with pictures; to be read only."""
    return fill(copy_of(blank, tmp_path_factory.mktemp("store")))


@pytest.fixture
def folder(store):
    """Where its database lies."""
    return Path(store.uri.removeprefix("sqlite:///")).parent

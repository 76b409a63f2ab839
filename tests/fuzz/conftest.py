"""A place with a store of invented figures, a trial with weights, and commands that stop where work would begin."""

import pytest
from inputs import Place

from bench.errors import BenchError


def _reached(*_arguments, **_options):
    raise BenchError("the input was taken, here the work would begin")


@pytest.fixture(scope="session")
def _place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture
def place(_place, monkeypatch):
    """Where inputs are made; the working directory."""
    monkeypatch.chdir(_place.folder)
    monkeypatch.setattr("gans.contract.CHECKS", ())
    for name in ("bench.doctor.examine", "bench.features.train.train_extractors", "bench.train.run.Run.execute"):
        monkeypatch.setattr(name, _reached)
    return _place

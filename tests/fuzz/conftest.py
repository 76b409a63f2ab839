"""A place with a store of invented figures, a trial with weights, and commands that stop where work would begin."""

import pytest
from inputs import Place

from bench.errors import BenchError

WORK = (
    "bench.doctor.examine", "bench.features.train.train_extractors", "bench.scale.fill", "bench.scale.timed",
    "bench.speed.parts.measure", "bench.train.calibrate.Stopwatch.__call__", "bench.train.on_ray.cluster",
    "bench.train.run.Run.execute",
)  # fmt: skip
"""Where commands begin to work for minutes, or start processes."""


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
    for name in WORK:
        monkeypatch.setattr(name, _reached)
    return _place

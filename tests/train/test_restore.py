"""Weights that are stored are those that were scored, and come back as what they were."""

from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load, save

import gans
from bench.data import Batches
from bench.errors import BenchError
from bench.protocol import Protocol
from bench.tasks import TASKS
from bench.train.loop import Loop
from bench.train.restore import restore, weights_bytes
from bench.train.sampling import draw
from gans.contract import make

CPU = torch.device("cpu")
STEPS = 4


def trained(embedded, name, steps, **config):
    loop = Loop(make(gans.get(name), **config), Batches(embedded, 4, 0, CPU), STEPS)
    loop.run(steps)
    return loop


def samples(gan, generator):
    return draw(gan, generator, TASKS["mnist"].examples(None, 10, 0), 0).images


@pytest.fixture
def brought_back(monkeypatch, tmp_path):
    """The GAN that `restore` makes of a weights file, or of none, of a trial with this status."""

    def bring(content, status="finished"):
        path = None
        if content is not None:
            path = tmp_path / "weights.safetensors"
            path.write_bytes(content)
        protocol = Protocol(
            task="mnist", dataset="mnist", data_fingerprint="0" * 16, data_images=1, budget="4 steps", samples=200,
            weights="raw", extractor="",
        )  # fmt: skip
        run = SimpleNamespace(
            data=SimpleNamespace(tags={"bench.protocol": protocol.to_json(), "bench.status": status}),
            info=SimpleNamespace(run_name="a trial", run_id="0" * 32),
        )
        archive = SimpleNamespace(fetch=lambda *_: path)
        monkeypatch.setattr("bench.train.restore.find_run", lambda _: (archive, run))
        return restore("0")[0]

    return bring


def test_the_file_holds_the_average_where_that_is_scored(embedded):
    loop = trained(embedded, "dcgan", 3, ema=0.9)
    stored = load(weights_bytes(loop))
    own = loop.gan.generator.state_dict()
    for key, value in loop.generator.state_dict().items():
        assert torch.equal(stored[f"generator.{key}"], value), key
    assert not torch.equal(stored["generator.upsample.7.bias"], own["upsample.7.bias"])
    for key, value in loop.gan.discriminator.state_dict().items():
        assert torch.equal(stored[f"discriminator.{key}"], value), key


@pytest.mark.parametrize(("name", "steps"), [("dcgan", 3), ("pggan", 1), ("pggan", 2)])
def test_what_comes_back_draws_what_was_scored(embedded, brought_back, name, steps):
    """Of nets that grow, after the first of four steps 7x7 and after the second 14x14, at the size that they had."""
    loop = trained(embedded, name, steps, ema=0.9)
    expected = samples(loop.gan, loop.generator)
    assert len(expected.unique()) > 1
    gan = brought_back(weights_bytes(loop))
    assert torch.equal(samples(gan, gan.generator), expected)


METADATA = {"algorithm": "dcgan", "config": "{}", "generator": "raw", "field": "digits"}


def test_a_file_of_an_older_version_is_of_the_end_of_its_training(embedded, brought_back):
    weights = load(weights_bytes(trained(embedded, "dcgan", 1)))
    assert brought_back(save(weights, METADATA)).progress == 1.0


def test_weights_of_an_algorithm_that_is_not_here_are_not_called_broken(embedded, brought_back):
    weights = load(weights_bytes(trained(embedded, "dcgan", 1)))
    with pytest.raises(
        BenchError, match=r"unknown algorithm 'my_hinge'.*install the package, or restore the file"
    ) as error:
        brought_back(save(weights, METADATA | {"algorithm": "my_hinge"}))
    assert "train" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "hint"),
    [("diverged", r"\(it is diverged\); choose a finished trial"), ("finished", r"or it was imported.*\(--fresh\)")],
)
def test_a_trial_without_weights_says_why_and_what_to_do(brought_back, status, hint):
    with pytest.raises(BenchError, match=f"a trial .* has no weights here.*{hint}"):
        brought_back(None, status)


@pytest.mark.parametrize("progress", ["nan", "2", "half"])
def test_a_progress_that_is_none_is_one_line(embedded, brought_back, progress):
    weights = load(weights_bytes(trained(embedded, "dcgan", 1)))
    with pytest.raises(BenchError, match=r"the weights of a trial .* cannot be read: .*; train the trial again"):
        brought_back(save(weights, METADATA | {"progress": progress}))

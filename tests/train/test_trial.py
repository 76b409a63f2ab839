"""What a trial is made of: its seed, its budget, its precision, and everything that can be said of its samples."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from bench import results
from bench.request import Request
from bench.train.conditions import Conditions
from bench.train.interface import Silence
from bench.train.sampling import frozen
from bench.train.signals import Interrupts
from bench.train.trial import TrialRunner


def conditions(**asked):
    return Conditions(Request(preset="smoke", device="cpu", samples=200, offline=True, **asked).grid())


def begun(where, trial, folder):
    """The loop and the examiner of a trial before its first step."""
    parts = (trial, where.settings, where.data, where.yardstick, SimpleNamespace(folder=folder))
    return TrialRunner(*parts, Silence(), Interrupts(), tags={}, untrained={})._build()


@pytest.fixture(scope="module")
def on_curves():
    return conditions(algos="gan", seeds=2)


def test_each_seed_has_its_own_order_of_the_data(on_curves, tmp_path):
    first, other = (begun(on_curves, trial, tmp_path)[0].batches for trial in on_curves.plan.trials)
    assert not torch.equal(first.next().images, other.next().images)


def test_evaluation_does_not_draw_the_latents_of_training(on_curves, tmp_path):
    loop, examiner = begun(on_curves, on_curves.plan.trials[0], tmp_path)
    with frozen(loop.gan, loop.generator, examiner.seed):
        drawn = loop.gan.latent(8)
    assert not torch.equal(loop.gan.latent(8), drawn)


def test_precision_reaches_the_loop_and_the_protocol(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.precision.check", lambda *_: None)
    where = conditions(algos="gan", precision="bf16")
    assert where.protocol(where.plan.cells[0]).precision == "bf16"
    assert begun(where, where.plan.trials[0], tmp_path)[0].precision == "bf16"


def test_the_weights_of_inception_are_part_of_the_protocol(on_curves, monkeypatch):
    (cell,) = on_curves.plan.cells
    plain = on_curves.protocol(cell)
    monkeypatch.setattr(type(on_curves.yardstick), "inception_hash", "f00")
    assert on_curves.protocol(cell) == replace(plain, inception="f00") != plain


def test_an_epoch_of_unpaired_images_is_one_pass_over_either_kind(tmp_path):
    """Of the embedded digits 300 sixes and 300 nines are trained on, of which a step takes a batch each."""
    where = conditions(algos="cyclegan", task="translation", epochs=2, assignments=("batch_size=10",))
    assert begun(where, where.plan.trials[0], tmp_path)[0].steps == 60


@pytest.mark.usefixtures("ready_store")
def test_labels_clusters_and_reconstructions_are_scored_where_there_are_such(command, monkeypatch):
    """And each row updates its G as often as was asked for, however often D is updated."""
    monkeypatch.setattr("bench.cli.report.write", lambda *_: "no report")
    words = ("--preset", "smoke", "--g-updates", 2, "--samples", 200, "--set", "batch_size=8", "--offline")
    code, _, err = command("run", "--algos", "acgan,infogan,bigan,wgan", *words)
    assert code == 0, err
    frame = results.load().trials
    rows = frame[frame["kind"] == "trial"].set_index("algorithm")
    for metric, names in (("accuracy", {"acgan"}), ("cluster_accuracy", {"infogan"}), ("reconstruction", {"bigan"})):
        assert set(rows.index[rows[f"mnist_{metric}_200"].notna()]) == names, metric
    assert rows.loc["bigan", "mnist_reconstruction_200"] > 0.01
    assert set(rows["g_updates"]) == {2}
    assert rows["steps"].to_dict() == {"acgan": 2, "infogan": 2, "bigan": 2, "wgan": 10}

"""What a trial is made of: its seed, its budget, its precision, and everything that can be said of its samples."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

import gans
from bench import environment, results
from bench.plan import expand
from bench.request import Request
from bench.track import PREFIX, Store
from bench.train.checkpoint import Checkpoints
from bench.train.conditions import Conditions
from bench.train.interface import Silence
from bench.train.sampling import frozen
from bench.train.signals import Interrupts
from bench.train.trial import TrialRunner, build
from bench.train.workplace import Workplace

CPU = torch.device("cpu")


def conditions(**asked):
    return Conditions(Request(preset="smoke", device="cpu", samples=200, offline=True, **asked).grid())


def runner(where, trial, folder):
    """Of a trial whose record goes nowhere."""
    ignored = dict.fromkeys(("position", "flush", "rewind", "tags"), lambda *_: 0)
    recorder = SimpleNamespace(folder=folder, seconds=0.0, **ignored)
    parts = (trial, where.settings, where.data, where.yardstick, recorder)
    return TrialRunner(*parts, Silence(), Interrupts(), tags={}, untrained={})


def begun(where, trial, folder):
    """The loop and the examiner of a trial before its first step."""
    return runner(where, trial, folder)._build()


@pytest.fixture(scope="module")
def on_curves():
    return conditions(algos="gan", seeds=2)


def test_each_seed_has_its_own_order_of_the_data(on_curves, tmp_path):
    first, other = (begun(on_curves, trial, tmp_path)[0].batches for trial in on_curves.plan.trials)
    assert not torch.equal(first.next().images, other.next().images)


def test_each_seed_has_its_own_latents():
    first, other = (build(trial, CPU) for trial in expand(["dcgan"], seeds=2).trials)
    assert not torch.equal(first.latent(4), other.latent(4))


def test_dropout_does_not_depend_on_how_many_numbers_the_weights_took():
    drawn = []
    for algorithm in ("dcgan", "sagan"):
        build(expand([algorithm]).trials[0], CPU)
        drawn.append(torch.rand(4))
    assert torch.equal(*drawn)


def test_a_trial_that_goes_on_knows_its_times_and_its_best_step(on_curves, tmp_path):
    (trial, _) = on_curves.plan.trials
    first = runner(on_curves, trial, tmp_path)
    loop, examiner = first._build()
    first.recorder.seconds, examiner.seconds = 2.5, 5.0
    examiner.best.offer(3.0, loop)
    first._checkpoint(loop, examiner)
    again = runner(on_curves, trial, tmp_path)
    _, examiner = again._begin()
    assert (again.recorder.seconds, examiner.seconds, examiner.best.fid) == (2.5, 5.0, 3.0)


def test_a_checkpoint_is_taken_when_it_is_time_and_not_at_every_step_from_then_on(on_curves, tmp_path, monkeypatch):
    """By a clock that ticks whenever it is looked at: after each step, and once more when a checkpoint is written."""
    taken = []
    clock = SimpleNamespace(monotonic=itertools.count().__next__)
    monkeypatch.setattr("bench.train.trial.time", clock)
    monkeypatch.setattr(Checkpoints, "save", lambda self, step, state: taken.append(step))
    trial = runner(on_curves, on_curves.plan.trials[0], tmp_path)
    trial.settings = replace(trial.settings, checkpoint_every=3)
    for _ in trial._advance(*trial._build(), 10):
        pass
    assert taken == [3, 6, 9]


def test_a_checkpoint_of_another_kind_of_device_is_another_program(on_curves):
    """Its random numbers mean nothing here."""

    def made_by(kind):
        where = SimpleNamespace(settings=SimpleNamespace(device=torch.device(kind)))
        return Workplace._made_by(SimpleNamespace(conditions=where), on_curves.plan.trials[0])

    assert made_by("cpu") != made_by("cuda")


@pytest.mark.usefixtures("ready_store")
@pytest.mark.parametrize("seeds", [1, 2])
def test_the_last_result_of_todays_code_counts_as_done(seeds):
    """Whatever other code measured later. One trial is searched for, of several the whole store is read."""
    where, store = conditions(algos="gan", seeds=seeds), Store()
    today = environment.code(gans.get("gan"))

    def record(trial, started, status="finished", code=today):
        about = {"fingerprint": where.fingerprint(trial), "status": status, "code": code, "protocol": ""}
        return store.add(str(trial), "trial", None, {PREFIX + name: text for name, text in about.items()}, started)

    expected = {}
    for trial in where.plan.trials:
        expected[trial] = record(trial, 3)
        record(trial, 2)
        record(trial, 4, code="older")
        record(trial, 5, status="failed")
    found = where.finished(store, where.plan.trials)
    assert {trial: run.info.run_id for trial, run in found.items()} == expected


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

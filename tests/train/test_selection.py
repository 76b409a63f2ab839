"""`--select best`: the step is chosen by images that nobody trains on and nobody is scored against."""

import json

import pytest
import torch

from bench import results
from bench.data import Batches, load_mnist, with_validation
from bench.evaluate import Evaluator
from bench.features.metrics import fid, statistics
from bench.metrics import METRICS
from bench.tasks import TASKS
from bench.train.loop import Loop
from bench.train.sampling import draw
from bench.train.selection import Best
from gans import get
from gans.contract import make as make_gan

CPU = torch.device("cpu")
RUN = ("run", "--algos", "nsgan", "--preset", "smoke", "--steps", "8", "--samples", "300", "--offline")


def rows(images):
    return {image.numpy().tobytes() for image in images}


def test_a_sixth_is_set_aside_and_is_always_the_same(embedded):
    data = with_validation(embedded)
    assert len(data) + len(data.validation) == len(embedded) == 5_000
    assert len(data.validation) == 5_000 // 6
    assert rows(data.images) | rows(data.validation.images) == rows(embedded.images)
    assert not rows(data.images) & rows(data.validation.images)
    assert with_validation(embedded).fingerprint == data.fingerprint != embedded.fingerprint
    assert torch.equal(data.labels.bincount() > 0, embedded.labels.bincount() > 0)


def test_validation_fid_is_against_those_images_and_during_training_only(embedded):
    some, validation = embedded.images[:300], embedded.images[1000:1500]
    evaluator = Evaluator(CPU, metrics=[METRICS["fid"]], validation=validation)
    scores = evaluator.score(some, validate=True)
    features = [evaluator._space.extract(images)[0] for images in (some, validation)]
    assert scores["mnist_validation_fid_300"] == pytest.approx(fid(*map(statistics, features)))
    assert scores["mnist_validation_fid_300"] != scores["mnist_fid_300"]
    assert set(evaluator.score(some)) == {"mnist_fid_300"}
    assert set(Evaluator(CPU, metrics=[METRICS["fid"]]).score(some, validate=True)) == {"mnist_fid_300"}


@pytest.mark.parametrize("ema", [0.0, 0.5])
def test_the_best_weights_come_back_whole(embedded, ema):
    gan = make_gan(get("nsgan"), ema=ema)
    loop = Loop(gan, Batches(embedded, 16, 0, CPU), 9)
    best, seen = Best(), {}
    for step, score in ((2, 30.0), (4, 20.0), (6, 20.0), (8, 25.0)):
        loop.run(step - loop.counts.steps)
        seen[step] = {name: value.clone() for name, value in loop.generator.state_dict().items()}
        best.offer(score, loop)
    resumed = Best()
    resumed.load_state_dict(best.state_dict())
    for one in (best, resumed):
        assert (one.step, one.fid) == (4, 20.0)
        one.put_back(loop)
        for name, value in loop.generator.state_dict().items():
            assert torch.equal(value, seen[4][name])
        loop.run(1)


def test_the_best_of_nets_that_grow_comes_back_at_the_size_that_was_validated(embedded):
    """After the first of four steps 7x7, at the end 28x28, with layers that were not trained by then."""
    loop = Loop(make_gan(get("pggan")), Batches(embedded, 4, 0, CPU), 4)
    examples = TASKS["mnist"].examples(None, 10, 0)
    best = Best()
    loop.run(1)
    best.offer(1.0, loop)
    expected = draw(loop.gan, loop.generator, examples, 0).images
    loop.run(3)
    resumed = Best()
    resumed.load_state_dict(best.state_dict())
    for one in (best, resumed):
        loop.gan.progress = 0.75
        one.put_back(loop)
        assert torch.equal(draw(loop.gan, loop.generator, examples, 0).images, expected)


@pytest.mark.usefixtures("ready_store", "no_page")
def test_a_run_scores_the_best_step_and_says_so(command, monkeypatch):
    """The validation FID is made to rise, so that the first evaluation must win, though training goes on."""
    real = Evaluator.score
    rising = iter(range(1, 10))

    def score(self, images, **options):
        scores = real(self, images, **options)
        return {name: float(next(rising)) if "validation" in name else value for name, value in scores.items()}

    monkeypatch.setattr(Evaluator, "score", score)
    code, _, err = command(*RUN, "--select", "best")
    assert code == 0, err
    found = results.load()
    trial = found.trials[found.trials["kind"] == "trial"].iloc[0]
    assert trial["selected_step"] == 4
    assert "of the step with the lowest FID against 833 validation images" in trial["protocol_text"]
    assert "trained on 4,167 examples" in trial["protocol_text"]
    assert "--select best" in trial["command"]
    curve = found.curves[found.curves["metric"] == "mnist_validation_fid_500"]
    assert list(curve["step"]) == [4, 8]
    summary = json.loads(found.artifact(trial["run_id"], "summary.json"))
    assert "mnist_validation_fid_300" not in summary["scores"]

    # The same steps without selection are another protocol, and the last step is scored.
    monkeypatch.setattr(Evaluator, "score", real)
    code, _, err = command(*RUN)
    assert code == 0, err
    trials = results.load().trials
    trials = trials[trials["kind"] == "trial"]
    assert trials["protocol"].nunique() == 2
    assert "of the last step" in set(trials["protocol_text"].str.extract("(of the last step)")[0].dropna())


@pytest.mark.usefixtures("ready_store", "no_page")
def test_every_score_is_of_the_selected_step_also_where_names_are_the_same(command, monkeypatch):
    """500 samples during training and at the end: one name for both. The first of two steps is made to win."""
    real, given, rising = Evaluator.score, [], iter(range(1, 10))

    def score(self, images, **options):
        scores = real(self, images, **options)
        given.append(scores)
        return {name: float(next(rising)) if "validation" in name else value for name, value in scores.items()}

    monkeypatch.setattr(Evaluator, "score", score)
    arguments = [*RUN[:-3], "--samples", "500", "--offline", "--select", "best"]
    code, _, err = command(*arguments)
    assert code == 0, err
    trial = results.load().trials.query("kind == 'trial'").iloc[0]
    scores = json.loads(results.load().artifact(trial["run_id"], "summary.json"))["scores"]
    assert trial["fid"] == scores["mnist_fid_500"] == given[-1]["mnist_fid_500"]
    assert trial["is_"] == given[-1]["mnist_is_500"]
    assert given[-2]["mnist_fid_500"] != given[-1]["mnist_fid_500"], "the last step's"


def test_tasks_that_score_the_last_step_only_refuse_it(command):
    code, _, err = command("run", "--algos", "gan", "--select", "best", "--offline")
    assert code == 2
    assert "--select best: the task curves scores the last step only; leave it out" in err


def test_the_whole_of_mnist_keeps_50000(real_mnist):
    data = with_validation(load_mnist("train", data_dir=real_mnist))
    assert (len(data), len(data.validation)) == (50_000, 10_000)

"""Which task an algorithm runs on, what does not fit, and a whole run on curves."""

import io

import pytest
from PIL import Image

import gans
from bench import results
from bench.errors import BenchError
from bench.plan import expand
from bench.tasks import TASKS, choose


def test_the_task_follows_from_the_algorithms():
    assert choose(None, ["dcgan", "wgan_gp"]).name == "mnist"
    assert choose(None, ["gan"]).name == "curves"
    assert choose("curves", ["dcgan"]).name == "curves"


def test_algorithms_of_different_tasks_ask_for_a_word():
    with pytest.raises(BenchError, match=r"different tasks \(dcgan: mnist, gan: curves\); name one with --task"):
        choose(None, ["dcgan", "gan"])


def test_the_help_names_every_task(command):
    _, out, _ = command("run", "--help")
    assert all(name in out for name in TASKS)


def test_an_unknown_task_is_one_line():
    with pytest.raises(
        BenchError,
        match="--task cifar: allowed is mnist, curves, stacked_mnist, inpainting, translation, super_resolution",
    ):
        choose("cifar", ["dcgan"])


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("began", [], "began is made for digits only, not for curves"),
        ("acgan", [], "acgan needs labels, which the task curves has not"),
        ("nsgan", ["augment=diffaugment"], "augmentations are of images, not of curves"),
    ],
)
def test_what_does_not_fit_is_a_reported_skip(name, settings, words):
    plan = expand([name], assignments=settings, misfit=TASKS["curves"].misfit)
    assert not plan.trials
    assert words in plan.skips[0].reason


@pytest.mark.parametrize("name", gans.names())
def test_on_its_own_task_everything_fits(name):
    cls = gans.get(name)
    assert choose(None, [name]).misfit(cls, cls.Config()) is None
    is_translator = cls.info.track == "image-to-image"
    assert (TASKS["mnist"].misfit(cls, cls.Config()) is None) != is_translator


@pytest.mark.usefixtures("ready_store")
def test_a_run_on_curves_from_the_command_line(command, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = command("run", "--algos", "gan", "--steps", 300, "--preset", "smoke", "--report", "page.html")
    assert code == 0, err
    assert "curves task, trained on 60,000 examples of curves" in out
    assert "real curves" in out
    loaded = results.load()
    trial = loaded.trials[loaded.trials["kind"] == "trial"].iloc[0]
    assert trial["track"] == "curves"
    assert trial["fid"] == trial["curves_fid_1k"]
    references = loaded.trials[loaded.trials["kind"] == "reference"].set_index("name")["fid"]
    assert references["real curves"] < trial["fid"] < references["untrained generator"]
    assert Image.open(io.BytesIO(loaded.artifact(trial["run_id"], "samples.png"))).size == (302, 302)
    assert loaded.artifacts(trial["run_id"], "latent") == []
    code, _, err = command("sample", trial["run_id"][:12], "-o", tmp_path / "curves.png")
    assert code == 0, err
    code, _, err = command("latent", trial["run_id"][:12])
    assert code == 2
    assert "no pictures of its latent space" in err

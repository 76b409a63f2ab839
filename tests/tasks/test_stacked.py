"""StackedMNIST: what its images are, that modes and KL count what they say, and that uniform rows can play on it."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import entropy

import gans
from bench import results
from bench.data.stacked import stack
from bench.features.reference import load_reference
from bench.features.stacked import StackedYardstick
from bench.samples import Samples
from bench.tasks import TASKS
from gans.base import Batch
from gans.fields import STACKED

TASK = TASKS["stacked_mnist"]
PLAYERS = [name for name in gans.names() if "stacked" in gans.get(name).fields]


@pytest.fixture(scope="module")
def triples(embedded):
    return stack(embedded, 4_000)


@pytest.fixture(scope="module")
def yardstick():
    return StackedYardstick(torch.device("cpu"))


def divergence(labels):
    """KL to equal shares, by scipy."""
    return entropy(np.bincount(labels, minlength=1000) / len(labels), np.full(1000, 1e-3))


def scores(yardstick, images):
    found = yardstick.judge(Samples(images))
    return {name.split("_")[1]: value for name, value in found.items()}


def test_each_channel_is_a_digit_and_the_label_is_the_number_they_make(triples, embedded):
    known = {image.numpy().tobytes(): int(label) for image, label in zip(embedded.images, embedded.labels, strict=True)}
    for image, label in zip(triples.images[:50], triples.labels[:50], strict=True):
        digits = [known[channel[None].numpy().tobytes()] for channel in image]
        assert 100 * digits[0] + 10 * digits[1] + digits[2] == label
    assert torch.equal(stack(embedded, 4_000).images, triples.images)
    assert triples.images.shape == (4_000, 3, 28, 28)


def test_the_floor_of_26_000_triples_is_every_mode_and_the_kl_that_theory_says(digits):
    """Independent digits of MNIST's shares p: 3 KL(p, equal), and (1,000 - 1) / 2N by the number alone."""
    labels = stack(digits, 26_000).labels
    shares = np.bincount(digits.labels, minlength=10) / len(digits.labels)
    expected = 3 * entropy(shares, np.full(10, 0.1)) + 999 / 52_000
    assert len(labels.unique()) == 1_000
    assert divergence(labels) == pytest.approx(expected, abs=0.002)


def test_real_triples_cover_what_their_labels_say(yardstick, triples):
    found = scores(yardstick, triples.images)
    expected = len(triples.labels.unique())
    assert found["modes"] == pytest.approx(expected, rel=0.01)  # 0.3 % of digits are misread
    assert found["kl"] == pytest.approx(divergence(triples.labels), abs=0.02)
    assert found["fid"] < 2


def test_one_digit_in_all_channels_has_ten_modes(yardstick, embedded):
    ten = torch.stack([embedded.images[embedded.labels == digit][0] for digit in range(10)]).expand(-1, 3, -1, -1)
    assert scores(yardstick, ten.repeat(100, 1, 1, 1))["modes"] == 10


def test_fid_is_the_mean_over_channels_against_test_digits(yardstick, space, embedded):
    """Of channels that are unlike: inverted, as they are, dark. Each distance by the eigenvalues of C1 C2."""
    images = stack(embedded, 300).images
    images[:, 0] = 255 - images[:, 0]
    images[:, 2] = images[:, 2] // 2
    real = load_reference().test.statistics
    distances = []
    for channel in images.split(1, dim=1):
        features = space.extract(channel)[0].numpy()
        covariance = np.cov(features.T)
        roots = np.linalg.eigvals(covariance @ real["sigma"]).real.clip(0) ** 0.5
        apart = ((features.mean(0) - real["mu"]) ** 2).sum()
        distances.append(apart + np.trace(covariance + real["sigma"]) - 2 * roots.sum())
    assert yardstick.judge(Samples(images))["stacked_fid_300"] == pytest.approx(np.mean(distances), rel=1e-4)


def test_the_divergence_is_from_equal_shares(yardstick, triples):
    rows = triples.labels < 100
    expected = divergence(triples.labels[rows])
    assert expected > math.log(10)
    assert scores(yardstick, triples.images[rows])["kl"] == pytest.approx(expected, abs=0.05)


def test_the_first_channel_is_the_hundreds(yardstick, triples):
    """Exchanged channels are other modes, as many of them, and the same FID."""
    images = triples.images[triples.labels < 100]
    both = torch.cat([images, images.flip(1)])
    alone, turned, together = (scores(yardstick, part) for part in (images, images.flip(1), both))
    assert turned == pytest.approx(alone, rel=1e-6)
    assert together["modes"] > 1.5 * alone["modes"]


@pytest.mark.parametrize("name", PLAYERS)
def test_a_uniform_row_takes_a_step_on_three_channels(name):
    cls = gans.get(name)
    torch.manual_seed(0)
    gan = cls(cls.Config(), STACKED)
    gan.rng = torch.Generator().manual_seed(0)
    assert TASK.misfit(cls, gan.config) is None
    images = torch.rand(8, 3, 28, 28, generator=gan.rng) * 2 - 1
    batch = Batch(images, torch.zeros(8, dtype=torch.int64))
    for turn in gan.turns():
        assert all(torch.isfinite(value) for value in turn.take(batch).values())
    assert gan.generate(batch).shape == (8, 3, 28, 28)


def test_rows_with_labels_or_nets_of_their_own_are_skips():
    for name, words in (("acgan", "needs labels"), ("stylegan", "made for digits only")):
        cls = gans.get(name)
        assert words in TASK.misfit(cls, cls.Config())


def test_published_figures_have_26_000_samples_and_so_have_ours():
    from bench.protocol import PRESETS

    assert [TASK.preset(PRESETS[name]).samples for name in ("smoke", "quick", "full")] == [1_000, 26_000, 26_000]


@pytest.mark.usefixtures("ready_store")
def test_a_run_from_the_command_line(command, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    words = ("--steps", 2, "--preset", "smoke", "--samples", 200, "--report", "page.html")
    code, out, err = command("run", "--algos", "nsgan,pacgan", "--task", "stacked_mnist", *words)
    assert code == 0, err
    head = next(line for line in out.splitlines() if line.startswith("cell"))
    assert {"FID", "modes", "KL"} <= set(head.split())
    assert "IS" not in head.split()
    loaded = results.load()
    rows = loaded.trials.set_index("name")
    assert set(loaded.trials["track"]) == {"stacked digits"}
    assert rows.loc["real train triples", "stacked_modes_200"] > rows.loc["untrained generator", "stacked_modes_200"]
    run = loaded.trials.loc[loaded.trials["kind"] == "trial", "run_id"].iloc[0]
    picture = Image.open(io.BytesIO(loaded.artifact(run, "samples.png")))
    assert picture.mode == "RGB"
    assert np.asarray(picture).shape == (302, 302, 3)
    assert Image.open(io.BytesIO(loaded.artifact(run, "training.gif"))).n_frames >= 2
    code, _, err = command("sample", run[:12], "-n", 4, "-o", tmp_path / "four.png")
    assert code == 0, err

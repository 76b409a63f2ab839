"""Which metrics are chosen, and what each says of real digits, collapses, missing digits and copies."""

import math

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.evaluate import Evaluator
from bench.features.memorisation import Memory
from bench.features.metrics import fid, fid_infinity, kid, statistics
from bench.metrics import DEFAULT, METRICS, choose

CPU = torch.device("cpu")
N = 1_000
NAMES = ("fid", "is", "kid", "precision", "recall", "density", "coverage", "class_kl", "missing", "diversity")


def names(metrics):
    return [metric.name for metric in metrics]


def test_by_default_what_few_images_do_not_allow_is_left_out():
    assert names(choose(None, 10_000)) == list(DEFAULT)
    assert names(choose(None, 500)) == ["fid", "is", "classes", "fid_second"]


def test_fid_is_always_among_those_that_are_named():
    assert names(choose("classes, kid", 1_000)) == ["fid", "classes", "kid"]
    assert names(choose("all", 20_000)) == list(METRICS)


@pytest.mark.parametrize(
    ("text", "n", "words"),
    [
        ("kid,psnr", 10_000, "--metrics kid,psnr: allowed are all, fid, is, kid"),
        (" , ", 10_000, "allowed are all"),
        ("kid,fid_infinity", 10_000, "fid_infinity needs 20,000 images, not 10,000; ask for more"),
        ("all", 500, "kid needs 1,000, prdc needs 1,000, fid_infinity needs 20,000 images, not 500"),
    ],
)
def test_what_cannot_be_measured_is_one_line(text, n, words):
    with pytest.raises(BenchError, match=words):
        choose(text, n)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_says_which_way_is_better_and_how_it_is_biased(metric):
    assert any(words in metric.meaning for words in ("is better", "is real"))


@pytest.fixture(scope="module")
def evaluator(embedded):
    memory = Memory(embedded.images[:N], embedded.images[N : 2 * N])
    return Evaluator(CPU, metrics=choose("is,kid,prdc,classes,memory", N), memory=memory)


@pytest.fixture(scope="module")
def measured(evaluator, embedded):
    """What each set of N images gives, by the metrics' short names."""
    digits = embedded.rows(torch.arange(2 * N, 4 * N))
    one_a_class = torch.stack([digits.images[digits.labels == d][0] for d in range(10)])
    few_kinds = digits.images[digits.labels < 5]
    noisy = digits.images[:N].float() + 60 * torch.randn(N, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    sets = {
        "real": digits.images[:N],
        "one a class": one_a_class.repeat(N // 10, 1, 1, 1),
        "digits 0 to 4": few_kinds[torch.arange(N) % len(few_kinds)],
        "noisy": noisy.clamp(0, 255).to(torch.uint8),
        "copies": embedded.images[:N],
    }
    return {
        name: {key.removeprefix("mnist_").removesuffix("_1k"): value for key, value in evaluator.score(images).items()}
        for name, images in sets.items()
    }


def test_every_chosen_metric_is_there_and_finite(measured):
    assert {*NAMES, "kid_low", "kid_high", "nn_ratio", "copies"} == set(measured["real"])
    assert all(math.isfinite(value) for value in measured["real"].values())


def test_real_digits_are_near_their_ceilings(measured):
    real = measured["real"]
    assert real["kid_low"] < 0.02
    assert real["precision"] > 0.75
    assert real["diversity"] == pytest.approx(1, abs=0.1)
    assert real["class_kl"] < 0.02
    assert real["missing"] == 0
    assert real["nn_ratio"] == pytest.approx(1, abs=0.06)


def test_one_image_a_class_deceives_is_and_no_measure_of_variety(measured):
    real, collapsed = measured["real"], measured["one a class"]
    assert collapsed["is"] > real["is"] - 0.3
    assert collapsed["precision"] > 0.5
    assert collapsed["recall"] < 0.05 < real["recall"]
    assert collapsed["coverage"] < 0.1 < real["coverage"]
    assert collapsed["diversity"] == pytest.approx(0, abs=1e-6)
    assert collapsed["missing"] == 0


def test_missing_digits_are_counted(measured):
    half = measured["digits 0 to 4"]
    assert half["missing"] == 5
    assert half["class_kl"] == pytest.approx(math.log(2), abs=0.1)
    assert half["kid"] > 10 * abs(measured["real"]["kid"])


def test_noise_costs_fidelity(measured):
    real, noisy = measured["real"], measured["noisy"]
    assert noisy["precision"] < real["precision"] - 0.2
    assert noisy["density"] < real["density"]
    assert noisy["fid"] > 10 * real["fid"]


def test_copies_look_perfect_to_all_but_one(measured):
    real, copies = measured["real"], measured["copies"]
    assert copies["fid"] < 2 * real["fid"]
    assert copies["precision"] > 0.75
    assert copies["nn_ratio"] == pytest.approx(0, abs=1e-3)
    assert copies["copies"] == 1


def test_neither_order_nor_batch_moves_a_metric(evaluator, embedded, measured):
    images = embedded.images[2 * N : 3 * N].flip(0)
    turned = Evaluator(CPU, metrics=evaluator.metrics, memory=evaluator.memory, batch_size=128).score(images)
    for name, value in measured["real"].items():
        # IS and the subsets of KID depend on which image comes where; their spread is a part of them.
        allowed = {"is": 0.1, "kid": 0.01, "kid_low": 0.02, "kid_high": 0.02}.get(name, 2e-3)
        assert turned[f"mnist_{name}_1k"] == pytest.approx(value, abs=allowed), name


def test_kid_of_one_subset_is_the_unbiased_squared_mmd_of_the_cubic_kernel():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(1000, 6, generator=rng).double(), 0.3 + torch.randn(1000, 6, generator=rng).double()

    def kernel(a, b):
        return (a.numpy() @ b.numpy().T / 6 + 1) ** 3

    off = ~np.eye(1000, dtype=bool)
    expected = kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()
    found = kid(x, y)
    assert found["kid"] == pytest.approx(expected, rel=1e-4)
    assert found["kid_low"] == pytest.approx(found["kid_high"], abs=1e-6), "every subset is the whole"


def test_the_interval_of_kid_covers_0_for_equal_distributions_and_narrows_with_the_number():
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(8000, 6, generator=rng)
    few, many = (kid(torch.randn(n, 6, generator=rng), real) for n in (2000, 8000))
    for found in (few, many):
        assert found["kid_low"] < 0 < found["kid_high"]
    assert many["kid_high"] - many["kid_low"] < few["kid_high"] - few["kid_low"]


def test_fid_infinity_takes_off_what_few_samples_add():
    """Of N(0, I) in 64 dimensions against the exact statistics FID is 0, and what is measured is bias alone."""
    real = {"mu": np.zeros(64), "sigma": np.eye(64)}
    features = torch.randn(20_000, 64, generator=torch.Generator().manual_seed(0)).double()
    biased = fid(statistics(features), real)
    assert biased > 0.03
    assert abs(fid_infinity(features, real)) < biased / 4
    shifted = {"mu": np.full(64, 0.5), "sigma": np.eye(64)}
    assert fid_infinity(features, shifted) == pytest.approx(64 * 0.25, rel=0.03)

"""Which metrics are chosen, and what each says of real digits, collapses, missing digits and copies."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.errors import BenchError
from bench.evaluate import Evaluator
from bench.features.extractor import Space
from bench.features.memorisation import Memory
from bench.features.metrics import fid, fid_infinity, inception_score, kid, statistics
from bench.features.reference import Real, load_reference
from bench.metrics import DEFAULT, METRICS, Scored, choose, left_out

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
        ("kid,fid_infinity", 10_000, "fid_infinity needs 20,000 images, not 10,000; give more images"),
        ("all", 500, "prdc needs 1,000, fid_infinity needs 20,000, fid_pixels needs 1,000 images, not 500"),
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
    return Evaluator(CPU, metrics=choose("is,kid,prdc,classes,fid_pixels,memory", N), memory=memory)


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
    assert {*NAMES, "fid_pixels", "nn_ratio", "copies"} == set(measured["real"])
    assert all(math.isfinite(value) for value in measured["real"].values())


def test_real_digits_are_near_their_ceilings(measured):
    real = measured["real"]
    assert abs(real["kid"]) < 0.02
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


def test_pixels_alone_see_collapse_and_noise(measured):
    real = measured["real"]["fid_pixels"]
    assert measured["one a class"]["fid_pixels"] > 5 * real
    assert measured["noisy"]["fid_pixels"] > 5 * real
    assert measured["digits 0 to 4"]["fid_pixels"] > 1.5 * real


def test_training_digits_are_the_floor_of_all_that_looks_for_no_copies(evaluator, embedded):
    floor = evaluator.floor(embedded.images[:N], N)
    assert {"mnist_fid_1k", "mnist_fid_pixels_1k"} <= set(floor)
    assert not {"mnist_nn_ratio_1k", "mnist_copies_1k"} & set(floor)


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
        # One image at the edge of a ball may fall in or out by rounding.
        allowed = 2e-3 if name in ("precision", "recall", "density", "coverage") else 1e-4
        assert turned[f"mnist_{name}_1k"] == pytest.approx(value, rel=1e-4, abs=allowed), name


def test_what_is_drawn_of_the_features_does_not_depend_on_their_order():
    rng = torch.Generator().manual_seed(0)
    features, turn = torch.randn(4000, 10, generator=rng).double(), torch.randperm(4000, generator=rng)
    real = torch.randn(2000, 10, generator=rng)
    for metric in (
        inception_score,
        lambda x: kid(x, real)["kid_high"],
        lambda x: fid_infinity(x, {"mu": np.zeros(10), "sigma": np.eye(10)}),
    ):
        assert metric(features[turn]) == pytest.approx(metric(features), rel=1e-9)


def test_features_are_extracted_once_for_all_metrics(evaluator, embedded, monkeypatch):
    calls = []
    honest = Space.extract
    monkeypatch.setattr(Space, "extract", lambda self, images: calls.append(len(images)) or honest(self, images))
    evaluator.score(embedded.images[:300], metrics=[METRICS["fid"], METRICS["is"], METRICS["classes"]])
    assert calls == [300]
    evaluator.score(embedded.images[:300], metrics=[METRICS["fid"], METRICS["fid_second"]])
    assert calls == [300, 300, 300], "once more by each extractor"


def test_the_row_of_real_training_digits_is_not_searched_for_copies(evaluator, embedded):
    assert "memory" in {metric.name for metric in evaluator.metrics}
    floor = evaluator.floor(embedded.images, 1_000)
    assert "mnist_fid_1k" in floor
    assert not [name for name in floor if "nn_ratio" in name or "copies" in name]


def test_kid_of_one_subset_is_the_unbiased_squared_mmd_of_the_cubic_kernel():
    rng = torch.Generator().manual_seed(0)
    x, y = torch.randn(1000, 6, generator=rng).double(), 0.3 + torch.randn(1000, 6, generator=rng).double()

    def kernel(a, b):
        return (a.numpy() @ b.numpy().T / 6 + 1) ** 3

    off = ~np.eye(1000, dtype=bool)
    expected = kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()
    found = kid(x, y)
    assert found["kid"] == pytest.approx(expected, rel=1e-4)
    assert set(found) == {"kid"}, "every subset is the whole, and their spread says nothing"


def test_the_interval_of_kid_covers_0_for_equal_distributions_and_narrows_with_the_number():
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(8000, 6, generator=rng)
    few, many = (kid(torch.randn(n, 6, generator=rng), real) for n in (2000, 8000))
    for found in (few, many):
        assert found["kid_low"] < 0 < found["kid_high"]
    assert many["kid_high"] - many["kid_low"] < few["kid_high"] - few["kid_low"]


@pytest.mark.parametrize("n", [500, 100, 60])
def test_the_interval_of_kid_covers_what_it_says(monkeypatch, n):
    """Of 200 draws from shifted Gaussians nearly 95 % hold the true value, here of very many samples.

    However much of the images the subsets of 50 share: without regard to that, 83 % of 100 would, and 58 % of 60.
    """
    monkeypatch.setattr("bench.features.metrics.KID_SUBSET_SIZE", 50)
    rng = torch.Generator().manual_seed(0)
    big = [shift + torch.randn(4000, 6, generator=rng).double() for shift in (0.0, 0.3)]
    cubic = [[((a @ b.T / 6 + 1) ** 3) for b in big] for a in big]
    off = ~torch.eye(4000, dtype=torch.bool)
    truth = (cubic[0][0][off].mean() + cubic[1][1][off].mean() - 2 * cubic[0][1].mean()).item()
    hits = 0
    for _ in range(200):
        found = kid(torch.randn(n, 6, generator=rng), 0.3 + torch.randn(n, 6, generator=rng))
        hits += found["kid_low"] < truth < found["kid_high"]
    assert 0.90 <= hits / 200 <= 0.99


def test_the_interval_of_kid_covers_what_it_says_of_few_real_images(monkeypatch):
    """They are shared by the subsets as much as few generated ones; by the number of these, 84 % would hold 0."""
    monkeypatch.setattr("bench.features.metrics.KID_SUBSET_SIZE", 50)
    rng = torch.Generator().manual_seed(0)
    found = [kid(torch.randn(500, 6, generator=rng), torch.randn(60, 6, generator=rng)) for _ in range(200)]
    assert sum(each["kid_low"] < 0 < each["kid_high"] for each in found) >= 0.95 * 200


def test_fid_infinity_agrees_across_numbers_where_fid_does_not():
    """Against N(0, I) it is the squared length of the mean, which FID of 2,000 in 32 dimensions overstates by 0.13."""
    rng = torch.Generator().manual_seed(0)
    real = {"mu": np.zeros(32), "sigma": np.eye(32)}
    for n in (2_000, 8_000):
        features = 0.1 + torch.randn(n, 32, generator=rng).double()
        found = METRICS["fid_infinity"].compute(scored_of(features, real))["fid_infinity"]
        assert found == pytest.approx(features.mean(0).square().sum().item(), abs=0.02)
        assert fid(statistics(features), real) - found > 150 / n


def scored_of(features, real):
    """What a metric reads of features alone."""
    of_real = Real(real, torch.empty(0, 10), "")
    return Scored(torch.empty(0), features, torch.empty(0, 10), of_real, second=None, memory=None)


def test_metrics_that_need_more_real_images_than_an_extractor_saw_are_refused(monkeypatch):
    honest = load_reference
    few = replace(honest().test, logits=honest().test.logits[:400])
    monkeypatch.setattr("bench.evaluate.load_reference", lambda folder: replace(honest(), test=few))
    with pytest.raises(BenchError, match=r"^kid needs 1,000 real test images, and mnist's extractor was made with 400"):
        Evaluator(CPU)
    Evaluator(CPU, metrics=choose("fid,is", 1000))


def test_all_may_stand_among_names_and_what_few_images_leave_out_is_said():
    assert choose("all,kid", 30_000) == choose("all", 30_000)
    assert left_out(500) == "kid (needs 1,000 images), prdc (needs 1,000 images)"
    assert left_out(1_000) == ""


def test_fid_infinity_takes_off_what_few_samples_add():
    """Of N(0, I) in 64 dimensions against the exact statistics FID is 0, and what is measured is bias alone."""
    real = {"mu": np.zeros(64), "sigma": np.eye(64)}
    features = torch.randn(20_000, 64, generator=torch.Generator().manual_seed(0)).double()
    biased = fid(statistics(features), real)
    assert biased > 0.03
    assert abs(fid_infinity(features, real)) < biased / 4
    shifted = {"mu": np.full(64, 0.5), "sigma": np.eye(64)}
    assert fid_infinity(features, shifted) == pytest.approx(64 * 0.25, rel=0.03)

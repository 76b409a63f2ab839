"""The second extractor: its FID is that of its own features, and it agrees with the first on what is worse."""

import numpy as np
import pytest
import torch

from bench.data import to_unit
from bench.evaluate import Evaluator
from bench.features import FOLDER, load_classifier
from bench.features.reference import load_reference
from bench.features.second import Second
from bench.features.weights import SECOND_FOLDER, WEIGHTS
from bench.metrics import METRICS

CPU = torch.device("cpu")
FIRST, SECOND = "mnist_fid_1k", "mnist_fid_second_1k"


@pytest.fixture(scope="module")
def images(embedded):
    return embedded.images[:1000]


def test_it_is_the_frechet_distance_of_its_own_features(images):
    network = load_classifier(CPU, FOLDER / SECOND_FOLDER / WEIGHTS)
    with torch.inference_mode():
        features = network(to_unit(images))[0].double().numpy()
    real = load_reference(FOLDER / SECOND_FOLDER).test.statistics
    mean, covariance = features.mean(0), np.cov(features, rowvar=False)
    # The trace of a root is the sum of the roots of eigenvalues; rounding may turn a 0 into less.
    roots = np.linalg.eigvals(covariance @ real["sigma"]).real.clip(0) ** 0.5
    expected = ((mean - real["mu"]) ** 2).sum() + np.trace(covariance + real["sigma"]) - 2 * roots.sum()
    assert Second(CPU, FOLDER / SECOND_FOLDER).fid(images) == pytest.approx(expected, rel=1e-3)


def test_both_extractors_order_damage_alike_but_weigh_it_differently(images):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    moved = torch.zeros_like(images)
    moved[..., 2:, 2:] = images[..., :-2, :-2]
    sets = [images, moved, (images + 80 * noise).clamp(0, 255).to(torch.uint8)]
    evaluator = Evaluator(CPU, metrics=[METRICS["fid"], METRICS["fid_second"]])
    scores = [evaluator.score(one) for one in sets]
    first, second = ([score[name] for score in scores] for name in (FIRST, SECOND))
    assert first == sorted(first)
    assert second == sorted(second)
    ratios = [a / b for a, b in zip(first, second, strict=True)]
    assert max(ratios) > 1.3 * min(ratios), "two extractors of one taste would be no check"


def test_it_is_loaded_only_when_it_is_asked(monkeypatch, images):
    monkeypatch.setattr("bench.features.second.classifier_space", lambda *_: pytest.fail("loaded"))
    Evaluator(CPU, metrics=[METRICS["fid"]]).score(images)

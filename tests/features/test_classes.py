"""The histogram of classes and the variety within them, against scipy, loops, and collapses of both kinds."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from bench.features.classes import diversity, histogram_divergence, missing_classes, shares
from bench.features.metrics import statistics

REAL = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)


def test_shares_are_counts_over_all():
    assert shares(torch.tensor([0, 2, 2, 3]), 5).tolist() == [0.25, 0, 0.5, 0.25, 0]


def test_the_divergence_is_scipys():
    fake = torch.tensor([0.25, 0.25, 0.0, 0.5], dtype=torch.float64)
    assert histogram_divergence(fake, REAL) == pytest.approx(entropy(fake.numpy(), REAL.numpy()), rel=1e-12)
    assert histogram_divergence(REAL, REAL) == 0
    assert histogram_divergence(REAL, torch.tensor([0.5, 0.5, 0, 0], dtype=torch.float64)) == math.inf


def test_half_of_equal_classes_is_ln_2_away():
    tenth = torch.full((10,), 0.1, dtype=torch.float64)
    half = torch.tensor([0.2] * 5 + [0.0] * 5, dtype=torch.float64)
    assert histogram_divergence(half, tenth) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("share", "missing"), [(0.0, 1), (0.0099, 1), (0.0101, 0), (0.1, 0)])
def test_a_class_is_missing_below_a_tenth_of_its_real_share(share, missing):
    fake = torch.tensor([share, 0.2, 0.3, 0.5 - share], dtype=torch.float64)
    assert missing_classes(fake, REAL) == missing


def test_what_real_images_lack_is_not_missing():
    assert missing_classes(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0])) == 0


@pytest.fixture(scope="module")
def features():
    rng = torch.Generator().manual_seed(0)
    classes = torch.arange(60) % 3
    spread = torch.tensor([1.0, 2.0, 0.5])[classes, None]
    return 10 * classes[:, None] + spread * torch.randn(60, 4, generator=rng), classes


def real_statistics(features, classes):
    return tuple(statistics(features[classes == c].double()) for c in range(3))


def test_the_diversity_is_the_mean_ratio_of_squared_distances_within_a_class(features):
    values, classes = features
    real = real_statistics(values, classes)
    fake = values.clone()
    fake[classes == 1] *= 1.5

    def distance(v, c):
        rows = v[classes == c].double().numpy()
        pairs = [((a - b) ** 2).sum() for i, a in enumerate(rows) for b in rows[:i]]
        return np.mean(pairs)

    expected = np.mean([distance(fake, c) / distance(values, c) for c in range(3)])
    assert diversity(fake, classes, real) == pytest.approx(expected, rel=1e-6)
    assert diversity(values, classes, real) == pytest.approx(1, rel=1e-6)


def test_one_image_a_class_has_no_diversity_though_every_class_is_there(features):
    values, classes = features
    collapsed = torch.stack([values[classes == c][0] for c in range(3)])[classes]
    assert diversity(collapsed, classes, real_statistics(values, classes)) == 0
    assert missing_classes(shares(classes, 3), shares(classes, 3)) == 0


def test_a_class_of_one_sample_says_nothing_of_diversity(features):
    values, classes = features
    real = real_statistics(values, classes)
    few = torch.cat([values[classes == 0], values[classes == 1][:1]])
    labels = torch.tensor([0] * 20 + [1])
    assert diversity(few, labels, real) == pytest.approx(1, rel=1e-6)
    assert diversity(few[-2:], torch.tensor([0, 1]), real) == 0

"""Precision, recall, density, coverage: equal to torch-fidelity's and prdc's, and moved by what should move them."""

import contextlib
import io

import pytest
import torch
from prdc import compute_prdc
from torch_fidelity.metric_prc import prc_features_to_metric

from bench.features.neighbours import DENSITY_K, MANIFOLD_K, cloud, neighbourhood_scores


def scores(fake, real):
    return neighbourhood_scores(cloud(fake), cloud(real))


@pytest.fixture(scope="module")
def two():
    """Generated and real features of unequal number, both beyond one part of the computation."""
    rng = torch.Generator().manual_seed(0)
    return torch.randn(1300, 24, generator=rng).relu() * 1.1, torch.randn(2150, 24, generator=rng).relu()


def test_precision_and_recall_are_torch_fidelitys(two):
    expected = prc_features_to_metric(*two, prc_neighborhood=MANIFOLD_K, verbose=False)
    found = scores(*two)
    assert found["precision"] == pytest.approx(expected["precision"], abs=1e-6)
    assert found["recall"] == pytest.approx(expected["recall"], abs=1e-6)
    assert 0.05 < found["recall"] < 0.95, "a comparison at the ends of the range would prove little"


def test_density_and_coverage_are_prdcs(two):
    fake, real = two
    with contextlib.redirect_stdout(io.StringIO()):
        expected = compute_prdc(real_features=real.numpy(), fake_features=fake.numpy(), nearest_k=DENSITY_K)
    found = scores(fake, real)
    # One of 10,000 balls may lose a point on its rim to rounding.
    assert found["density"] == pytest.approx(float(expected["density"]), rel=1e-3)
    assert found["coverage"] == pytest.approx(float(expected["coverage"]), abs=1e-3)


def test_on_a_line_they_can_be_counted_by_hand():
    real = torch.arange(10.0)[:, None]
    fake = torch.tensor([[0.1], [0.2], [0.3], [0.4], [0.5], [100.0]])
    found = scores(fake, real)
    assert found["precision"] == pytest.approx(5 / 6)
    # The 3rd neighbours of the five are at most 0.3 away, the 3rd of the sixth is 99.7 away and reaches 0.3 and beyond.
    assert found["recall"] == pytest.approx(10 / 10)
    # Balls to the 5th neighbour: of 0 it reaches 5, of 1 it reaches 4 down to 0 (radius 4), ... of 9 down to 4.
    inside = [sum(abs(x - c) < max(5 - min(c, 9 - c), 3) for c in range(10)) for x in (0.1, 0.2, 0.3, 0.4, 0.5)]
    assert found["density"] == pytest.approx(sum(inside) / (5 * 6))


def test_a_manifold_reaches_to_the_third_neighbour():
    """Of points 0 to 9 the ball of 0 reaches 3 either way."""
    real = torch.arange(10.0)[:, None]
    assert [scores(torch.full((6, 1), x), real)["precision"] for x in (-2.5, -3.5)] == [1, 0]


def test_neither_order_nor_place_nor_direction_matters(two):
    fake, real = two
    rng = torch.Generator().manual_seed(1)
    turn, _ = torch.linalg.qr(torch.randn(24, 24, generator=rng))
    moved = [features[torch.randperm(len(features), generator=rng)] @ turn + 0.5 for features in two]
    before, after = scores(fake, real), scores(*moved)
    assert after == pytest.approx(before, abs=2e-3)


def test_a_collapse_costs_variety_and_not_fidelity(two):
    _, real = two
    halves = real[:1000], real[1000:2000]
    healthy = scores(*halves)
    few = halves[0][:20].repeat(50, 1) + 1e-3 * torch.randn(1000, 24, generator=torch.Generator().manual_seed(2))
    collapsed = scores(few, halves[1])
    assert collapsed["precision"] > healthy["precision"] - 0.15
    assert collapsed["recall"] < 0.1 < healthy["recall"] - 0.3
    assert collapsed["coverage"] < 0.2 < healthy["coverage"] - 0.3


def test_what_is_far_from_everything_costs_fidelity(two):
    _, real = two
    fake = real[:1000].clone()
    fake[::2] += 50
    found = scores(fake, real[1000:2000])
    whole = scores(real[:1000], real[1000:2000])
    assert found["precision"] == pytest.approx(whole["precision"] / 2, abs=0.05)
    assert found["density"] == pytest.approx(whole["density"] / 2, abs=0.05)


def test_too_few_are_refused():
    with pytest.raises(ValueError, match="5 features have no 5 neighbours"):
        cloud(torch.zeros(5, 3))

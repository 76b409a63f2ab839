"""The curves task: the formula's moments, what counts as a parabola, and that the first GAN learns it."""

import math

import numpy as np
import pytest
import torch

import gans
from bench.data.curves import load_curves, parabolas, places
from bench.features.curves import BINS, coverage, fit, frechet_distance, truth, valid
from bench.tasks import TASKS
from bench.tasks.curves import CurveYardstick
from gans.base import Batch
from gans.fields import CURVES


@pytest.fixture(scope="module")
def curves():
    return load_curves(20_000).images


def test_a_parabola_is_the_tutorials_formula():
    x = np.linspace(-1, 1, 16)
    for a in (1.0, 1.3, 2.0):
        np.testing.assert_allclose(parabolas(torch.tensor([a], dtype=torch.float64))[0, 0, 0], a * x**2 + (a - 1))
    assert places()[0] == -1


def test_the_data_are_always_the_same_and_fill_the_range(curves):
    assert torch.equal(load_curves(20_000).images, curves)
    assert curves.shape == (20_000, 1, 1, 16)
    coefficient = curves[:, 0, 0, 0] / 2 + 0.5  # y(-1) = 2 a - 1
    assert coefficient.min().item() == pytest.approx(1, abs=1e-3)
    assert coefficient.max().item() == pytest.approx(2, abs=1e-3)


def test_the_closed_moments_are_those_of_many_curves(curves):
    flat = curves.flatten(1).double().numpy()
    # The mean of 20,000 has a standard error of at most 0.58 / sqrt(20000) = 0.004.
    np.testing.assert_allclose(flat.mean(0), truth()["mu"], atol=0.02)
    np.testing.assert_allclose(np.cov(flat.T), truth()["sigma"], atol=0.02)


def test_frechet_distance_of_real_curves_is_nearly_nothing_and_of_shifted_ones_the_squared_shift(curves):
    assert frechet_distance(curves) < 1e-3
    assert frechet_distance(curves + 0.5) == pytest.approx(16 * 0.25, rel=0.01)


def test_frechet_distance_of_one_curve_repeated_is_the_missing_spread():
    one = parabolas(torch.full((500,), 1.5))
    q = np.linspace(-1, 1, 16) ** 2 + 1
    assert frechet_distance(one) == pytest.approx((q @ q) / 12, rel=1e-6)


def test_fit_finds_the_coefficient_by_least_squares():
    noise = torch.randn(50, 1, 1, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 10
    curves = parabolas(torch.linspace(1, 2, 50, dtype=torch.float64)) + noise
    coefficient, distance = fit(curves)
    x = np.linspace(-1, 1, 16)
    for i in (0, 20, 49):
        solution, residual, *_ = np.linalg.lstsq((x**2 + 1)[:, None], curves[i].flatten().numpy() + 1, rcond=None)
        assert coefficient[i].item() == pytest.approx(solution[0])
        assert distance[i].item() == pytest.approx(math.sqrt(residual[0] / 16))


def test_valid_needs_the_shape_and_the_range():
    good, outside = parabolas(torch.tensor([1.0, 1.5, 2.0])), parabolas(torch.tensor([0.8, 2.3]))
    bent = parabolas(torch.tensor([1.5])) + 0.2 * torch.linspace(-1, 1, 16)
    assert valid(torch.cat([good, outside, bent])).tolist() == [True] * 3 + [False] * 3


def test_a_valid_curve_is_within_a_twentieth_of_its_parabola():
    bend = torch.linspace(-1, 1, 16)  # at right angles to every parabola
    bend /= bend.square().mean().sqrt()
    good = parabolas(torch.tensor([1.5]))
    assert valid(torch.cat([good + 0.045 * bend, good + 0.055 * bend])).tolist() == [True, False]


def test_coverage_counts_parts_of_the_range_and_a_collapse_lowers_it(curves):
    assert coverage(curves) == 1
    assert coverage(parabolas(torch.full((100,), 1.23))) == 1 / BINS
    assert coverage(parabolas(1 + torch.rand(5000) / 2)) == 0.5
    assert coverage(curves + 1) == 0


def test_the_yardstick_names_its_metrics_and_knows_the_floor(curves):
    scores = CurveYardstick().score(curves[:10_000])
    assert set(scores) == {"curves_fid_10k", "curves_valid_10k", "curves_coverage_10k"}
    assert CurveYardstick().floor(curves, 20_001) == {}
    assert CurveYardstick().floor(curves, 500)["curves_valid_500"] == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_the_first_gan_learns_parabolas(curves, seed):
    torch.manual_seed(seed)
    cls = gans.get("gan")
    gan = cls(cls.Config(lr_g=1e-3, lr_d=1e-3), CURVES)
    gan.rng = torch.Generator().manual_seed(seed)
    labels = torch.zeros(32, dtype=torch.int64)

    def distance():
        with torch.no_grad():
            return frechet_distance(gan.generator(torch.randn(2000, 10, generator=gan.rng)))

    before = distance()
    turns = gan.turns()
    for step in range(1200):
        batch = Batch(curves[32 * step % 19_000 :][:32], labels)
        for turn in turns:
            turn.take(batch)
    assert before > 10
    assert distance() < 1.5


@pytest.mark.parametrize("name", [name for name in gans.names() if "curves" in gans.get(name).fields])
def test_every_row_that_says_so_plays_on_curves(name, curves):
    cls = gans.get(name)
    torch.manual_seed(0)
    gan = cls(cls.Config(), CURVES)
    assert TASKS["curves"].misfit(cls, gan.config) is None
    batch = Batch(curves[:16], torch.zeros(16, dtype=torch.int64))
    for turn in gan.turns():
        assert all(torch.isfinite(value) for value in turn.take(batch).values())
    assert gan.generate(batch).shape == batch.images.shape

"""Kernels and what is estimated with them against loops over pairs, closed forms and the estimators' expectations."""

import math
from functools import partial

import pytest
import torch

import gans
from gans import kernels
from gans.fields import CURVES

RNG = torch.Generator().manual_seed(0)
REAL = torch.randn(7, 3, dtype=torch.float64, generator=RNG)
FAKE = torch.randn(5, 3, dtype=torch.float64, generator=RNG) + 0.5
SIGMAS = (1.0, 2.0, 4.0)
ALPHAS = (0.1, 1.0, 10.0)
GAUSSIAN = partial(kernels.gaussian, sigmas=SIGMAS)
QUADRATIC = partial(kernels.rational_quadratic, alphas=ALPHAS, linear=0.7)


def squared(a, b):
    return sum((p - q) ** 2 for p, q in zip(a.tolist(), b.tolist(), strict=True))


def naive_gaussian(a, b):
    return sum(math.exp(-squared(a, b) / (2 * s * s)) for s in SIGMAS)


def naive_quadratic(a, b):
    dot = sum(p * q for p, q in zip(a.tolist(), b.tolist(), strict=True))
    return sum((1 + squared(a, b) / (2 * alpha)) ** -alpha for alpha in ALPHAS) + 0.7 * dot


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def pairs_mean(k, xs, ys):
    return mean(k(a, b) for a in xs for b in ys)


def distinct_mean(k, xs):
    return mean(k(a, b) for i, a in enumerate(xs) for j, b in enumerate(xs) if i != j)


BOTH = pytest.mark.parametrize(
    ("kernel", "naive", "terms"), [(GAUSSIAN, naive_gaussian, 3), (QUADRATIC, naive_quadratic, 3)]
)


@BOTH
def test_kernel_is_the_definition_up_to_its_constant(kernel, naive, terms):
    expected = torch.tensor([[naive(a, b) - terms for b in FAKE] for a in REAL], dtype=torch.float64)
    torch.testing.assert_close(kernel(REAL, FAKE), expected, rtol=1e-12, atol=1e-14)


def test_bounds_clamp_the_squared_distance():
    expected = [[math.exp(-min(max(squared(a, b), 1.0), 4.0) / 2) - 1 for b in FAKE] for a in REAL]
    found = kernels.gaussian(REAL, FAKE, low=1.0, high=4.0)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-14)
    assert {round(v, 9) for v in found.flatten().tolist()} >= {round(math.exp(-b / 2) - 1, 9) for b in (1.0, 4.0)}


@BOTH
def test_mmd_and_witness_against_loops(kernel, naive, terms):
    cross = pairs_mean(naive, REAL, FAKE)
    biased = pairs_mean(naive, REAL, REAL) + pairs_mean(naive, FAKE, FAKE) - 2 * cross
    unbiased = distinct_mean(naive, REAL) + distinct_mean(naive, FAKE) - 2 * cross
    assert kernels.mmd2_biased(kernel, REAL, FAKE).item() == pytest.approx(biased, rel=1e-10)
    assert kernels.mmd2_unbiased(kernel, REAL, FAKE).item() == pytest.approx(unbiased, rel=1e-10)
    at = REAL[:4] / 2
    witness = [pairs_mean(naive, [a], REAL) - pairs_mean(naive, [a], FAKE) for a in at]
    assert kernels.witness(kernel, at, REAL, FAKE).tolist() == pytest.approx(witness, rel=1e-10)


@BOTH
def test_biased_mmd_is_a_squared_distance(kernel, naive, terms):
    assert kernels.mmd2_biased(kernel, REAL, REAL).item() == pytest.approx(0, abs=1e-14)
    near, far = (kernels.mmd2_biased(kernel, REAL, REAL + shift).item() for shift in (0.1, 1.0))
    assert 0 < near < far


def random_parts(data, parts, repeats=500):
    generator = torch.Generator().manual_seed(1)
    for _ in range(repeats):
        yield data[torch.randperm(len(data), generator=generator)].chunk(parts)


def estimate(values):
    """The mean of independent values and four of its standard errors: a right test fails once in 16,000."""
    values = torch.stack(list(values))
    return values.mean().item(), 4 * (values.std() / len(values) ** 0.5).item()


@BOTH
def test_unbiased_mmd_of_two_halves_of_the_same_data_averages_zero(kernel, naive, terms):
    data = torch.randn(32, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    average, error = estimate(kernels.mmd2_unbiased(kernel, *halves) for halves in random_parts(data, 2))
    assert abs(average) < error
    # With n codes a half, 1/n of the pairs within a half are of a code with itself: E = 2/n (E k(x, x) - E k(x, x')).
    expected = 2 / 16 * (mean(naive(x, x) for x in data) - distinct_mean(naive, data))
    average, error = estimate(kernels.mmd2_biased(kernel, *halves) for halves in random_parts(data, 2))
    assert abs(average - expected) < error < expected


def test_tiny_distances_survive_in_float32():
    """A clipped critic's codes lie 1e-4 apart: 1 - exp(-1e-8) is 0 in float32."""
    real, fake = REAL * 1e-4, FAKE * 1e-4
    for kernel in (GAUSSIAN, partial(kernels.rational_quadratic, alphas=ALPHAS)):
        exact = kernels.mmd2_biased(kernel, real, fake).item()
        # differences of a few float32 values of like size: about 1e-6
        assert kernels.mmd2_biased(kernel, real.float(), fake.float()).item() == pytest.approx(exact, rel=1e-4)


class TestRepulsive:
    def test_against_loops(self):
        expected = distinct_mean(naive_gaussian, REAL) - distinct_mean(naive_gaussian, FAKE)
        assert kernels.repulsive_d(GAUSSIAN, GAUSSIAN, REAL, FAKE).item() == pytest.approx(expected, rel=1e-10)

    def test_bounded_against_loops(self):
        real = distinct_mean(lambda a, b: math.exp(-min(squared(a, b), 4.0) / 2), REAL)
        fake = distinct_mean(lambda a, b: math.exp(-max(squared(a, b), 0.25) / 2), FAKE)
        high, low = partial(kernels.gaussian, high=4.0), partial(kernels.gaussian, low=0.25)
        assert kernels.repulsive_d(high, low, REAL, FAKE).item() == pytest.approx(real - fake, rel=1e-10)

    def test_is_antisymmetric(self):
        forth = kernels.repulsive_d(GAUSSIAN, GAUSSIAN, REAL, FAKE)
        back = kernels.repulsive_d(GAUSSIAN, GAUSSIAN, FAKE, REAL)
        assert forth.item() == -back.item() != 0

    def test_drives_reals_apart_and_fakes_together(self):
        real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
        kernels.repulsive_d(GAUSSIAN, GAUSSIAN, real, fake).backward()
        for codes, sign in ((real, 1), (fake, -1)):
            moved = codes.detach() - 0.1 * codes.grad
            change = kernels.squared_distances(moved, moved).mean() - kernels.squared_distances(codes, codes).mean()
            assert sign * change > 0


class TestEnergy:
    def test_against_a_loop(self):
        other = FAKE.flip(0) * 2
        terms = zip(REAL[:5], FAKE, other, strict=True)
        expected = mean(
            math.sqrt(squared(r, f) + 1e-5) + math.sqrt(squared(r, o) + 1e-5) - math.sqrt(squared(f, o) + 1e-5)
            for r, f, o in terms
        )
        assert kernels.energy_distance(REAL[:5], FAKE, other).item() == pytest.approx(expected, rel=1e-12)

    def test_of_parts_of_the_same_data_averages_the_mean_distance(self):
        """The term left out, -E ||r - r'||, would bring it to zero."""
        data = torch.randn(30, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        expected = distinct_mean(lambda a, b: math.sqrt(squared(a, b) + 1e-5), data)
        average, error = estimate(kernels.energy_distance(*parts) for parts in random_parts(data, 3))
        assert abs(average - expected) < error < expected / 20

    def test_distance_has_a_finite_gradient_at_zero(self):
        codes = REAL.clone().requires_grad_()
        kernels.distance(codes, REAL).sum().backward()
        assert (codes.grad == 0).all()

    def test_unequal_numbers_are_refused_before_they_broadcast(self):
        with pytest.raises(ValueError, match="one length"):
            kernels.distance(REAL, REAL[:1])


def test_off_diagonal_mean_by_hand():
    assert kernels.off_diagonal_mean(torch.tensor([[9.0, 1.0], [3.0, 9.0]])).item() == 2.0


@pytest.mark.parametrize("function", [kernels.squared_distances, kernels.distance, kernels.gaussian])
def test_scores_are_refused_as_codes(function):
    with pytest.raises(ValueError, match="matrices"):
        function(torch.zeros(4), torch.zeros(4, 1))
    with pytest.raises(ValueError, match="one width"):
        function(torch.zeros(4, 1), torch.zeros(4, 3))


def test_the_activation_penalty_counts_the_hidden_layer_of_curves_too():
    """Its activation is another one than that of images."""
    gan = gans.get("mmd_gan_gp")(field=CURVES)
    curves = torch.randn(4, *CURVES.shape)
    trunk = gan.discriminator.trunk(curves)
    codes, squares = gan.encode(curves)
    assert squares.item() == pytest.approx((trunk.square().mean() + codes.square().mean()).item(), rel=1e-5)

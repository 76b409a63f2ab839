"""FID and IS from features alone, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bench.features.metrics import accuracy, cluster_accuracy, fid, inception_score, intra_fid, statistics


def gaussian(n: int, mean: torch.Tensor, sd: torch.Tensor, seed: int) -> torch.Tensor:
    """Features whose *sample* mean and covariance are exactly diagonal Gaussian's: whitened, then scaled."""
    draw = torch.randn(n, len(mean), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    draw -= draw.mean(0)
    white = draw @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(draw.T))).T
    return white * sd + mean


MEANS = torch.linspace(0, 1, 128, dtype=torch.float64), torch.linspace(2, 0, 128, dtype=torch.float64)
SDS = torch.linspace(0.5, 2, 128, dtype=torch.float64), torch.linspace(1.5, 1, 128, dtype=torch.float64)
# For diagonal covariances the trace term is the sum of (s1 - s2)^2.
CLOSED_FORM = ((MEANS[0] - MEANS[1]) ** 2).sum().item() + ((SDS[0] - SDS[1]) ** 2).sum().item()


def test_fid_of_two_gaussians_is_the_closed_form() -> None:
    fake, real = (statistics(gaussian(1000, MEANS[i], SDS[i], seed=i)) for i in (0, 1))
    # Exact moments by construction: what is left is float64 rounding of a 128 x 128 eigenvalue problem.
    assert fid(fake, real) == pytest.approx(CLOSED_FORM, rel=1e-9)


def test_fid_of_drawn_gaussians_comes_near_the_closed_form() -> None:
    fake, real = (
        statistics(
            torch.randn(50_000, 128, generator=torch.Generator().manual_seed(i), dtype=torch.float64) * SDS[i]
            + MEANS[i]
        )
        for i in (0, 1)
    )
    # 50,000 draws scatter the term of the means by 0.17 (0.1 %); estimated covariances add 0.1 %.
    assert fid(fake, real) == pytest.approx(CLOSED_FORM, rel=5e-3)


def test_fid_is_symmetric_and_zero_on_itself() -> None:
    one, other = (statistics(gaussian(500, MEANS[i], SDS[i], seed=i)) for i in (0, 1))
    assert fid(one, other) == pytest.approx(fid(other, one), rel=1e-9)
    # Square roots of eigenvalues that are 0 up to 1e-16 are up to 1e-8.
    assert 0 <= fid(one, one) < 1e-5


def test_fid_of_a_constant_set_is_a_number() -> None:
    constant, real = (
        statistics(torch.ones(300, 128, dtype=torch.float64)),
        statistics(gaussian(500, *MEANS, seed=0)),
    )
    spread = np.trace(real["sigma"])
    assert fid(constant, real) == pytest.approx(((1 - MEANS[0]) ** 2).sum().item() + spread, rel=1e-9)
    assert fid(constant, constant) == 0


def test_statistics_are_float64_and_do_not_depend_on_order() -> None:
    features = torch.randn(10_000, 128, generator=torch.Generator().manual_seed(0)).double() * 3 + 5
    one, other = statistics(features), statistics(features[torch.randperm(10_000)])
    assert one["mu"].dtype == one["sigma"].dtype == np.float64
    # float32 would differ by 1e-6 here.
    np.testing.assert_allclose(one["mu"], other["mu"], rtol=1e-12)
    np.testing.assert_allclose(one["sigma"], other["sigma"], rtol=1e-9, atol=1e-12)


def test_is_of_certain_balanced_predictions_is_the_number_of_classes() -> None:
    labels = torch.arange(20_000) % 10
    logits = torch.nn.functional.one_hot(labels, 10).double() * 50
    # Each of the 10 random parts of 2,000 has the classes in balance up to chance: 9 / (2 * 2,000) of log 10.
    assert inception_score(logits) == pytest.approx(10, rel=5e-3)


@pytest.mark.parametrize("certainty", [100.0, 1e4])
def test_is_of_known_class_shares_is_the_exponential_of_their_entropy(certainty: float) -> None:
    """For certain predictions KL(p(y|x) || p(y)) is -log p(y): its mean is the entropy of 1/2, 1/4, 1/4.

    At 1e4 the missing classes have a probability of exactly 0 in float64, which must not become NaN.
    """
    labels = torch.tensor([0, 0, 1, 2]).repeat(10_000)
    entropy = 0.5 * math.log(2) + 0.5 * math.log(4)
    logits = torch.nn.functional.one_hot(labels, 10).double() * certainty
    assert inception_score(logits) == pytest.approx(math.exp(entropy), rel=2e-3)


@pytest.mark.parametrize("logits", [torch.zeros(1000, 10), torch.randn(1, 10).repeat(1000, 1)])
def test_is_of_equal_predictions_is_one(logits: torch.Tensor) -> None:
    assert inception_score(logits) == pytest.approx(1, abs=1e-9)


def test_is_does_not_depend_on_a_shift_of_the_logits() -> None:
    logits = torch.randn(1000, 10, generator=torch.Generator().manual_seed(0)).double() * 3
    assert inception_score(logits + torch.arange(1000).unsqueeze(1)) == pytest.approx(inception_score(logits), rel=1e-9)


def one_hot_logits(digits: list[int]) -> torch.Tensor:
    return 9.0 * torch.nn.functional.one_hot(torch.tensor(digits), 10).double()


def test_accuracy_is_the_share_read_as_asked() -> None:
    logits = one_hot_logits([3, 1, 4, 1])
    assert accuracy(logits, torch.tensor([3, 1, 4, 2])) == 0.75
    assert accuracy(logits, torch.tensor([0, 0, 0, 0])) == 0


def test_cluster_accuracy_names_each_cluster_after_a_class_of_its_own() -> None:
    """By hand: cluster 0 is class 7 (2 of 3), cluster 1 class 2 (1 of 1), cluster 2 class 4 (1 of 2)."""
    clusters = torch.tensor([0, 0, 0, 1, 2, 2])
    assert cluster_accuracy(one_hot_logits([7, 7, 2, 2, 7, 4]), clusters) == pytest.approx(4 / 6)


def test_cluster_accuracy_does_not_pay_for_one_class_everywhere() -> None:
    """A generator that makes only ones names one of ten clusters rightly."""
    clusters = torch.arange(100) % 10
    assert cluster_accuracy(one_hot_logits([1] * 100), clusters) == pytest.approx(0.1)
    shuffled = [[3, 1, 0, 2, 9, 8, 7, 6, 5, 4][int(c)] for c in clusters]
    assert cluster_accuracy(one_hot_logits(shuffled), clusters) == 1


def test_intra_fid_is_the_mean_of_the_classes_own_distances() -> None:
    """Each class exactly Gaussian: the closed form of every class; swapping two labels raises it."""
    parts = [gaussian(400, MEANS[0] * digit, SDS[0], seed=digit) for digit in range(10)]
    real = [statistics(gaussian(300, MEANS[1] * digit, SDS[1], seed=20 + digit)) for digit in range(10)]
    labels = torch.arange(10).repeat_interleave(400)
    means = [(((MEANS[0] - MEANS[1]) * digit) ** 2).sum().item() for digit in range(10)]
    spread = ((SDS[0] - SDS[1]) ** 2).sum().item()
    features = torch.cat(parts)
    expected = sum(means) / 10 + spread
    assert intra_fid(features, labels, real) == pytest.approx(expected, rel=1e-6)
    swapped = labels.clone()
    swapped[labels == 9], swapped[labels == 0] = 0, 9
    assert intra_fid(features, swapped, real) > expected

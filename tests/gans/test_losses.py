"""Every loss against an independent derivation: probabilities in numpy, closed-form optima, sign and symmetry."""

import numpy as np
import pytest
import torch
from oracles import make_gan
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from gans import losses
from gans.relativistic import base as relativistic

REAL = torch.tensor([1.5, -0.3, 0.2, 4.0], dtype=torch.float64)
FAKE = torch.tensor([-2.0, 0.7, 0.1, 1.0], dtype=torch.float64)


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores.numpy()))


def test_logistic_d_is_cross_entropy_of_probabilities():
    expected = -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean()
    assert losses.logistic_d(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothed_logistic_d_is_cross_entropy_with_soft_labels_of_reals_alone(smoothing):
    expected = cross_entropy(REAL, torch.full_like(REAL, 1 - smoothing)) + cross_entropy(FAKE, torch.zeros_like(FAKE))
    assert losses.logistic_d(REAL, FAKE, smoothing).item() == pytest.approx(expected.item(), rel=1e-12)


def test_nonsaturating_g_is_negative_log_probability():
    assert losses.nonsaturating_g(FAKE).item() == pytest.approx(-np.log(sigmoid(FAKE)).mean(), rel=1e-12)


def test_logistic_losses_stay_finite_at_extreme_scores():
    extreme = torch.tensor([1e4, -1e4])
    assert torch.isfinite(losses.logistic_d(extreme, extreme))
    assert torch.isfinite(losses.logistic_d(extreme, extreme, 0.1))
    assert torch.isfinite(losses.nonsaturating_g(extreme))


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0), (-1.0, 1.0, 1.0)])
def test_least_squares_by_hand(a, b, c):
    r, f = REAL.numpy(), FAKE.numpy()
    expected = 0.5 * np.mean((r - b) ** 2) + 0.5 * np.mean((f - a) ** 2)
    assert losses.least_squares_d(REAL, FAKE, a, b).item() == pytest.approx(expected, rel=1e-12)
    assert losses.least_squares_g(FAKE, c).item() == pytest.approx(0.5 * np.mean((f - c) ** 2), rel=1e-12)


def test_wasserstein_by_hand():
    assert losses.wasserstein_d(REAL, FAKE).item() == pytest.approx(-0.05 - 1.35, rel=1e-12)
    assert losses.wasserstein_g(FAKE).item() == pytest.approx(0.05, rel=1e-12)


def test_relativistic_average_is_cross_entropy_of_relativistic_probabilities():
    d_real, d_fake = sigmoid(REAL - FAKE.mean()), sigmoid(FAKE - REAL.mean())
    expected = 0.5 * (-np.log(d_real).mean() - np.log(1 - d_fake).mean())
    assert relativistic.average_logistic(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)


P = torch.tensor([0.8, 0.2], dtype=torch.float64)  # the data on two points
Q = torch.tensor([0.3, 0.7], dtype=torch.float64)  # the generator on them


def optimum(loss_at):
    """The scores of the two points that minimise D's loss, found numerically."""
    scores = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-18)

    def closure():
        optimizer.zero_grad()
        loss = loss_at(scores)
        loss.backward()
        return loss

    optimizer.step(closure)
    return scores.detach()


def weighted(loss, scores):
    """E over the discrete p and q, by giving the loss one point at a time."""
    return sum(P[i] * loss(scores[i : i + 1], None) + Q[i] * loss(None, scores[i : i + 1]) for i in range(len(P)))


def halves(loss, *args):
    """A D loss split into its real and its fake half: the other half of a constant score is subtracted."""

    def half(real, fake):
        constant = torch.zeros(1, dtype=torch.float64)
        if fake is None:
            return loss(real, constant, *args) - loss(constant, constant, *args)
        return loss(constant, fake, *args)

    return half


def test_optimal_logistic_discriminator_is_the_log_density_ratio():
    found = optimum(lambda s: weighted(halves(losses.logistic_d), s))
    torch.testing.assert_close(found, (P / Q).log(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.1, 0.5])
def test_optimal_smoothed_discriminator_never_trusts_reals_fully(smoothing):
    """(1 - s) p / (p + q), which fakes with their label 0 have no part in."""
    found = optimum(lambda s: weighted(halves(losses.logistic_d, smoothing), s))
    torch.testing.assert_close(found.sigmoid(), (1 - smoothing) * P / (P + Q), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["nsgan", "mmgan"])
def test_smoothing_of_the_logistic_gans_reaches_d_and_not_g(name):
    gan, plain = make_gan(name, label_smoothing=0.2), make_gan(name)
    expected = losses.logistic_d(REAL, FAKE) + 0.2 * REAL.mean()
    assert gan.d_loss(REAL, FAKE).item() == pytest.approx(expected.item(), rel=1e-12)
    assert gan.g_loss(FAKE) == plain.g_loss(FAKE)


@pytest.mark.parametrize(
    ("coding", "smoothing", "real_label", "fake_label"),
    [("binary", 0.1, 0.9, 0), ("chi2", 0.1, 0.8, -1), ("tutorial", 0.25, 0.5, -1), ("chi2", 0.5, 0, -1)],
)
def test_smoothing_moves_the_least_squares_label_of_reals_towards_that_of_fakes(
    coding, smoothing, real_label, fake_label
):
    gan = make_gan("lsgan", coding=coding, label_smoothing=smoothing)
    r, f = REAL.numpy(), FAKE.numpy()
    expected = 0.5 * np.mean((r - real_label) ** 2) + 0.5 * np.mean((f - fake_label) ** 2)
    assert gan.d_loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)
    assert gan.g_loss(FAKE) == make_gan("lsgan", coding=coding).g_loss(FAKE)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (-1.0, 1.0)])
def test_optimal_least_squares_discriminator(a, b):
    found = optimum(lambda s: weighted(halves(losses.least_squares_d, a, b), s))
    torch.testing.assert_close(found, (b * P + a * Q) / (P + Q), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "g_loss",
    [losses.nonsaturating_g, losses.wasserstein_g, lambda f: losses.least_squares_g(f, 1.0),
     lambda f: losses.least_squares_g(f, 0.0), lambda f: relativistic.average_logistic(f, torch.zeros_like(f))],
)  # fmt: skip
def test_g_wants_higher_scores(g_loss):
    fake = torch.full((4,), -1.0, requires_grad=True)
    g_loss(fake).backward()
    assert (fake.grad < 0).all()


def test_relativistic_g_reaches_both_halves():
    real = REAL.clone().requires_grad_()
    fake = FAKE.clone().requires_grad_()
    relativistic.average_logistic(fake, real).backward()
    assert (real.grad > 0).all(), "G wants reals to look less real"
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("loss", [losses.logistic_d, losses.wasserstein_d, relativistic.average_logistic])
def test_column_scores_are_refused_before_they_broadcast(loss):
    with pytest.raises(ValueError, match="vectors"):
        loss(torch.zeros(4, 1), torch.zeros(4))


def test_paired_losses_refuse_unequal_lengths():
    with pytest.raises(ValueError, match="one length"):
        relativistic.average_logistic(torch.zeros(4), torch.zeros(3))

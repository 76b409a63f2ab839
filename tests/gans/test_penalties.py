"""Gradient penalties against closed forms of linear and quadratic critics."""

import pytest
import torch

from gans import penalties

torch.manual_seed(0)
WEIGHT = torch.randn(28 * 28, dtype=torch.float64) / 10


def linear(images):
    return images.flatten(1) @ WEIGHT


def images(n):
    return torch.randn(n, 1, 28, 28, dtype=torch.float64)


@pytest.mark.parametrize("n", [2, 7])
def test_penalty_of_a_linear_critic_is_closed_form_whatever_the_batch(n):
    expected = (WEIGHT.norm() - 1) ** 2
    found = penalties.gradient_penalty(linear, images(n), images(n))
    assert found.item() == pytest.approx(expected.item(), rel=1e-9)


def test_norm_is_per_image_over_all_pixels():
    """D(x) = |x|^2 / 2 has the gradient x."""
    x = images(5)
    norm = penalties.input_gradient_norm(lambda i: i.flatten(1).square().sum(1) / 2, x)
    torch.testing.assert_close(norm, x.flatten(1).norm(dim=1))


def test_a_constant_critic_has_finite_gradient():
    """The bare norm's gradient at zero is NaN."""
    weight = torch.zeros(28 * 28, dtype=torch.float64, requires_grad=True)
    penalties.gradient_penalty(lambda i: i.flatten(1) @ weight, images(3), images(3)).backward()
    assert torch.isfinite(weight.grad).all()


def test_interpolates_mix_whole_images():
    """One weight an image: every pixel of an interpolate of 0s and 1s is the same, and images differ."""
    mixed = penalties.interpolate(torch.zeros(64, 1, 28, 28), torch.ones(64, 1, 28, 28))
    assert (mixed.flatten(1).max(1).values == mixed.flatten(1).min(1).values).all()
    assert mixed[:, 0, 0, 0].std() > 0.2  # U[0, 1] has 0.29
    assert mixed.min() >= 0
    assert mixed.max() <= 1


def test_penalty_reaches_the_critic_and_not_the_images():
    weight = WEIGHT.clone().requires_grad_()
    fake = images(4).requires_grad_()
    penalties.gradient_penalty(lambda i: i.flatten(1) @ weight, images(4), fake).backward()
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    torch.testing.assert_close(weight.grad, 2 * (WEIGHT.norm() - 1) * WEIGHT / WEIGHT.norm())
    assert fake.grad is None

"""Zero-centred penalties against closed forms of linear and quadratic critics and a loop over images."""

import pytest
import torch

from gans import zero_centred

torch.manual_seed(0)
WEIGHT = torch.randn(28 * 28, dtype=torch.float64) / 10


def linear(images):
    return images.flatten(1) @ WEIGHT


def quadratic(images):
    """Its gradient is the image."""
    return images.flatten(1).square().sum(1) / 2


def images(n):
    return torch.randn(n, 1, 28, 28, dtype=torch.float64)


@pytest.mark.parametrize("n", [2, 7])
def test_penalties_of_a_linear_critic_are_its_squared_norm_whatever_the_batch(n):
    expected = pytest.approx(WEIGHT.square().sum().item(), rel=1e-9)
    assert zero_centred.squared_gradient(linear, images(n)).item() == expected
    assert zero_centred.squared_gradient_between(linear, images(n), images(n)).item() == expected


def test_squared_gradient_of_a_quadratic_critic_is_the_mean_squared_norm_of_the_images():
    x = images(5)
    expected = sum((image**2).sum().item() for image in x) / 5
    assert zero_centred.squared_gradient(quadratic, x).item() == pytest.approx(expected, rel=1e-9)


def test_between_takes_interpolates_with_one_weight_an_image():
    """Between ones and zeros the interpolate is e everywhere, and its squared norm 784 e^2."""
    ones = torch.ones(5, 1, 28, 28, dtype=torch.float64)
    found = zero_centred.squared_gradient_between(quadratic, ones, 0 * ones, torch.Generator().manual_seed(4))
    weights = torch.rand(5, 1, 1, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    assert found.item() == pytest.approx(784 * weights.square().mean().item(), rel=1e-9)


def test_penalty_reaches_the_critic_and_not_the_images():
    weight, fake = WEIGHT.clone().requires_grad_(), images(4).requires_grad_()
    zero_centred.squared_gradient(lambda i: i.flatten(1) @ weight, fake).backward()
    torch.testing.assert_close(weight.grad, 2 * WEIGHT)
    assert fake.grad is None


def small_critic():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(784, 6), torch.nn.Softplus(), torch.nn.Linear(6, 1), torch.nn.Flatten(0)
    ).double()


def naive_regulariser(critic, real, fake):
    """Image by image, the weight and the gradient of the raw score each on its own."""
    total = torch.zeros((), dtype=torch.float64)
    for kind, batch in (("real", real), ("fake", fake)):
        for image in batch:
            x = image[None].clone().requires_grad_()
            score = critic(x)[0]
            (gradient,) = torch.autograd.grad(score, x, create_graph=True)
            probability = 1 / (1 + torch.exp(-score))
            weight = 1 - probability if kind == "real" else probability
            total = total + weight**2 * (gradient**2).sum() / len(batch)
    return total


def test_jensen_shannon_regulariser_and_its_gradient_are_those_of_a_loop():
    real, fake = images(3), images(3) / 2
    critic, twin = small_critic(), small_critic()
    found = zero_centred.jensen_shannon_regulariser(critic, real, fake)
    expected = naive_regulariser(twin, real, fake)
    # 1e-6: the 1e-12 under input_gradient_norm's root
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)
    for p, q in zip(critic.parameters(), twin.parameters(), strict=True):
        # the last bias moves the weights only: it has a gradient because they are differentiated
        p_gradient = torch.autograd.grad(found, p, retain_graph=True)[0]
        q_gradient = torch.autograd.grad(expected, q, retain_graph=True)[0]
        assert q_gradient.abs().max() > 0
        torch.testing.assert_close(p_gradient, q_gradient, rtol=1e-6, atol=1e-9)


def test_jensen_shannon_regulariser_spares_what_d_is_sure_of():
    """(1 - sig(r))^2 vanishes on sure reals and sig(f)^2 on sure fakes; on D's errors both are 1."""

    def offset(by):
        return lambda i: i.flatten(1) @ WEIGHT + by

    square = WEIGHT.square().sum().item()
    real, fake = 0 * images(3), 0 * images(3)
    high = zero_centred.jensen_shannon_regulariser(offset(30.0), real, fake).item()
    low = zero_centred.jensen_shannon_regulariser(offset(-30.0), real, fake).item()
    even = zero_centred.jensen_shannon_regulariser(offset(0.0), real, fake).item()
    assert (high, low) == (pytest.approx(square, rel=1e-9), pytest.approx(square, rel=1e-9))
    assert even == pytest.approx(square / 2, rel=1e-9)  # 1/4 of each
    sure = zero_centred.jensen_shannon_regulariser(lambda i: 30 * i.flatten(1).mean(1), real + 1, fake - 1).item()
    assert 0 <= sure < 1e-10

"""A G that looks ahead: D's weights after plain SGD, and the total derivative by finite differences, in float64."""

import copy

import pytest
import torch
from linear_toys import assert_gradients_agree, central_differences, difference, gradients, points, restart, toy
from oracles import turn
from torch import nn

from gans import objectives

STEPS, LR = 3, 0.5


pytestmark = pytest.mark.usefixtures("float64")


def stepped(gan, batch, steps=STEPS):
    """A copy whose D took plain gradient steps on its turn's loss."""
    twin = restart(copy.deepcopy(gan))
    optimizer = torch.optim.SGD(twin.discriminator.parameters(), LR)
    for _ in range(steps):
        optimizer.zero_grad()
        twin.d_turn(batch)["loss"].backward()
        optimizer.step()
    return twin


def unrolled(gan, batch):
    return objectives.g_objective(restart(gan), batch)["loss"]


@pytest.mark.parametrize("steps", [1, STEPS])
def test_unrolled_weights_are_those_after_plain_gradient_descent(steps):
    gan, batch = toy(unroll=steps, unroll_lr=LR, label_smoothing=0.1), points()
    found = objectives.unrolled_weights(restart(gan), batch, steps, LR)
    expected = dict(stepped(gan, batch, steps).discriminator.named_parameters(prefix="discriminator"))
    assert found.keys() == expected.keys()
    for name, weight in found.items():
        assert not torch.allclose(weight, gan.get_parameter(name), rtol=1e-3)
        torch.testing.assert_close(weight, expected[name].data, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize("name", ["nsgan", "unrolled_gan", "wgan_gp", "r3gan", "js_reg", "sobolev_gan"])
def test_unrolled_gradient_of_g_is_the_total_derivative(name, steps):
    """Against finite differences of G's loss at a D that SGD trained anew for every G, its penalty too."""
    config = {"wgan_gp": {"lambda_gp": 1.0}, "sobolev_gan": {"rho": 0.1}}.get(name, {})
    gan, batch = toy(name, unroll=steps, unroll_lr=LR, **config), points()
    loss = unrolled(gan, batch)

    def value():
        return stepped(gan, batch, steps).g_turn(batch)["loss"].detach()

    assert loss.item() == pytest.approx(value().item(), rel=1e-9)
    assert_gradients_agree(gradients(loss, gan.generator), central_differences(value, gan.generator))


def test_unrolled_gans_g_has_what_d_loses_on_reals_and_fakes():
    """The game of its paper is one of zero sum; of nsgan's G the reals' half is missing, which moves with D_K."""
    gan, batch = toy("unrolled_gan", unroll=STEPS, unroll_lr=LR), points()
    twin = stepped(gan, batch)
    state = twin.rng.get_state()
    expected = -twin.d_turn(batch)["loss"].item()
    twin.rng.set_state(state)
    assert twin.g_turn(batch)["loss"].item() == pytest.approx(expected, rel=1e-12)
    assert unrolled(gan, batch).item() == pytest.approx(expected, rel=1e-9)


def test_unrolled_gradient_is_not_that_of_a_mere_look_ahead():
    gan, batch = toy(unroll=STEPS, unroll_lr=LR), points()
    twin = stepped(gan, batch)
    mere = gradients(twin.g_turn(batch)["loss"], twin.generator)
    assert difference(mere, gradients(unrolled(gan, batch), gan.generator)) > 0.01


def test_unrolled_feature_matching_has_the_total_derivative_too():
    """D's features of the reals move with G where D's weights do."""
    gan, batch = toy(feature_matching=True, unroll=STEPS, unroll_lr=LR), points()

    def value():
        return objectives.feature_matching_turn(stepped(gan, batch), batch)["loss"].detach()

    assert_gradients_agree(gradients(unrolled(gan, batch), gan.generator), central_differences(value, gan.generator))


def test_unrolling_leaves_d_as_it_is():
    gan, batch = toy(unroll=STEPS, unroll_lr=LR), points()
    for parameter in gan.discriminator.parameters():
        parameter.grad = torch.ones_like(parameter)
    before = copy.deepcopy(gan)
    turn(gan, "g").take(batch)
    for parameter, old in zip(gan.discriminator.parameters(), before.discriminator.parameters(), strict=True):
        assert isinstance(parameter, nn.Parameter)
        assert torch.equal(parameter, old) and torch.equal(parameter.grad, torch.ones_like(old))
    assert not torch.equal(gan.generator[0].weight, before.generator[0].weight)

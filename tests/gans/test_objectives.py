"""What factors do to G's turn, in float64: numpy, closed forms of linear toys, plain SGD, finite differences."""

import numpy as np
import pytest
import torch
from linear_toys import (
    assert_gradients_agree,
    central_differences,
    difference,
    gradients,
    points,
    restart,
    toy,
    uniform,
)
from oracles import turn
from torch import nn

from gans import objectives
from gans.contract import real_batch

STEPS, LR = 3, 0.5


pytestmark = pytest.mark.usefixtures("float64")


# top-k


@pytest.mark.parametrize(
    ("n", "share", "k"), [(7, 1.0, 7), (8, 0.5, 4), (4, 0.6, 2), (4, 0.7, 3), (8, 0.75, 6), (8, 0.01, 1), (1, 0.1, 1)]
)
def test_best_keeps_the_k_largest(n, share, k):
    scores = torch.randn(n, generator=torch.Generator().manual_seed(n))
    np.testing.assert_array_equal(np.sort(objectives.best(scores, share).numpy()), np.sort(scores.numpy())[n - k :])


def test_best_differentiates_only_what_it_keeps_and_refuses_columns():
    scores = torch.tensor([0.3, -1.0, 2.0, 0.1], requires_grad=True)
    objectives.best(scores, 0.5).sum().backward()
    assert scores.grad.tolist() == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="vectors"):
        objectives.best(torch.zeros(4, 1), 0.5)


@pytest.mark.parametrize(("progress", "kept"), [(0.0, 20), (0.25, 17), (0.5, 14), (0.75, 11), (1.0, 8)])
def test_share_of_top_k_falls_linearly(progress, kept):
    gan = toy(top_k=0.4)
    gan.progress = progress
    assert len(gan.best(torch.randn(20))) == kept


def test_g_loss_with_top_k_is_that_of_the_better_half():
    gan, batch = uniform(top_k=0.5), real_batch(8)
    gan.progress = 1.0
    found = restart(gan).g_turn(batch)["loss"].item()
    better = np.sort(gan.discriminator(restart(gan).generate(batch)).detach().numpy())[4:]
    assert found == pytest.approx(-np.log(1 / (1 + np.exp(-better))).mean(), rel=1e-9)


# feature matching


def test_feature_distance_and_its_gradient_against_numpy():
    real, fake = torch.randn(5, 3), torch.randn(4, 3, requires_grad=True)
    distance = objectives.feature_distance(real, fake)
    gap = fake.detach().numpy().mean(0) - real.numpy().mean(0)
    assert distance.item() == pytest.approx(np.linalg.norm(gap) ** 2, rel=1e-12)
    distance.backward()
    np.testing.assert_allclose(fake.grad.numpy(), np.tile(2 * gap / 4, (4, 1)), rtol=1e-12)


def test_feature_matching_turn_compares_the_trunks_mean_features():
    gan, batch = uniform(feature_matching=True), real_batch(6)
    found = turn(restart(gan), "g").loss(batch)["loss"]
    fake = restart(gan).generate(batch)
    phi_real, phi_fake = (gan.discriminator.trunk(images).detach().numpy() for images in (batch.images, fake))
    assert phi_fake.shape == (6, 7 * 7 * 128)
    assert found.item() == pytest.approx(((phi_real.mean(0) - phi_fake.mean(0)) ** 2).sum(), rel=1e-9)


def test_feature_matching_replaces_the_algorithms_loss_and_its_gradient_is_right():
    gan, batch = toy(feature_matching=True), points()

    def value():
        return objectives.g_objective(restart(gan), batch)["loss"]

    assert value().item() != pytest.approx(restart(gan).g_turn(batch)["loss"].item(), rel=1e-3)
    assert_gradients_agree(gradients(value(), gan.generator), central_differences(value, gan.generator))


# mode seeking


def test_mode_seeking_on_a_hand_example():
    """Pairs (1, 3) and (2, 4): the images differ by 1, 3, 0, 0 and the latents by 2, 0, 4, 2."""
    images = torch.tensor([[0.0, 1.0], [5.0, 6.0], [1.0, -2.0], [5.0, 6.0]]).view(4, 1, 1, 2)
    latent = torch.tensor([[1.0, 1.0], [0.0, 3.0], [-1.0, 1.0], [4.0, 1.0]])
    assert objectives.mode_seeking(images, latent).item() == pytest.approx(
        1 / (((1 + 3 + 0 + 0) / 4) / ((2 + 0 + 4 + 2) / 4) + 1e-5), rel=1e-12
    )


def test_mode_seeking_falls_when_images_differ_more():
    images, latent = torch.randn(8, 1, 1, 2), torch.randn(8, 3)
    values = [objectives.mode_seeking(images * spread, latent).item() for spread in (0.5, 1.0, 2.0)]
    assert values[0] > values[1] > values[2]
    assert values[1] == pytest.approx(2 * values[2], rel=1e-3)  # but for the 1e-5


def test_mode_seeking_of_a_collapsed_generator_is_the_bound():
    assert objectives.mode_seeking(torch.ones(8, 1, 1, 2), torch.randn(8, 3)).item() == pytest.approx(1e5, rel=1e-12)


@pytest.mark.parametrize("n", [6, 7])
def test_mode_seeking_is_added_with_its_weight_and_logged(n):
    batch = points(n)
    plain = toy().g_turn(batch)["loss"].item()
    gan = toy(mode_seeking=2.0)
    scalars = objectives.g_objective(gan, batch)
    restart(gan).latent(n)  # those of the turn
    latent = gan.latent(6)
    images, latent = gan.generator(latent).detach().numpy(), latent.numpy()
    expected = 1 / (abs(images[:3] - images[3:]).mean() / abs(latent[:3] - latent[3:]).mean() + 1e-5)
    assert scalars["mode_seeking"].item() == pytest.approx(expected, rel=1e-9)
    assert scalars["loss"].item() == pytest.approx(plain + 2 * expected, rel=1e-9)


def test_mode_seeking_pairs_images_of_one_label(monkeypatch):
    gan, seen = toy(mode_seeking=1.0), []
    generate = gan.generate
    monkeypatch.setattr(gan, "generate", lambda batch, z=None: seen.append(batch.labels.tolist()) or generate(batch, z))
    objectives.g_objective(gan, points(6))
    assert seen == [[0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]]


# LOGAN


def test_natural_step_solves_the_damped_fisher_system():
    """(g g^T + beta I) dz = alpha g, one image's Fisher matrix being g g^T."""
    gradient = torch.randn(5, 4)
    for g, step in zip(gradient.numpy(), objectives.natural_step(gradient, 0.9, damping=0.3).numpy(), strict=True):
        np.testing.assert_allclose(step, np.linalg.solve(np.outer(g, g) + 0.3 * np.eye(4), 0.9 * g), rtol=1e-10)


def test_natural_step_is_longest_where_the_squared_gradient_is_the_damping():
    squares = torch.linspace(0.01, 1, 100)
    lengths = objectives.natural_step(squares.sqrt()[:, None] * torch.tensor([[0.6, 0.8]]), alpha=0.9).norm(dim=1)
    assert squares[lengths.argmax()].item() == pytest.approx(objectives.LOGAN_DAMPING, rel=1e-9)
    assert lengths.max().item() == pytest.approx(0.9 / (2 * 0.1**0.5), rel=1e-9)


def test_risen_latents_please_d_more():
    gan, batch = uniform(latent_step=0.01), real_batch(8)
    risen, _ = objectives.risen_latents(restart(gan), batch)
    before, after = (gan.scores(gan.generate(batch, z)).mean() for z in (restart(gan).latent(8), risen))
    assert after > before


def linear_toy(weight, **config):
    """G shows the latent; D's score is its product with `weight`."""
    gan = uniform(latent_dim=2, **config)
    gan.generator = nn.Unflatten(1, (1, 1, 2))
    gan.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(2, 1, bias=False), nn.Flatten(0))
    gan.discriminator[1].weight.data = torch.tensor([weight])
    return gan


def test_risen_latents_of_a_linear_discriminator_have_a_closed_form():
    """dz = alpha w / (0.1 + |w|^2) = 0.9 (0.3, -0.4) / 0.35 for four latents of five, else 0."""
    gan, n = linear_toy([0.3, -0.4], latent_step=0.9), 1000
    risen, transport = objectives.risen_latents(restart(gan), points(n))
    moves = (risen - restart(gan).latent(n)).detach()
    moved = moves.abs().sum(1) > 0
    step = 0.9 * torch.tensor([0.3, -0.4]) / 0.35
    torch.testing.assert_close(moves, moved[:, None] * step, rtol=1e-9, atol=1e-12)
    assert moved.double().mean().item() == pytest.approx(0.8, abs=0.05)  # four standard errors of 1000 draws
    assert transport.item() == pytest.approx(moves.square().sum(1).mean().item(), rel=1e-9)


def test_transport_is_logged_and_costs_a_tenth():
    gan, batch = toy(latent_step=0.9), points()
    scalars = objectives.g_objective(gan, batch)
    risen, _ = objectives.risen_latents(restart(gan), batch)
    transport = (risen - restart(gan).latent(6)).detach().numpy() ** 2
    transport, fooled = transport.sum(1).mean(), gan.g_loss(gan.scores(gan.generate(batch, risen))).item()
    assert scalars["transport"].item() == pytest.approx(transport, rel=1e-9)
    assert scalars["loss"].item() == pytest.approx(fooled + 0.1 * transport, rel=1e-9)


def test_gradient_of_d_flows_through_the_risen_latents():
    gan, batch = toy(latent_step=0.9), points()

    def value():
        return restart(gan).d_turn(batch)["loss"]

    found = gradients(value(), gan.discriminator)
    assert_gradients_agree(found, central_differences(value, gan.discriminator))
    risen, _ = objectives.risen_latents(restart(gan), batch)
    constant = gan.d_loss(gan.scores(batch.images), gan.scores(gan.generate(batch, risen.detach())))
    assert constant.item() == pytest.approx(value().item(), rel=1e-12)
    assert difference(gradients(constant, gan.discriminator), found) > 0.01


def test_gradient_of_g_flows_through_the_risen_latents():
    gan, batch = toy(latent_step=0.9), points()

    def value():
        return objectives.g_objective(restart(gan), batch)["loss"]

    assert_gradients_agree(gradients(value(), gan.generator), central_differences(value, gan.generator))


def test_without_factors_g_minimises_its_own_turn():
    gan, batch = toy(), points()
    found = objectives.g_objective(restart(gan), batch)
    assert list(found) == ["loss"] and found == restart(gan).g_turn(batch)

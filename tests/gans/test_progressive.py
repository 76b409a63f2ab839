"""Progressive GAN: its layers, how it grows and fades, and its losses, against definitions."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gans import progressive
from gans.architecture.pggan import PGGAN
from gans.contract import make, parameters, real_batch
from gans.progressive import EqualisedConv2d, EqualisedLinear, Growth, pixel_norm


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_pixel_norm_against_numpy():
    features = normal(2, 5, 3, 3)
    x = features.numpy()
    expected = np.stack([[x[n, c] / np.sqrt((x[n] ** 2).mean(0) + 1e-8) for c in range(5)] for n in range(2)])
    np.testing.assert_allclose(pixel_norm(features).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("gain", [1, 2**0.5])
def test_equalised_layers_scale_weights_of_unit_variance_when_used(gain):
    torch.manual_seed(0)
    linear, convolution = EqualisedLinear(300, 200, gain), EqualisedConv2d(40, 50, 3, gain)
    for layer in (linear, convolution):
        # 60,000 and 18,000 weights: the standard deviation of theirs is below 0.006
        assert layer.weight.std().item() == pytest.approx(1, abs=0.02)
    x, images = normal(64, 300, dtype=torch.float32), normal(8, 40, 6, 6, dtype=torch.float32)
    torch.testing.assert_close(linear(x), x @ (linear.weight * gain / 300**0.5).T, rtol=1e-4, atol=1e-5)
    expected = F.conv2d(images, convolution.weight * gain / 360**0.5, padding=1)
    torch.testing.assert_close(convolution(images), expected, rtol=1e-4, atol=1e-5)
    # Where nothing is padded, outputs have variance gain^2.
    assert linear(x).std().item() == pytest.approx(gain, abs=0.03)
    assert convolution(images)[:, :, 1:-1, 1:-1].std().item() == pytest.approx(gain, abs=0.05)


def test_activations_keep_their_scale_through_many_equalised_layers():
    torch.manual_seed(0)
    squares = []
    for seed in range(20):
        x = normal(100, 256, seed=seed, dtype=torch.float32)
        for _ in range(10):
            x = F.leaky_relu(EqualisedLinear(256, 256)(x), 0.2)
        squares.append(x.square().mean().item())
    # E lrelu(sqrt 2 u)^2 = 1 + 0.2^2 a layer. One net's is a third off; twenty's mean is 7 % off.
    assert np.mean(squares) == pytest.approx(1.04**10, rel=0.2)


@pytest.mark.parametrize("multiplier", [1.0, 0.01])
def test_adam_moves_equalised_weights_in_proportion_to_their_scale(multiplier):
    torch.manual_seed(0)
    layer = EqualisedLinear(50, 40, gain=1, multiplier=multiplier)
    x = normal(9, 50, dtype=torch.float32)
    before, matrix = layer(x).detach(), torch.eye(50)
    effective = layer(matrix).detach()
    assert before.std().item() == pytest.approx(1, abs=0.1), "the multiplier does not change what the layer gives"
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(x).sum().backward()
    optimizer.step()
    moved = layer(matrix) - effective - layer.bias.detach() * multiplier
    # Adam's first step is lr by the sign of the gradient.
    torch.testing.assert_close(moved.abs(), torch.full((50, 40), 0.1 * multiplier / 50**0.5), rtol=1e-2, atol=1e-6)
    assert layer.bias.abs().max().item() == pytest.approx(0.1, rel=1e-3)


def networks(seed=0):
    torch.manual_seed(seed)
    return progressive.ProgressiveGenerator(20).double(), progressive.ProgressiveDiscriminator(1).double()


def at(net, stage, alpha, inputs):
    holder = net.trunk if hasattr(net, "trunk") else net
    holder.growth = Growth(stage, alpha)
    return net(inputs).detach()


@pytest.mark.parametrize("stage", [1, 2])
def test_g_at_alpha_0_is_the_smaller_net_enlarged_and_at_alpha_1_the_larger(stage):
    g, latent = networks()[0], normal(4, 20)
    smaller, faint, half, full = (
        at(g, *growth, latent) for growth in ((stage - 1, 1), (stage, 0), (stage, 0.5), (stage, 1))
    )
    # The smaller net's image is enlarged already.
    torch.testing.assert_close(faint, smaller, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(half, (smaller + full) / 2, rtol=1e-12, atol=1e-12)
    x = g.project(pixel_norm(latent)).view(4, 7, 7, 128).permute(0, 3, 1, 2)
    x = g.blocks[0](pixel_norm(F.leaky_relu(x, 0.2)))
    for i in range(1, stage + 1):
        x = g.blocks[i](x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    side, image = 28 // (7 * 2**stage), g.to_image[stage](x).tanh()
    expected = image.repeat_interleave(side, 2).repeat_interleave(side, 3)
    torch.testing.assert_close(full, expected.detach(), rtol=1e-12, atol=1e-12)
    assert (full - faint).abs().max() > 0.1


@pytest.mark.parametrize("stage", [1, 2])
def test_d_at_alpha_0_is_the_smaller_net_and_at_alpha_1_the_larger(stage):
    d, images = networks()[1], real_batch(8).images.double()
    smaller, faint, full = (at(d, *growth, images) for growth in ((stage - 1, 1), (stage, 0), (stage, 1)))
    torch.testing.assert_close(faint, smaller, rtol=1e-9, atol=1e-12)
    assert (full - faint).abs().max() > 1e-3
    trunk, side = d.trunk, 7 * 2**stage
    x = images.view(8, 1, side, 28 // side, side, 28 // side).mean((3, 5))
    x = F.leaky_relu(trunk.from_image[stage](x), 0.2)
    for i in range(stage, 0, -1):
        x = trunk.blocks[i](x)
    groups = x.reshape(4, 2, -1).var(0, correction=0).add(1e-8).sqrt().mean(1)
    channel = groups.repeat(4)[:, None, None, None].expand(8, 1, 7, 7)
    features = F.leaky_relu(trunk.last(torch.cat([x, channel], 1)), 0.2).permute(0, 2, 3, 1).flatten(1)
    torch.testing.assert_close(full, d.head(features).squeeze(1).detach(), rtol=1e-9, atol=1e-12)


def test_d_fades_between_the_features_of_both_sides():
    d, images = networks()[1], real_batch(8).images.double()
    d.trunk.statistic, d.trunk.last, d.head = None, nn.Identity(), nn.Identity()
    d.trunk.blocks[1] = nn.AvgPool2d(2)
    d.trunk.from_image[0] = nn.Identity()
    d.trunk.from_image[1] = nn.Conv2d(1, 1, 1).double()
    with torch.no_grad():
        d.trunk.from_image[1].weight.fill_(2)
        d.trunk.from_image[1].bias.fill_(5)
    d.trunk.growth = Growth(1, 0.25)
    pooled = images.view(8, 7, 4, 7, 4).mean((2, 4))
    # Both activations keep the sign here: LeakyReLU slope 0.2 at the lower side, none at the upper one.
    upper = (2 * F.avg_pool2d(images, 2) + 5).view(8, 7, 2, 7, 2).mean((2, 4))
    lower = torch.where(pooled > 0, pooled, 0.2 * pooled)
    found = d.trunk(images).view(8, 7, 7)
    blend = 0.75 * lower + 0.25 * upper
    torch.testing.assert_close(found, torch.where(blend > 0, blend, 0.2 * blend), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "growth", [Growth(0, 1), Growth(1, 0), Growth(1, 0.3), Growth(1, 1), Growth(2, 0.6), Growth(2, 1)]
)
def test_reals_are_averaged_and_faded_as_fakes_are(growth):
    images = normal(2, 1, 28, 28)

    def squares(x, side):
        """The mean of each square of `side` pixels in its place, by loops."""
        out = np.empty_like(x)
        for row in range(0, 28, side):
            for column in range(0, 28, side):
                place = (..., slice(row, row + side), slice(column, column + side))
                out[place] = x[place].mean((-2, -1), keepdims=True)
        return out

    side = (4, 2, 1)[growth.stage]
    expected = squares(images.numpy(), side)
    if growth.alpha < 1:
        expected = growth.alpha * expected + (1 - growth.alpha) * squares(images.numpy(), 2 * side)
    np.testing.assert_allclose(progressive.faded(images, growth).numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("progress", "stage", "alpha"),
    [
        *((0, 0, 1), (0.12, 0, 1), (0.125, 1, 0), (0.1875, 1, 0.5), (0.25, 1, 1), (0.37, 1, 1)),
        *((0.375, 2, 0), (0.40625, 2, 0.25), (0.5, 2, 1), (0.8, 2, 1), (1, 2, 1)),
    ],
)
def test_progress_drives_the_growth(progress, stage, alpha):
    """Four phases of an eighth each."""
    gan = make(PGGAN)
    gan.progress = progress
    assert gan.growth == Growth(stage, alpha)
    images = gan.generate(real_batch(3))
    assert images.shape == (3, 1, 28, 28)
    side = (4, 2, 1)[stage] * (2 if alpha == 0 else 1)
    squares = [images[:, :, ::n, ::n].repeat_interleave(n, 2).repeat_interleave(n, 3) for n in (side, 2 * side)]
    assert torch.equal(images, squares[0]), "each pixel of the smaller image is a square"
    assert not torch.equal(images, squares[1]), "and no larger one"


@pytest.mark.parametrize("progress", [0.05, 0.2, 1.0])
def test_pggan_s_loss_by_its_definition(progress):
    gan, batch = make(PGGAN, drift=0.5), real_batch(8)
    gan.progress = progress
    state = gan.rng.get_state()
    (d, _) = gan.turns()
    found = d.loss(batch)["loss"].item()
    gan.rng.set_state(state)
    fake, real = gan.generate(batch).detach(), progressive.faded(batch.images, gan.growth)
    e = torch.rand(8, 1, 1, 1, generator=gan.rng)
    between = (e * real + (1 - e) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(gan.discriminator(between).sum(), between)
    norms = gradient.flatten(1).norm(dim=1)
    r, f = gan.discriminator(real), gan.discriminator(fake)
    expected = f.mean() - r.mean() + 10 * ((norms - 1) ** 2).mean() + 0.5 * (r**2).mean()
    assert found == pytest.approx(expected.item(), rel=1e-4)


def test_layers_at_rest_stay_and_a_new_phase_begins_with_a_fresh_adam():
    gan = make(PGGAN)
    before, turns = parameters(gan), gan.turns()
    for _ in range(3):
        for turn in turns:
            turn.take(real_batch())
    idle = [k for k, p in parameters(gan).items() if torch.equal(p, before[k])]
    assert idle
    parts = ("blocks.1", "blocks.2", "to_image.1", "to_image.2", "from_image.1", "from_image.2")
    assert all(any(part in key for part in parts) for key in idle)
    # Untouched layers are all of those of later stages: 2 blocks of 2 convolutions and 2 others in each net.
    assert len(idle) == 2 * 2 * (2 * 2 + 2)
    steps = [turn.optimizer.state[turn.parameters[0]]["step"].item() for turn in turns]
    gan.progress = 0.13
    turns[0].take(real_batch())
    assert steps == [3, 3]
    assert [t.optimizer.state[t.parameters[0]]["step"].item() for t in turns] == [1, 3]
    turns[0].take(real_batch())
    turns[1].take(real_batch())
    assert [t.optimizer.state[t.parameters[0]]["step"].item() for t in turns] == [2, 1]

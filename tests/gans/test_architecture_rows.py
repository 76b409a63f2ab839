"""SAGAN, progressive GAN and StyleGAN: layers against loops, losses against definitions, growing step by step."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import gans
from gans.attention import SelfAttention
from gans.contract import make, real_batch
from gans.networks import parameter_count
from gans.progressive import EqualisedLinear
from gans.style import Mapping, Styled, Synthesis, adain, mixed, path_lengths


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def algorithm(name, **config):
    cls = gans.get(name)
    return make(cls, **config)


@pytest.mark.parametrize(
    "name", [n for n in gans.names() if gans.get(n).info.family in ("architecture", "information")]
)
def test_parameter_counts_are_those_that_the_docstring_states(name):
    gan = algorithm(name)
    (nets,) = [text for text in gan.info.deviations if text.startswith("nets: ")]
    rest = parameter_count(gan) - parameter_count(gan.generator)
    assert f"{rest:,} parameters" in nets
    if parameter_count(gan.generator) != 810_657:
        assert f"{parameter_count(gan.generator):,} parameters" in nets


# Self-attention


def attention(channels=16):
    torch.manual_seed(0)
    return SelfAttention(channels).double()


def test_attention_with_gamma_0_is_the_identity():
    features = normal(3, 16, 5, 4)
    assert torch.equal(attention()(features), features)


def naive_attention(layer, features):
    """o_j = v(sum_i b_ji h(x_i)), b_ji = exp(f(x_i).g(x_j)) / sum_i exp(f(x_i).g(x_j)), position by position."""

    def one(convolution, x):
        return convolution.weight.detach().numpy()[:, :, 0, 0] @ x + convolution.bias.detach().numpy()

    out = features.clone().numpy()
    for n, image in enumerate(features.numpy()):
        places = [(row, column) for row in range(image.shape[1]) for column in range(image.shape[2])]
        for j in places:
            closeness = [np.exp(one(layer.f, image[:, *i]) @ one(layer.g, image[:, *j])) for i in places]
            seen = sum(b * one(layer.h, image[:, *i]) for b, i in zip(closeness, places, strict=True))
            out[n][:, *j] += layer.gamma.item() * one(layer.v, seen / sum(closeness))
    return torch.from_numpy(out)


def test_attention_against_loops():
    layer, features = attention(), normal(2, 16, 3, 4)
    with torch.no_grad():
        layer.gamma.fill_(0.7)
        for bias in (layer.f.bias, layer.g.bias, layer.h.bias, layer.v.bias):
            bias.copy_(normal(len(bias), seed=len(bias)))
    torch.testing.assert_close(layer(features), naive_attention(layer, features), rtol=1e-10, atol=1e-12)
    assert [tuple(c.weight.shape[:2]) for c in (layer.f, layer.g, layer.h, layer.v)] == [(2, 16)] * 2 + [
        (8, 16),
        (16, 8),
    ]


def test_sagan_attends_at_14x14_behind_an_activation_in_both_nets():
    gan, seen = algorithm("sagan"), []
    for module in gan.modules():
        if isinstance(module, SelfAttention):
            module.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0].detach().clone()))
    gan.scores(gan.generate(real_batch(4)))
    assert [tuple(features.shape) for features in seen] == [(4, 64, 14, 14)] * 2
    assert seen[0].min() == 0, "behind G's ReLU"
    assert -0.3 * seen[1].max() < seen[1].min() < 0, "behind D's LeakyReLU, whose slope is 0.3"


def test_every_weight_of_sagan_has_spectral_norm_1():
    gan = algorithm("sagan")
    for _ in range(50):
        gan.scores(gan.generate(real_batch(4)))
    layers = [m for m in gan.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    assert len(layers) == (1 + 2 + 1 + 4) + (2 + 4 + 1)
    for layer in layers:
        weight = layer.weight.detach()
        matrix = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
        # The power iteration stops short of the largest singular value by less than a hundredth.
        assert torch.linalg.matrix_norm(matrix.flatten(1), 2).item() == pytest.approx(1, abs=0.03)


def test_sagan_s_g_has_no_hinge_and_its_d_learns_faster():
    gan = algorithm("sagan")
    assert gan.g_loss(torch.tensor([3.0, -1.0])).item() == -1
    assert gan.d_loss(torch.tensor([0.5, 2.0]), torch.tensor([-3.0, 0.0])).item() == pytest.approx(0.25 + 0.5)
    settings = {turn.name: turn.optimizer.param_groups[0] for turn in gan.turns()}
    assert (settings["d"]["lr"], settings["g"]["lr"], settings["d"]["betas"]) == (4e-4, 1e-4, (0, 0.9))


# StyleGAN


def test_adain_sets_mean_and_standard_deviation_of_each_channel():
    features, scale, shift = 3 + 2 * normal(2, 5, 6, 7), normal(2, 5, seed=1), normal(2, 5, seed=2)
    styled = adain(features, scale, shift)
    torch.testing.assert_close(styled.mean((2, 3)), shift, rtol=1e-9, atol=1e-9)
    # epsilon is 1e-8 of a variance of 4
    torch.testing.assert_close(styled.std((2, 3), correction=0), scale.abs(), rtol=1e-7, atol=0)
    x = features.numpy()
    expected = (x - x.mean((2, 3), keepdims=True)) / x.std((2, 3), keepdims=True)
    expected = scale.numpy()[:, :, None, None] * expected + shift.numpy()[:, :, None, None]
    np.testing.assert_allclose(styled.numpy(), expected, rtol=1e-6, atol=1e-7)


def test_styled_adds_noise_by_its_strength_before_the_activation():
    torch.manual_seed(0)
    layer = Styled(3).double()
    features, style, noise = normal(2, 3, 4, 4), normal(2, 128, seed=1), normal(2, 1, 4, 4, seed=2)
    with torch.no_grad():
        layer.strength.copy_(torch.tensor([0.0, 1.0, -2.0])[:, None, None])
    a, b = (layer.affine(style)[:, part] for part in (slice(0, 3), slice(3, 6)))
    x = features.clone()
    x[:, 1] += noise[:, 0]
    x[:, 2] -= 2 * noise[:, 0]
    torch.testing.assert_close(layer(features, style, noise), adain(torch.where(x > 0, x, 0.2 * x), 1 + a, b))


def test_synthesis_layer_by_layer_with_a_style_and_noise_for_each():
    torch.manual_seed(0)
    net = Synthesis().double()
    with torch.no_grad():
        for layer in net.styled:
            layer.strength.fill_(0.3)
    styles = torch.randn(2, 4, 128).double()
    noise = [torch.randn(2, 1, side, side).double() for side in (7, 7, 14, 28)]
    features = net.styled[0](net.constant.expand(2, -1, -1, -1), styles[:, 0], noise[0])
    features = net.styled[1](net.convolutions[0](features), styles[:, 1], noise[1])
    for i, side in ((2, 14), (3, 28)):
        features = F.interpolate(features, size=(side, side), mode="bilinear", align_corners=False)
        features = net.styled[i](net.convolutions[i - 1](features), styles[:, i], noise[i])
    torch.testing.assert_close(net(styles, noise), net.to_image(features).tanh())


def test_mixing_takes_the_second_style_from_the_cut_on():
    first, second = normal(3, 6), normal(3, 6, seed=1)
    found = mixed(first, second, torch.tensor([1, 3, 4]))
    for i, cut in enumerate((1, 3, 4)):
        for layer in range(4):
            assert torch.equal(found[i, layer], (first if layer < cut else second)[i])


def test_styles_are_mixed_in_training_only():
    gan = algorithm("stylegan")
    latent = gan.latent(400)
    own = gan.generator.mapping(latent)
    styles = gan.styles(latent)
    assert torch.equal(styles[:, 0], own), "the first layer's is the latent's own"
    kept = (styles == own[:, None]).all(2)
    # 400 draws: the standard deviation of the share is 0.015, of each cut's share 0.024
    assert kept.all(1).float().mean().item() == pytest.approx(0.1, abs=0.05)
    cuts = kept.sum(1)
    for cut in (1, 2, 3):
        assert (cuts == cut).float().mean().item() == pytest.approx(0.3, abs=0.08)
    assert torch.equal(gan.eval().styles(latent), own[:, None].expand(-1, 4, -1))


def test_noise_is_fresh_in_evaluation_follows_the_seed_and_differs_between_images():
    gan = algorithm("stylegan").eval()
    with torch.no_grad():
        for layer in gan.generator.synthesis.styled:
            layer.strength.fill_(0.5)
    batch, latent = real_batch(4), gan.latent(1).repeat(4, 1)

    def images(seed):
        gan.rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            return gan.generate(batch, latent)

    once = images(1)
    assert torch.equal(once, images(1))
    assert not torch.equal(once, images(2))
    assert not torch.equal(once[0], once[1]), "equal latents, other noise"
    # Without noise the latent alone decides.
    with torch.no_grad():
        for layer in gan.generator.synthesis.styled:
            layer.strength.zero_()
    torch.testing.assert_close(images(1), images(2))


def test_the_mapping_has_no_scale_and_is_not_linear():
    torch.manual_seed(0)
    mapping, latent = Mapping(10).double(), normal(5, 10)
    torch.testing.assert_close(mapping(3 * latent), mapping(latent), rtol=1e-6, atol=1e-8)
    # Biases are 0 at first, so a linear mapping would be odd.
    assert (mapping(-latent) + mapping(latent)).abs().mean() > 0.1
    assert len([m for m in mapping.modules() if isinstance(m, nn.LeakyReLU)]) == 8
    assert all(m.multiplier == 0.01 for m in mapping.modules() if isinstance(m, EqualisedLinear))


def test_stylegan_s_d_has_half_of_gamma():
    gan, batch = algorithm("stylegan"), real_batch(4)
    state = gan.rng.get_state()
    found = gan.d_turn(batch)["loss"].item()
    gan.rng.set_state(state)
    fake, real = gan.generate(batch).detach(), batch.images.clone().requires_grad_()
    r, f = gan.discriminator(real), gan.discriminator(fake)
    (gradient,) = torch.autograd.grad(r.sum(), real)
    expected = F.softplus(-r).mean() + F.softplus(f).mean() + 5 * (gradient**2).flatten(1).sum(1).mean()
    assert found == pytest.approx(expected.item(), rel=1e-4)


def test_path_lengths_against_the_whole_jacobian():
    weight, styles = normal(9, 8, seed=1), normal(2, 2, 4, seed=2).requires_grad_()

    def draw(w):
        return (w.flatten(1) @ weight.T).sin().view(-1, 1, 3, 3)

    lengths = path_lengths(draw(styles), styles, torch.Generator().manual_seed(5))
    y = normal(2, 1, 3, 3, seed=5) / 3
    for i in range(2):
        jacobian = torch.autograd.functional.jacobian(draw, styles[i : i + 1].detach()).view(9, 2, 4)
        product = torch.einsum("p,plw->lw", y[i].flatten(), jacobian)
        assert lengths[i].item() == pytest.approx((product.square().sum(1).mean()).sqrt().item(), rel=1e-9)


def test_path_length_enters_g_s_loss_by_its_weight_with_a_running_mean():
    gan = algorithm("stylegan", path_length=2.0)
    state, reference = gan.rng.get_state(), copy.deepcopy(gan)
    scalars = gan.g_turn(real_batch(4))
    reference.rng = torch.Generator()
    reference.rng.set_state(state)
    adversarial = F.softplus(-reference.discriminator(reference.generate(real_batch(4)))).mean()
    styles = reference.styles(reference.latent(4))
    lengths = path_lengths(reference.synthesise(styles), styles, reference.rng)
    mean = 0.01 * lengths.mean()
    assert gan.mean_length.item() == pytest.approx(mean.item(), rel=1e-4)
    expected = adversarial + 2 * ((lengths - mean) ** 2).mean()
    assert scalars["loss"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert "path_length" not in algorithm("stylegan").g_turn(real_batch(4))

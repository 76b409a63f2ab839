"""The uniform field has exactly the tutorial's shapes and Keras's constants."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gans.networks import Discriminator, Dropout, Generator, ImageConvolution, Trunk, UpConvolution, parameter_count


def shapes_of(module, inputs):
    """Output shapes of every leaf layer in order."""
    seen = []
    for layer in module.modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda m, _i, o: seen.append((type(m).__name__, tuple(o.shape[1:]))))
    module(inputs)
    return seen


def test_generator_layers():
    seen = shapes_of(Generator(100), torch.randn(2, 100))
    assert seen == [
        ("Linear", (6272,)), ("BatchNorm1d", (6272,)), ("ReLU", (6272,)),
        ("UpConvolution", (64, 14, 14)), ("BatchNorm2d", (64, 14, 14)), ("ReLU", (64, 14, 14)),
        ("UpConvolution", (32, 28, 28)), ("BatchNorm2d", (32, 28, 28)), ("ReLU", (32, 28, 28)),
        ("Identity", (32, 28, 28)), ("ImageConvolution", (1, 28, 28)), ("Tanh", (1, 28, 28)),
    ]  # fmt: skip


def test_parameter_counts_by_hand():
    dense = 100 * 6272 + 6272 + 2 * 6272
    up = (128 * 64 * 16 + 64 + 2 * 64) + (64 * 32 * 16 + 32 + 2 * 32) + (32 * 16 + 1)
    assert parameter_count(Generator(100)) == dense + up
    trunk = (16 * 64 + 64) + (64 * 128 * 16 + 128)
    assert parameter_count(Discriminator(Trunk(bn=False, dropout=0.3))) == trunk + 6272 + 1
    assert parameter_count(Discriminator(Trunk(bn=True, dropout=0.3))) == trunk + 2 * (64 + 128) + 6272 + 1


@pytest.mark.parametrize(("bn", "expected"), [
    (True, ["Conv2d", "BatchNorm2d", "Dropout", "LeakyReLU"] * 2),
    (False, ["Conv2d", "Dropout", "LeakyReLU"] * 2),
])  # fmt: skip
def test_trunk_layers(bn, expected):
    seen = shapes_of(Trunk(bn=bn, dropout=0.3), torch.randn(2, 1, 28, 28))
    assert [name for name, _ in seen] == expected
    assert seen[0][1] == (64, 14, 14)
    assert seen[-1][1] == (128, 7, 7)


def test_keras_constants():
    modules = [*Generator(100).modules(), *Trunk(bn=True, dropout=0.3).modules()]
    norms = [m for m in modules if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert {(m.eps, m.momentum) for m in norms} == {(1e-3, 0.01)}
    assert {m.negative_slope for m in modules if isinstance(m, nn.LeakyReLU)} == {0.3}
    assert {m.p for m in modules if isinstance(m, Dropout)} == {0.3}


def test_initial_weights_are_glorot_uniform_with_zero_biases():
    """Keras's limit is sqrt(6 / (fan_in + fan_out)), fans counted over the kernel's area."""
    limits = {"project.0": (6 / (100 + 6272)) ** 0.5, "upsample.0": (6 / (16 * (128 + 64))) ** 0.5,
              "upsample.3": (6 / (16 * (64 + 32))) ** 0.5, "upsample.7": (6 / (16 * (32 + 1))) ** 0.5}  # fmt: skip
    for name, layer in Generator(100).named_modules():
        if name in limits:
            assert 0.9 * limits[name] < layer.weight.abs().max().item() <= limits[name]
            # the standard deviation of U(-l, l) is l / sqrt(3)
            assert layer.weight.std().item() == pytest.approx(limits[name] / 3**0.5, rel=0.1)
            assert not layer.bias.any()


def test_last_convolution_pads_like_keras_same():
    """One more row below and one more column on the right: an impulse image shows the kernel's place."""
    generator = Generator(100)
    features = torch.zeros(1, 32, 28, 28)
    features[0, 0, 0, 0] = 1.0
    conv = generator.upsample[7]
    with torch.no_grad():
        found = conv(features)[0, 0] - conv.bias
    # y[i, j] = sum_k x[i - 1 + k] w[k]: the impulse at 0 meets output 0 with w[1] and output 1 with w[0].
    torch.testing.assert_close(found[:2, :2], conv.weight[0, 0, :2, :2].flip(0, 1).detach())
    assert not found[2:].any()


def check_same_function(layer, plain):
    """`layer` is `plain`, torch's own way, in value and in first and second derivatives."""
    torch.manual_seed(0)
    layer = layer.double()
    nn.init.normal_(layer.bias)
    features = torch.randn(2, 5, 6, 7, dtype=torch.float64).to(memory_format=torch.channels_last).requires_grad_()
    given = [features, layer.weight, layer.bias]

    def derived(images):
        first = torch.autograd.grad((images**2).sum(), given, create_graph=True)
        second = torch.autograd.grad(first[0].square().sum(), given)
        return [images, *first, *second]

    expected = derived(plain(features, layer.weight, layer.bias))
    # float64: the sums differ in their order alone
    torch.testing.assert_close(derived(layer(features)), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 3])
def test_last_convolution_is_a_padded_convolution(channels):
    check_same_function(ImageConvolution(5, channels), lambda x, w, b: F.conv2d(F.pad(x, (1, 2, 1, 2)), w, b))


@pytest.mark.parametrize("channels", [1, 3])
def test_image_convolution_takes_the_same_sums_under_autocast(channels):
    """Of integers so small that bf16 holds every sum."""
    layer = ImageConvolution(5, channels)
    with torch.no_grad():
        for values in layer.parameters():
            values.copy_(torch.randint(-1, 2, values.shape))
    features = torch.randint(-1, 2, (2, 5, 7, 6)).float()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        images = layer(features)
    assert images.dtype == torch.float32
    assert torch.equal(images, F.conv2d(F.pad(features, (1, 2, 1, 2)), layer.weight, layer.bias))


@pytest.mark.parametrize(("kernel", "more"), [(4, 0), (3, 1)])
def test_up_convolution_is_a_transposed_convolution(kernel, more):
    layer = UpConvolution(5, 3, kernel)
    check_same_function(layer, lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, more))
    assert layer(torch.zeros(2, 5, 6, 7, dtype=torch.float64)).shape == (2, 3, 12, 14)


def test_features_are_in_keras_order():
    """Flattening takes [H, W, C] order: the first 128 features are the channels of the first pixel."""
    trunk = Trunk(bn=False, dropout=0.0)
    images = torch.randn(2, 1, 28, 28)
    maps = trunk.layers(images)
    torch.testing.assert_close(trunk(images)[:, :128], maps[:, :, 0, 0])


def test_one_output_is_squeezed_and_more_are_not():
    images = torch.randn(3, 1, 28, 28)
    assert Discriminator(Trunk(bn=False, dropout=0.0))(images).shape == (3,)
    assert Discriminator(Trunk(bn=False, dropout=0.0), outputs=11)(images).shape == (3, 11)


@pytest.mark.parametrize("bn", [True, False])
def test_dropout_before_the_activation_gives_what_the_tutorial_s_gives_behind_it(bn):
    trunk = Trunk(bn=bn, dropout=0.3).double()
    layers = [layer for layer in trunk.layers if not isinstance(layer, Dropout)]
    behind = [[layer, Dropout(0.3)] if isinstance(layer, nn.LeakyReLU) else [layer] for layer in layers]
    tutorial = nn.Sequential(*itertools.chain(*behind))
    images, found = torch.rand(8, 1, 28, 28, dtype=torch.float64, requires_grad=True), []
    for layers in (trunk.layers, tutorial):
        torch.manual_seed(5)
        features = layers(images)
        (slopes,) = torch.autograd.grad(features.square().sum(), images, create_graph=True)
        found.append([features, slopes, *torch.autograd.grad(slopes.square().sum(), list(trunk.parameters()))])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


class TestDropout:
    def test_share_and_scale(self):
        torch.manual_seed(0)
        ones = torch.ones(64, 64, 14, 14).to(memory_format=torch.channels_last)
        dropped = Dropout(0.3)(ones)
        # 802,816 draws: the share's standard deviation is 0.0005
        assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.0025)
        assert dropped.max().item() == pytest.approx(1 / 0.7, rel=1e-4)
        assert dropped.mean().item() == pytest.approx(1, abs=0.005)

    def test_elements_are_independent(self):
        torch.manual_seed(0)
        kept = (Dropout(0.5)(torch.ones(2**18)) > 0).float() - 0.5
        for lag in (1, 2, 3, 4, 64):
            assert abs((kept[lag:] * kept[:-lag]).mean().item()) < 0.25 * 5 / 2**9  # five standard deviations

    def test_identity_in_eval_mode(self):
        features = torch.randn(3, 5)
        assert Dropout(0.3).eval()(features) is features

    def test_gradient_passes_where_kept(self):
        torch.manual_seed(0)
        features = torch.ones(1000, requires_grad=True)
        dropped = Dropout(0.3)(features)
        dropped.sum().backward()
        torch.testing.assert_close(features.grad, dropped.detach())

    def test_follows_torch_seed(self):
        layer, ones = Dropout(0.3), torch.ones(100)
        torch.manual_seed(1)
        first = layer(ones)
        assert not torch.equal(layer(ones), first)
        torch.manual_seed(1)
        assert torch.equal(layer(ones), first)

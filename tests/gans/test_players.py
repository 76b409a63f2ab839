"""What holds for the players of every algorithm: their gradients, initial weights, rates, and what D is shown."""

import copy
from contextlib import contextmanager

import pytest
import torch
from oracles import make_gan
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm

import gans
from gans.contract import real_batch
from gans.progressive import EqualisedConv2d, EqualisedLinear

OPTIONAL_TERMS = [
    ("acgan", {"class_of_fakes": True}),
    ("cyclegan", {"lambda_identity": 5.0}),
    ("nsgan", {"mode_seeking": 1.0}),
    ("stylegan", {"path_length": 2.0}),
]
LAYERS = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
EQUALISED = EqualisedLinear | EqualisedConv2d


@contextmanager
def double():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def away_from_the_start(gan):
    """Zero biases and gains, and what they multiply, would not show; spectral norm's u and v stay where they are."""
    with torch.no_grad():
        for parameter in gan.parameters():
            parameter.add_(0.01 * torch.randn(parameter.shape, generator=gan.rng))
    for module in gan.modules():
        if isinstance(module, _SpectralNorm):
            module.eval()


def repeatable(gan, turn, batch):
    """The turn's loss as a function of the parameters alone."""
    state, buffers = gan.rng.get_state(), copy.deepcopy(dict(gan.named_buffers()))

    def loss():
        with torch.no_grad():
            for name, buffer in gan.named_buffers():
                buffer.copy_(buffers[name])
        gan.rng.set_state(state)
        torch.manual_seed(0)
        return turn.loss(batch)["loss"]

    return loss


@pytest.mark.parametrize(("name", "config"), [*((name, {}) for name in gans.names()), *OPTIONAL_TERMS], ids=str)
def test_no_term_of_a_loss_is_a_constant_to_its_own_player(name, config):
    """Autograd's slope of each turn's loss along a random direction is that of the loss's values there."""
    with double():
        gan = make_gan(name, **config).double()
        gan.progress = 0.3
        away_from_the_start(gan)
        rng = torch.Generator().manual_seed(1)
        for turn in gan.turns():
            own = [parameter for parameter in turn.parameters if parameter.requires_grad]
            direction = [torch.randn(parameter.shape, generator=rng) for parameter in own]
            length = sum(part.square().sum() for part in direction).sqrt()
            loss = repeatable(gan, turn, real_batch(8, gan.field))
            gradients = torch.autograd.grad(loss(), own, allow_unused=True)
            slopes = [(g * part).sum() for g, part in zip(gradients, direction, strict=True) if g is not None]
            step, ends = 1e-7, []  # at 1e-6 a leaky ReLU of acgan is on its other side
            for there in (step, -2 * step):
                with torch.no_grad():
                    for parameter, part in zip(own, direction, strict=True):
                        parameter.add_(there / length * part)
                ends.append(loss().item())
            expected = (ends[0] - ends[1]) / (2 * step)
            # the running mean of path lengths is meant to be a constant
            tolerance = 0.05 if "path_length" in config else 1e-4
            assert (sum(slopes) / length).item() == pytest.approx(expected, rel=tolerance, abs=1e-8), turn.name


@pytest.mark.parametrize("name", sorted(set(gans.names()) - {"dcgan_paper"}))
def test_every_layer_starts_with_glorot_uniform_weights_and_no_bias(name):
    for place, layer in make_gan(name).named_modules():
        if not isinstance(layer, LAYERS) or isinstance(layer, EQUALISED):
            continue
        weight = layer.parametrizations.weight.original if parametrize.is_parametrized(layer) else layer.weight
        out, into, *area = weight.shape
        limit = (6 / ((out + into) * torch.Size(area).numel())) ** 0.5
        if name == "cgan" and place.endswith("label_image.0"):
            limit = 0.05  # the tutorial's embedding
        assert layer.bias is None or not layer.bias.any(), place
        assert weight.abs().max() <= limit * (1 + 1e-6), place
        # of u uniform in [-l, l] the mean square is l^2 / 3, with a variance of 4 l^4 / 45 a weight
        error = limit**2 * (4 / 45 / weight.numel()) ** 0.5
        assert weight.square().mean().item() == pytest.approx(limit**2 / 3, abs=5 * error), place


@pytest.mark.parametrize("name", gans.names())
def test_each_player_moves_at_its_own_rate_and_as_often_as_its_kind(name):
    cls = gans.get(name)
    n_d = 1 if cls.skip(cls.Config(n_d=3)) else 3
    rates = {"d": 0.2, "d2": 0.2, "g": 0.1, "e": 0.1}
    settings = {"lr_g": 0.1, "lr_d": 0.2}
    if "lr_e" in cls.Config.__dataclass_fields__:
        settings["lr_e"] = rates["e"] = 0.3
    for turn in make_gan(name, n_d=n_d, **settings).turns():
        assert {group["lr"] for group in turn.optimizer.param_groups} == {rates[turn.name]}, turn.name
        assert turn.every == (1 if turn.name in ("d", "d2") else n_d), turn.name
        if isinstance(turn.optimizer, torch.optim.RMSprop):
            (group,) = turn.optimizer.param_groups
            assert (group["momentum"], group["alpha"], group["centered"]) == (0, 0.99, False)


@pytest.mark.parametrize("name", sorted(set(gans.names()) - {"dcgan_tutorial"}))
def test_d_judges_in_train_mode_and_never_reals_and_fakes_in_one_batch(name):
    gan = make_gan(name)
    passes = []
    for player in (getattr(gan, "discriminator", None), getattr(gan, "discriminator2", None)):
        if player is not None:
            player.register_forward_hook(lambda d, inputs, _scores: passes.append((d.training, len(inputs[0]))))
    for turn in gan.turns():
        turn.take(real_batch(8, gan.field))
    assert all(training and images <= 8 for training, images in passes)

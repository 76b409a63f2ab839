"""The original GAN's two losses, the hinge loss and DCGAN as its paper has it."""

import numpy as np
import pytest
import torch
from oracles import make_gan
from torch import nn
from torch.nn import functional

import gans
from gans.contract import parameters, real_batch

REAL = torch.tensor([1.5, -0.3, 0.2, 4.0], dtype=torch.float64)
FAKE = torch.tensor([-2.0, 0.7, 0.1, 1.0], dtype=torch.float64)
R, F = REAL.numpy(), FAKE.numpy()


def g_slope(name, score):
    fake = torch.full((4,), score, requires_grad=True)
    make_gan(name).g_loss(fake).backward()
    return fake.grad


def sigmoid(scores):
    return 1 / (1 + np.exp(-scores))


@pytest.mark.parametrize("name", ["mmgan", "nsgan"])
def test_d_loss_is_cross_entropy(name):
    expected = -np.log(sigmoid(R)).mean() - np.log(1 - sigmoid(F)).mean()
    assert make_gan(name).d_loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)


def test_g_losses_by_hand():
    assert make_gan("nsgan").g_loss(FAKE).item() == pytest.approx(-np.log(sigmoid(F)).mean(), rel=1e-12)
    assert make_gan("mmgan").g_loss(FAKE).item() == pytest.approx(np.log(1 - sigmoid(F)).mean(), rel=1e-12)
    assert make_gan("hinge").g_loss(FAKE).item() == pytest.approx(-F.mean(), rel=1e-12)


def test_minimax_is_a_zero_sum_game():
    """What G minimises is D's loss with the opposite sign, up to the reals, which G cannot move."""
    gan = make_gan("mmgan")
    other = FAKE + 1
    change = gan.d_loss(REAL, other) - gan.d_loss(REAL, FAKE)
    assert (gan.g_loss(other) - gan.g_loss(FAKE)).item() == pytest.approx(-change.item(), rel=1e-12)


@pytest.mark.parametrize("name", ["mmgan", "nsgan", "hinge", "dcgan_paper"])
def test_g_wants_higher_scores(name):
    assert (g_slope(name, -1.0) < 0).all()


def test_only_the_minimax_gradient_vanishes_where_d_is_sure():
    """dL_G/df = -sig(f)/N for minimax and -(1 - sig(f))/N for the other, N = 4."""
    assert g_slope("mmgan", -20.0).abs().max().item() < 1e-8
    assert g_slope("nsgan", -20.0).abs().max().item() == pytest.approx(0.25, rel=1e-6)


def test_nsgan_trains_exactly_as_dcgan():
    def trained(name):
        gan = make_gan(name)
        turns = gan.turns()
        for _ in range(2):
            for turn in turns:
                turn.take(real_batch())
        return parameters(gan)

    first, second = trained("nsgan"), trained("dcgan")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


class TestHinge:
    def test_d_loss_by_hand(self):
        expected = np.mean([max(0, 1 - r) for r in R]) + np.mean([max(0, 1 + f) for f in F])
        assert make_gan("hinge").d_loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)

    def test_optimal_d_says_which_is_likelier(self):
        """On two points of 8 + 2 reals and 3 + 7 fakes the loss is least at the scores +1 and -1."""
        gan, grid = make_gan("hinge"), torch.linspace(-2, 2, 9, dtype=torch.float64)
        real, fake = torch.tensor([0] * 8 + [1] * 2), torch.tensor([0] * 3 + [1] * 7)
        losses = {(a.item(), b.item()): gan.d_loss(torch.stack([a, b])[real], torch.stack([a, b])[fake]).item()
                  for a in grid for b in grid}  # fmt: skip
        assert min(losses, key=losses.get) == (1.0, -1.0)

    def test_d_ignores_what_is_beyond_the_margin(self):
        real, fake = torch.tensor([2.0, 0.5], requires_grad=True), torch.tensor([-2.0, -0.5], requires_grad=True)
        make_gan("hinge").d_loss(real, fake).backward()
        assert real.grad.tolist() == [0, -0.5]
        assert fake.grad.tolist() == [0, 0.5]

    def test_g_is_never_content(self):
        """The tutorial's G stops at 1/2."""
        assert g_slope("hinge", 5.0).tolist() == [-0.25] * 4

    def test_column_scores_are_refused(self):
        with pytest.raises(ValueError, match="vectors"):
            make_gan("hinge").d_loss(torch.zeros(4, 1), torch.zeros(4))
        with pytest.raises(ValueError, match="vectors"):
            make_gan("mmgan").g_loss(torch.zeros(4, 1))


class TestDCGANPaper:
    def test_weights_are_normal_with_the_papers_deviation(self):
        """Mean and standard deviation within five standard errors; uniform weights would fail the kurtosis of 3."""
        gan = make_gan("dcgan_paper")
        layers = [m for m in gan.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        assert len(layers) == 7
        for layer in layers:
            weights, n = layer.weight.detach().double().flatten(), layer.weight.numel()
            assert weights.mean().abs().item() < 5 * 0.02 / n**0.5
            assert weights.std().item() == pytest.approx(0.02, rel=5 / (2 * n) ** 0.5)
            assert (weights / 0.02).pow(4).mean().item() == pytest.approx(3, abs=5 * (96 / n) ** 0.5)
            assert layer.bias is None or not layer.bias.any()

    def test_gammas_are_normal_around_one(self):
        norms = [m for m in make_gan("dcgan_paper").modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        assert len(norms) == 4
        for norm in norms:
            gammas, n = norm.weight.detach(), norm.weight.numel()
            assert gammas.mean().item() == pytest.approx(1, abs=5 * 0.02 / n**0.5)
            assert gammas.std().item() == pytest.approx(0.02, rel=5 / (2 * n) ** 0.5)
            assert not norm.bias.any()

    def test_d_is_the_papers(self):
        """Convolution, LeakyReLU 0.2; convolution, batch norm, LeakyReLU 0.2; linear."""
        gan = make_gan("dcgan_paper")
        images = real_batch().images
        first, _, second, norm, _ = gan.discriminator.trunk.layers
        x = functional.leaky_relu(functional.conv2d(images, first.weight, first.bias, 2, 1), 0.2)
        x = functional.conv2d(x, second.weight, second.bias, 2, 1)
        x = functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True, eps=1e-3)
        x = functional.leaky_relu(x, 0.2).permute(0, 2, 3, 1).flatten(1)
        expected = functional.linear(x, gan.discriminator.head.weight, gan.discriminator.head.bias).squeeze(1)
        torch.testing.assert_close(gan.discriminator(images), expected, rtol=1e-4, atol=1e-5)

    def test_g_keeps_the_uniform_shapes(self):
        shapes = {key: value.shape for key, value in make_gan("dcgan_paper").generator.state_dict().items()}
        assert shapes == {key: value.shape for key, value in make_gan("dcgan").generator.state_dict().items()}

    def test_bn_off_removes_every_norm_from_d(self):
        layers = make_gan("dcgan_paper", bn=False).discriminator.trunk.layers
        assert [type(layer) for layer in layers] == [nn.Conv2d, nn.LeakyReLU] * 2

    def test_dropout_stays_a_choice(self):
        names = [type(m).__name__ for m in make_gan("dcgan_paper", dropout=0.3).discriminator.trunk.layers]
        assert names == ["Conv2d", "Dropout", "LeakyReLU", "Conv2d", "BatchNorm2d", "Dropout", "LeakyReLU"]

    def test_batch_is_the_papers(self):
        assert gans.get("dcgan_paper").Config().batch_size == 128

"""Relativistic losses against loops, discrete optima, and the swap of roles; R3GAN's penalties and schedule."""

import numpy as np
import pytest
import torch
from critics import LinearCritic, QuadraticCritic
from oracles import make_gan

import gans
from gans.contract import real_batch
from gans.relativistic import base

REAL = torch.tensor([1.5, -0.3, 0.2, 4.0], dtype=torch.float64)
FAKE = torch.tensor([-2.0, 0.7, 0.1, 1.0], dtype=torch.float64)
LOSSES = [base.paired_logistic, base.average_least_squares, base.average_hinge]
NAMES = ["rsgan", "ralsgan", "rahinge", "r3gan"]


def test_paired_logistic_by_loop():
    terms = [-np.log(1 / (1 + np.exp(-(r - f)))) for r, f in zip(REAL.numpy(), FAKE.numpy(), strict=True)]
    assert base.paired_logistic(REAL, FAKE).item() == pytest.approx(sum(terms) / 4, rel=1e-12)


def test_average_least_squares_by_loop():
    r, f = REAL.numpy(), FAKE.numpy()
    reals = sum((x - f.mean() - 1) ** 2 for x in r) / 4
    fakes = sum((x - r.mean() + 1) ** 2 for x in f) / 4
    assert base.average_least_squares(REAL, FAKE).item() == pytest.approx((reals + fakes) / 2, rel=1e-12)


def test_average_hinge_by_loop():
    r, f = REAL.numpy(), FAKE.numpy()
    reals = sum(max(0.0, 1 - (x - f.mean())) for x in r) / 4
    fakes = sum(max(0.0, 1 + (x - r.mean())) for x in f) / 4
    assert reals > 0
    assert fakes > 0
    assert base.average_hinge(REAL, FAKE).item() == pytest.approx((reals + fakes) / 2, rel=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_both_halves_are_pushed_and_equal_shifts_change_nothing(loss):
    better, worse = FAKE.clone().requires_grad_(), REAL.clone().requires_grad_()
    loss(better, worse).backward()
    assert (better.grad <= 0).all(), "what shall look better is pushed up"
    assert (worse.grad >= 0).all(), "what shall look worse is pushed down"
    assert better.grad.sum() < -0.1
    torch.testing.assert_close(better.grad.sum(), -worse.grad.sum())  # only differences count
    torch.testing.assert_close(loss(REAL + 7, FAKE + 7), loss(REAL, FAKE))


@pytest.mark.parametrize("loss", LOSSES)
def test_columns_and_unequal_lengths_are_refused(loss):
    with pytest.raises(ValueError, match="vectors"):
        loss(torch.zeros(4, 1), torch.zeros(4, 1))
    with pytest.raises(ValueError, match="one length"):
        loss(torch.zeros(4), torch.zeros(3))


# The data are 8 of 10 times at point 0, the fakes 3 of 10 times; a batch of all 100 pairs is their product.
REAL_POINTS, FAKE_POINTS = torch.tensor([0] * 8 + [1] * 2), torch.tensor([0] * 3 + [1] * 7)
PAIRS = torch.cartesian_prod(REAL_POINTS, FAKE_POINTS).T


def optimal_difference(loss):
    """s_0 - s_1 of the table of scores that minimises D's loss on the two points."""
    scores = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-18)

    def closure():
        optimizer.zero_grad()
        value = loss(scores[PAIRS[0]], scores[PAIRS[1]])
        value.backward()
        return value

    optimizer.step(closure)
    return (scores[0] - scores[1]).item()


def test_optimal_paired_discriminator_differs_by_the_log_density_ratio():
    expected = np.log(0.8 / 0.3) - np.log(0.2 / 0.7)
    assert optimal_difference(base.paired_logistic) == pytest.approx(expected, rel=1e-5)


def test_optimal_least_squares_discriminator_solves_the_normal_equations():
    """Rows of sqrt(weight) (s_i - mean of the other kind) = +-1, solved by numpy."""
    p, q = np.array([0.8, 0.2]), np.array([0.3, 0.7])
    rows = np.concatenate([np.sqrt(p)[:, None] * (np.eye(2) - q), np.sqrt(q)[:, None] * (np.eye(2) - p)])
    target = np.concatenate([np.sqrt(p), -np.sqrt(q)])
    solution = np.linalg.lstsq(rows, target, rcond=None)[0]
    assert optimal_difference(base.average_least_squares) == pytest.approx(solution[0] - solution[1], rel=1e-5)


@pytest.mark.parametrize(("name", "loss"), list(zip(NAMES, [*LOSSES, base.paired_logistic], strict=True)))
def test_g_plays_ds_loss_with_the_roles_swapped(name, loss):
    gan, batch = make_gan(name, dropout=0.0), real_batch()
    gan.rng = torch.Generator().manual_seed(0)
    g = gan.g_turn(batch)["loss"]
    gan.rng = torch.Generator().manual_seed(0)
    fake = gan.generate(batch).detach()
    real_scores, fake_scores = gan.discriminator(batch.images), gan.discriminator(fake)
    # 1e-5: single precision over two passes
    assert g.item() == pytest.approx(loss(fake_scores, real_scores).item(), rel=1e-5)
    assert gan.d_loss(real_scores, fake_scores).item() == pytest.approx(loss(real_scores, fake_scores).item(), rel=1e-5)
    assert g.item() != pytest.approx(loss(real_scores, fake_scores).item(), rel=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_batch_norm_is_off_by_default(name):
    assert not gans.get(name).Config().bn


class TestR3GAN:
    @pytest.mark.parametrize(("progress", "gamma"), [(0.0, 0.8), (0.5, 0.44), (1.0, 0.08)])
    def test_penalty_of_a_linear_critic_follows_the_schedule(self, progress, gamma):
        """gamma/2 |w|^2 twice; half a cosine is halfway in the middle."""
        gan = make_gan("r3gan", gamma=0.8, gamma_decay=0.1)
        gan.discriminator, gan.progress = LinearCritic(), progress
        images = real_batch().images
        expected = gamma * gan.discriminator.weight.square().sum().item()
        assert gan.penalty(images, -images).item() == pytest.approx(expected, rel=1e-5)

    def test_a_quarter_of_the_way_is_nearer_to_the_start_than_a_line(self):
        gan = make_gan("r3gan", gamma=1.0, gamma_decay=0.0)
        gan.progress = 0.25
        assert gan.gamma == pytest.approx(np.cos(np.pi / 8) ** 2, rel=1e-12)  # (1 + cos 2a)/2 = cos^2 a

    def test_no_decay_keeps_gamma(self):
        gan = make_gan("r3gan", gamma_decay=1.0)
        gan.progress = 0.7
        assert gan.gamma == gan.config.gamma

    def test_reals_and_fakes_are_both_penalised(self):
        """Zero images are not penalised, images of ones by 784/2."""
        gan = make_gan("r3gan", gamma=1.0)
        gan.discriminator = QuadraticCritic()
        zeros, ones = torch.zeros(4, 1, 28, 28), torch.ones(4, 1, 28, 28)
        assert gan.penalty(ones, zeros).item() == pytest.approx(392, rel=1e-5)
        assert gan.penalty(zeros, ones).item() == pytest.approx(392, rel=1e-5)
        assert gan.penalty(ones, ones).item() == pytest.approx(784, rel=1e-5)

    def test_defaults_of_the_paper_and_skip(self):
        cls = gans.get("r3gan")
        config = cls.Config()
        assert (config.beta1, config.beta2, config.ema, config.dropout) == (0.0, 0.99, 0.999, 0.0)
        assert "batch norm" in cls.skip(cls.Config(bn=True))

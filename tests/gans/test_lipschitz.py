"""Further gradient penalties, and the algorithms that add them, against closed forms of simple critics."""

import pytest
import torch
from torch import nn

import gans
from gans import lipschitz
from gans.contract import make, real_batch

RNG = torch.Generator().manual_seed(0)
DIRECTION = torch.randn(28 * 28, dtype=torch.float64, generator=RNG)
DIRECTION /= DIRECTION.norm()


def linear(norm):
    return lambda images: images.flatten(1) @ (norm * DIRECTION)


def quadratic(images):
    """D(x) = |x|^2 / 2, whose gradient is x."""
    return images.flatten(1).square().sum(1) / 2


def images(n):
    return torch.randn(n, 1, 28, 28, dtype=torch.float64, generator=RNG)


def of_norms(*norms):
    """One image of each norm."""
    return torch.tensor(norms, dtype=torch.float64).view(-1, 1, 1, 1) * DIRECTION.view(1, 1, 28, 28)


@pytest.mark.parametrize("n", [2, 7])
class TestLinearCritic:
    """The slope is the weight's norm everywhere, whatever the batch."""

    @pytest.mark.parametrize(("norm", "expected"), [(3.0, 4.0), (1.5, 0.25), (1.0, 0.0), (0.4, 0.0)])
    def test_one_sided(self, n, norm, expected):
        found = lipschitz.one_sided_penalty(linear(norm), images(n), images(n))
        assert found.item() == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize(("norm", "power", "expected"), [(2.0, 6.0, 64.0), (0.5, 6.0, 1 / 64), (3.0, 1.0, 3.0)])
    def test_power(self, n, norm, power, expected):
        found = lipschitz.gradient_power(linear(norm), images(n), images(n), power)
        assert found.item() == pytest.approx(expected, rel=1e-9)

    @pytest.mark.parametrize(("norm", "expected"), [(3.0, 4.0), (0.4, 0.36)])
    def test_perturbed_is_two_sided(self, n, norm, expected):
        found = lipschitz.perturbed_penalty(linear(norm), images(n), 0.5)
        assert found.item() == pytest.approx(expected, rel=1e-9)


class TestQuadraticCritic:
    """Where reals and fakes coincide, so do interpolates, and the slopes are the images' norms."""

    def test_one_sided_is_of_each_image_and_not_of_the_mean(self):
        x = of_norms(0.2, 0.5, 2.0)
        assert lipschitz.one_sided_penalty(quadratic, x, x).item() == pytest.approx((2.0 - 1) ** 2 / 3, rel=1e-9)

    def test_power(self):
        x = of_norms(0.5, 2.0)
        expected = (0.5**6 + 2.0**6) / 2
        assert lipschitz.gradient_power(quadratic, x, x, 6.0).item() == pytest.approx(expected, rel=1e-9)

    def test_perturbed_without_noise_is_at_the_reals(self):
        x = of_norms(0.5, 3.0)
        expected = (0.5**2 + 2.0**2) / 2
        assert lipschitz.perturbed_penalty(quadratic, x, 0.0).item() == pytest.approx(expected, rel=1e-9)


class TestPerturb:
    N = 2000

    @pytest.fixture
    def offsets(self):
        """In units of noise * std: reals half -1, half 1, whose std is 1 though each image's own is 0."""
        real = torch.ones(self.N, 1, 28, 28)
        real[::2] = -1
        found = lipschitz.perturb(real, 0.5, torch.Generator().manual_seed(0)) - real
        return found.flatten(1) / 0.5

    def test_noise_is_one_sided_and_of_the_whole_batch_s_std(self, offsets):
        assert offsets.min() >= 0
        assert 0.9 < offsets.max() <= 1 + 1e-6
        # E a E U = 1/4; the share's standard deviation 0.29 / 2 over 2,000 images
        assert offsets.mean().item() == pytest.approx(0.25, abs=4 * 0.29 / 2 / self.N**0.5)

    def test_one_share_an_image_and_noise_a_pixel(self, offsets):
        """The largest of 784 U[0, 1] is nearly 1, so an image's largest offset is its share, U[0, 1]; were the share
        drawn for each pixel, it would be above 0.9 in most images."""
        share = offsets.max(1).values
        assert share.mean().item() == pytest.approx(0.5, abs=4 * 0.29 / self.N**0.5 + 0.002)
        # U[0, 1] times the share has the standard deviation share * 0.29; 784 pixels give it to 2 %
        torch.testing.assert_close(offsets.std(1) / share, torch.full((self.N,), 0.289), rtol=0.1, atol=0)

    def test_follows_the_generator_and_leaves_the_reals(self):
        real = images(3)
        before = real.clone()
        first, again, other = (lipschitz.perturb(real, 0.5, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert torch.equal(real, before)


PENALTIES = [
    lambda critic, real, fake: lipschitz.one_sided_penalty(critic, real, fake),
    lambda critic, real, fake: lipschitz.gradient_power(critic, real, fake, 6.0),
    lambda critic, real, fake: lipschitz.perturbed_penalty(critic, real, 0.5),
]


@pytest.mark.parametrize(("penalty", "slope"), list(zip(PENALTIES, [2.0, 6 * 2.0**5, 2.0], strict=True)))
def test_penalty_reaches_the_critic_and_not_the_images(penalty, slope):
    """At |w| = 2: d/dw ([|w| - 1]_+)^2 = 2 (|w| - 1) w/|w| = 2 w/|w|, and d/dw |w|^6 = 6 |w|^5 w/|w|."""
    weight = (2 * DIRECTION).requires_grad_()
    fake = images(4).requires_grad_()
    penalty(lambda i: i.flatten(1) @ weight, images(4), fake).backward()
    torch.testing.assert_close(weight.grad, slope * DIRECTION)
    assert fake.grad is None


class LinearCritic(nn.Module):
    """images -> scores [N], of slope `norm` everywhere."""

    def __init__(self, norm):
        super().__init__()
        self.weight = nn.Parameter(norm * DIRECTION.float())

    def forward(self, images):
        return images.flatten(1) @ self.weight


def with_slope(name, norm, **config):
    gan = make(gans.get(name), **config)
    gan.discriminator = LinearCritic(norm)
    return gan


@pytest.mark.parametrize(
    ("name", "norm", "config", "expected"),
    [
        ("wgan_gp", 3.0, {}, 10 * 4.0),
        ("wgan_gp", 0.5, {"lambda_gp": 2.0}, 2 * 0.25),
        ("wgan_lp", 3.0, {"lambda_gp": 5.0}, 5 * 4.0),
        ("wgan_lp", 0.5, {}, 0.0),
        ("wgan_div", 2.0, {}, 2 * 64.0),
        ("wgan_div", 2.0, {"k": 3.0, "p": 4.0}, 3 * 16.0),
        ("dragan", 3.0, {}, 10 * 4.0),
        ("dragan", 0.5, {"lambda_gp": 2.0}, 2 * 0.25),
    ],
)
def test_weighted_penalty_of_a_linear_critic(name, norm, config, expected):
    scalars = with_slope(name, norm, **config).d_turn(real_batch())
    assert scalars["penalty"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["wgan_gp", "wgan_lp", "wgan_div"])
def test_critic_loss_is_the_gap_of_the_means_plus_the_penalty(name):
    scalars = with_slope(name, 2.0).d_turn(real_batch())
    expected = scalars["fake_score"] - scalars["real_score"] + scalars["penalty"]
    assert scalars["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_dragan_s_d_loss_is_cross_entropy_plus_the_penalty():
    gan = with_slope("dragan", 2.0)
    batch = real_batch()
    gan.rng = torch.Generator().manual_seed(3)
    scalars = gan.d_turn(batch)
    gan.rng = torch.Generator().manual_seed(3)
    real, fake = gan.discriminator(batch.images).sigmoid(), gan.discriminator(gan.generate(batch)).sigmoid()
    expected = -real.log().mean() - (1 - fake).log().mean() + scalars["penalty"]
    assert scalars["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_dragan_penalises_the_logit_around_reals_only():
    """For D(x) = |x|^2 / 2 and no noise it is E (|x| - 1)^2 over reals: fakes and sigmoids have other slopes."""
    gan = make(gans.get("dragan"), noise=0.0, lambda_gp=1.0)
    gan.discriminator = type("Quadratic", (nn.Module,), {"forward": lambda _self, images: quadratic(images)})()
    real = real_batch().images
    expected = (real.flatten(1).norm(dim=1) - 1).square().mean()
    assert gan.penalty(real, torch.zeros_like(real)).item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("wgan_gp", (4**3 - 2**3) / 6), ("wgan_lp", (4**3 - 2**3) / 6), ("wgan_div", (5**7 - 3**7) / 14)],
)
def test_penalty_is_taken_between_reals_and_fakes(name, expected):
    """For D(x) = |x|^2 / 2, reals of length 3 and fakes of 5 along one line, the slope is uniform between 3 and 5."""
    gan = make(gans.get(name), **({"k": 1.0} if name == "wgan_div" else {"lambda_gp": 1.0}))
    gan.discriminator = type("Quadratic", (nn.Module,), {"forward": lambda _self, images: quadratic(images)})()
    one = torch.full((4000, 1, 28, 28), 1 / 28)
    assert gan.penalty(3 * one, 5 * one).item() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("name", ["wgan_lp", "wgan_div", "dragan"])
class TestRows:
    def test_g_wants_higher_scores(self, name):
        fake = torch.full((4,), -1.0, requires_grad=True)
        make(gans.get(name)).g_loss(fake).backward()
        assert (fake.grad < 0).all()

    def test_batch_norm_is_skipped_with_a_reason(self, name):
        cls = gans.get(name)
        assert "batch norm" in cls.skip(cls.Config(bn=True))

"""The losses of the IPM family against loops over images, closed forms of linear critics and a two-point optimum."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu

import gans
from gans import kernels, penalties
from gans.contract import make, real_batch

DIRECTION = torch.randn(28 * 28, generator=torch.Generator().manual_seed(0))
DIRECTION /= DIRECTION.norm()
BATCH = real_batch(5)


class Linear(nn.Module):
    """images -> scores [N], of slope `norm` everywhere."""

    def __init__(self, norm):
        super().__init__()
        self.weight = nn.Parameter(norm * DIRECTION)

    def forward(self, images):
        return images.flatten(1) @ self.weight


def replay(gan, seed=3):
    """Gives the algorithm noise that can be drawn again."""
    gan.rng = torch.Generator().manual_seed(seed)
    return gan


def fakes(gan, count=1):
    """The fakes that a turn makes first after `replay`."""
    replay(gan)
    with torch.no_grad():
        return [gan.generate(BATCH) for _ in range(count)]


def codes_of(gan, *batches):
    """Codes in float64: in float32, differences of kernels near 1 would be lost in the loops."""
    with torch.no_grad():
        return [gan.discriminator(images).double() for images in batches]


def slope(function, images):
    """||grad of `function`|| at each image, one image at a time."""
    norms = []
    for i in range(len(images)):
        x = images[i : i + 1].clone().requires_grad_()
        (gradient,) = torch.autograd.grad(function(x, i), x)
        norms.append(gradient.norm())
    return torch.stack(norms)


def naive_mmd2(kernel, x, y, biased):
    def within(z):
        kept = [kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if biased or i != j]
        return sum(kept) / len(kept)

    return within(x) + within(y) - 2 * sum(kernel(a, b) for a in x for b in y) / (len(x) * len(y))


def gaussians(*sigmas):
    return lambda a, b: sum(torch.exp(-(a - b).square().sum() / (2 * s**2)) for s in sigmas)


class TestFisher:
    def test_d_loss_by_hand(self):
        """L_D = E f - E r + lambda (Omega - 1) + rho/2 (Omega - 1)^2."""
        gan = make(gans.get("fisher_gan"), rho=0.1)
        gan.discriminator, gan.multiplier = Linear(0.5), torch.tensor(0.3)
        (fake,) = fakes(gan)
        r, f = (gan.discriminator(i).detach().numpy().astype(float) for i in (BATCH.images, fake))
        omega = 0.5 * (r**2).mean() + 0.5 * (f**2).mean()
        expected = f.mean() - r.mean() + 0.3 * (omega - 1) + 0.05 * (omega - 1) ** 2
        scalars = replay(gan).d_turn(BATCH)
        assert scalars["loss"].item() == pytest.approx(expected, rel=1e-5)
        assert scalars["moment"].item() == pytest.approx(omega, rel=1e-5)

    @pytest.mark.parametrize("name", ["fisher_gan", "sobolev_gan"])
    def test_multiplier_grows_by_rho_times_the_excess_after_each_turn(self, name):
        gan = make(gans.get(name), rho=0.01, lr_d=0.0)
        gan.discriminator = Linear(3.0)
        d = gan.turns()[0]
        expected = 0.0
        for _ in range(3):
            scalars = d.take(BATCH)
            assert scalars["multiplier"].item() == pytest.approx(expected, rel=1e-5)
            expected += 0.01 * (scalars["moment"].item() - 1)
        assert gan.state_dict()["multiplier"].item() == pytest.approx(expected, rel=1e-5)
        assert "multiplier" not in dict(gan.named_parameters())

    def test_multiplier_falls_when_the_moment_is_below_one(self):
        gan = make(gans.get("sobolev_gan"), rho=0.01, lr_d=0.0)
        gan.discriminator = Linear(0.5)
        gan.turns()[0].take(BATCH)
        assert gan.multiplier.item() == pytest.approx(0.01 * (0.25 - 1), rel=1e-5)

    def test_optimum_on_two_points(self):
        """The paper's critic is (p - q) / ((p + q) / 2) over its norm, where Omega = 1: turns of D get there."""
        p, q = torch.tensor([0.8, 0.2]), torch.tensor([0.3, 0.7])

        class Table(nn.Module):
            """A score for each of the images 'all -1' and 'all 1'."""

            def __init__(self):
                super().__init__()
                self.scores = nn.Parameter(torch.zeros(2))

            def forward(self, images):
                return self.scores[(images[:, 0, 0, 0] > 0).long()]

        def images(shares):
            return torch.repeat_interleave(torch.tensor([-1.0, 1.0]), (10 * shares).round().long()).view(-1, 1, 1, 1)

        gan = make(gans.get("fisher_gan"), rho=0.02, lr_d=0.01)
        gan.discriminator, gan.generate = Table(), lambda _batch: images(q)
        d = gan.turns()[0]
        for _ in range(1500):
            d.take(gans.Batch(images(p), torch.zeros(10, dtype=torch.long)))
        unscaled = (p - q) / ((p + q) / 2)
        expected = unscaled / ((p + q) / 2 * unscaled.square()).sum().sqrt()
        # Adam's steps of at most 0.01 shrink as it converges
        torch.testing.assert_close(gan.discriminator.scores.detach(), expected, rtol=0.01, atol=0)
        # At the optimum E_p h - E_q h = 2 lambda: the Lagrangian is stationary in the scale of h.
        assert gan.multiplier.item() == pytest.approx(((p - q) * expected).sum().item() / 2, rel=0.02)


class TestSobolev:
    def test_moment_of_a_linear_critic_is_the_squared_slope(self):
        gan = make(gans.get("sobolev_gan"), rho=0.1)
        gan.discriminator, gan.multiplier = Linear(3.0), torch.tensor(0.3)
        scalars = gan.d_turn(BATCH)
        assert scalars["moment"].item() == pytest.approx(9.0, rel=1e-5)
        gap = scalars["fake_score"] - scalars["real_score"]
        assert (scalars["loss"] - gap).item() == pytest.approx(0.3 * 8 + 0.05 * 64, rel=1e-4)

    def test_moment_takes_half_of_each_kind(self):
        """D(x) = |x|^2 / 2 has the slope |x|."""
        gan = make(gans.get("sobolev_gan"))
        gan.discriminator = type(
            "Quadratic", (nn.Module,), {"forward": lambda _self, i: i.flatten(1).square().sum(1) / 2}
        )()
        real, fake = torch.full((2, 1, 1, 1), 3.0), torch.tensor([1.0, 2.0]).view(2, 1, 1, 1)
        found = gan.moment(real, fake, torch.zeros(2), torch.zeros(2))
        assert found.item() == pytest.approx(9 / 2 + (1 + 4) / 2 / 2, rel=1e-6)

    def test_moment_reaches_the_critic(self):
        """Omega = |w|^2 has the gradient 2 w."""
        gan = make(gans.get("sobolev_gan"))
        gan.discriminator = Linear(3.0)
        gan.moment(BATCH.images, -BATCH.images, torch.zeros(5), torch.zeros(5)).backward()
        torch.testing.assert_close(gan.discriminator.weight.grad, 6.0 * DIRECTION)


class TestCramer:
    def test_d_loss_against_a_loop_over_images(self):
        gan = make(gans.get("cramer_gan"), lambda_gp=7.0)
        fake, other = fakes(gan, 2)
        between = penalties.interpolate(BATCH.images, fake, gan.rng)
        (others,) = codes_of(gan, other)

        def critic(image, i):
            """u = ||h(x) - h(x'')|| - ||h(x)||."""
            code = gan.discriminator(image)[0].double()
            return ((code - others[i]).square().sum() + 1e-5).sqrt() - (code.square().sum() + 1e-5).sqrt()

        def mean(images):
            return sum(critic(images[i : i + 1], i).item() for i in range(5)) / 5

        penalty = 7 * (slope(critic, between) - 1).square().mean().item()
        scalars = replay(gan).d_turn(BATCH)
        assert not torch.equal(fake, other)
        assert scalars["penalty"].item() == pytest.approx(penalty, rel=1e-4)
        expected = mean(fake) - mean(BATCH.images) + penalty
        assert scalars["loss"].item() == pytest.approx(expected, rel=1e-4)

    def test_g_loss_is_the_energy_distance_of_two_independent_batches(self):
        gan = make(gans.get("cramer_gan"))
        batches = (BATCH.images, *fakes(gan, 2))
        r, f, g = (codes.numpy() for codes in codes_of(gan, *batches))
        norm = lambda difference: math.sqrt((difference**2).sum() + 1e-5)  # noqa: E731
        expected = sum(norm(r[i] - f[i]) + norm(r[i] - g[i]) - norm(f[i] - g[i]) for i in range(5)) / 5
        assert replay(gan).g_turn(BATCH)["loss"].item() == pytest.approx(expected, rel=1e-5)


class TestMMD:
    def discrepancy(self, real, fake, weight):
        mmd2 = naive_mmd2(gaussians(1, 2, 4, 8, 16), real, fake, biased=True).item()
        rank = sum(min(0.0, d) for d in (real.mean(0) - fake.mean(0)).tolist()) / real.shape[1]
        return math.sqrt(mmd2) + weight * rank

    def test_losses_against_loops(self):
        gan = make(gans.get("mmd_gan"), lambda_rank=2.0, lambda_ae=3.0)
        (fake,) = fakes(gan)
        real_codes, fake_codes = codes_of(gan, BATCH.images, fake)
        expected = self.discrepancy(real_codes, fake_codes, 2.0)
        assert replay(gan).g_turn(BATCH)["loss"].item() == pytest.approx(expected, rel=1e-4)
        decoded = [gan.discriminator.decoder(codes.float()) for codes in (real_codes, fake_codes)]
        pairs = zip((BATCH.images, fake), decoded, strict=True)
        error = sum((images - d).square().sum().item() / images.numel() for images, d in pairs)
        scalars = replay(gan).d_turn(BATCH)
        assert scalars["loss"].item() == pytest.approx(3 * error - expected, rel=1e-4)

    def test_the_one_sided_term_is_free_where_reals_lie_above(self):
        gan = make(gans.get("mmd_gan"), lambda_rank=5.0)
        low, high = torch.zeros(4, 2), torch.tensor([1.0, 3.0]).expand(4, 2)
        above, below = gan.discrepancy(high, low).item(), gan.discrepancy(low, high).item()
        assert above > 0
        # mean of min(0, -1) and min(0, -3)
        assert below - above == pytest.approx(5 * -2.0, rel=1e-5)

    def test_clips_the_encoder_and_not_the_decoder(self):
        gan = make(gans.get("mmd_gan"), clip=0.003)
        gan.turns()[0].take(BATCH)
        d = gan.discriminator
        assert all(p.abs().max() <= 0.003 + 1e-9 for m in (d.trunk, d.head) for p in m.parameters())
        assert d.decoder[0].weight.abs().max() > 0.003

    def test_an_mmd_rounded_below_zero_gives_no_nan(self, monkeypatch):
        codes = torch.ones(4, 3, requires_grad=True)
        monkeypatch.setattr(kernels, "mmd2_biased", lambda _kernel, _real, fake: fake.sum() * 0 - 1e-9)
        loss = make(gans.get("mmd_gan")).discrepancy(torch.ones(4, 3), codes)
        loss.backward()
        assert loss == 0
        assert (codes.grad == 0).all()

    def test_decoder_s_parameters_are_as_documented(self):
        layers = (10 * 6272 + 6272) + (128 * 64 * 16 + 64) + (64 * 16 + 1)
        found = sum(p.numel() for p in make(gans.get("mmd_gan")).discriminator.decoder.parameters())
        assert found == layers
        assert f"{found:,} parameters" in " ".join(gans.get("mmd_gan").info.deviations)


class TestMMDGP:
    def kernel(self, a, b):
        """The mixture of rational quadratics plus 0.5 a.b."""
        d = (a - b).square().sum()
        return sum((1 + d / (2 * alpha)) ** -alpha for alpha in (0.1, 1.0, 10.0)) + 0.5 * (a * b).sum()

    def test_losses_against_loops(self):
        gan = make(gans.get("mmd_gan_gp"), linear=0.5, lambda_gp=2.0, lambda_act=3.0)
        (fake,) = fakes(gan)
        between = penalties.interpolate(BATCH.images, fake, gan.rng)
        real_codes, fake_codes = codes_of(gan, BATCH.images, fake)
        mmd2 = naive_mmd2(self.kernel, real_codes, fake_codes, biased=False).item()
        assert replay(gan).g_turn(BATCH)["loss"].item() == pytest.approx(mmd2, rel=1e-4)

        def witness(image, _i):
            code = gan.discriminator(image)[0].double()
            return (
                sum(self.kernel(code, r) - self.kernel(code, f) for r, f in zip(real_codes, fake_codes, strict=True))
                / 5
            )

        penalty = 2 * (slope(witness, between) - 1).square().mean().item()
        first, second = (m for m in gan.discriminator.modules() if isinstance(m, nn.Conv2d))
        activation = 0.0
        for images in (BATCH.images, fake):
            one = leaky_relu(first(images), 0.3)
            two = leaky_relu(second(one), 0.3)
            code = gan.discriminator.head(two.permute(0, 2, 3, 1).flatten(1))
            activation += 3 * sum(layer.square().mean().item() for layer in (one, two, code))
        scalars = replay(gan).d_turn(BATCH)
        assert scalars["penalty"].item() == pytest.approx(penalty, rel=1e-4)
        assert scalars["activation"].item() == pytest.approx(activation, rel=1e-4)
        assert scalars["loss"].item() == pytest.approx(-mmd2 + penalty + activation, rel=1e-4)

    def test_no_hook_is_left_behind(self):
        gan = make(gans.get("mmd_gan_gp"))
        gan.d_turn(BATCH)
        assert not any(m._forward_hooks for m in gan.discriminator.modules())


class TestMMDRepulsive:
    @pytest.mark.parametrize(("kernel", "low", "high"), [("gaussian", 0.0, math.inf), ("bounded", 0.25, 4.0)])
    def test_losses_against_loops(self, kernel, low, high):
        gan = make(gans.get("mmd_gan_rep"), kernel=kernel)
        gan.discriminator = type("Pixels", (nn.Module,), {"forward": lambda _self, i: 2 * i.flatten(1)[:, :2]})()
        real, fake = real_batch(20).images.chunk(2)
        gan.generate = lambda _batch: fake
        x, y = codes_of(gan, real, fake)
        distances = torch.cat([torch.pdist(x), torch.pdist(y)]).square()
        assert distances.min() < 0.25 < 4 < distances.max(), "both bounds are met"

        def mean(z, bound):
            kept = [bound((a - b).square().sum().item()) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]
            return sum(math.exp(-d / 2) for d in kept) / len(kept)

        expected = mean(x, lambda d: min(d, high)) - mean(y, lambda d: max(d, low))
        batch = gans.Batch(real, torch.zeros(10, dtype=torch.long))
        assert gan.d_turn(batch)["loss"].item() == pytest.approx(expected, rel=1e-4)
        mmd2 = naive_mmd2(gaussians(1), x, y, biased=False).item()
        assert gan.g_turn(batch)["loss"].item() == pytest.approx(mmd2, rel=1e-4)

    def test_d_loss_is_antisymmetric(self):
        gan = make(gans.get("mmd_gan_rep"))
        gan.discriminator.eval()
        (fake,) = fakes(gan)

        def loss(real, fake):
            gan.generate = lambda _batch: fake
            return gan.d_turn(gans.Batch(real, BATCH.labels))["loss"].item()

        assert loss(BATCH.images, fake) == pytest.approx(-loss(fake, BATCH.images), rel=1e-4)

    def test_every_weight_of_d_has_the_spectral_norm_one(self):
        gan = make(gans.get("mmd_gan_rep"))
        for _ in range(50):  # power iterations, one a forward pass in train mode
            gan.discriminator(BATCH.images)
        layers = [m for m in gan.discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert len(layers) == 3
        for layer in layers:
            singular = torch.linalg.svdvals(layer.weight.flatten(1))
            # 50 iterations find it to a fraction of the gap between the first two
            assert singular[0].item() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", ["fisher_gan", "sobolev_gan"])
def test_g_wants_higher_scores(name):
    fake = torch.full((4,), -1.0, requires_grad=True)
    make(gans.get(name)).g_loss(fake).backward()
    assert (fake.grad < 0).all()


@pytest.mark.parametrize("name", ["mmd_gan_gp", "mmd_gan_rep"])
def test_g_pulls_the_codes_of_fakes_to_those_of_reals(name):
    gan = make(gans.get(name))
    kernel = gan.kernel if name == "mmd_gan_gp" else kernels.gaussian
    real, fake = torch.zeros(6, 2), (torch.eye(6, 2) / 4 + 1).requires_grad_()
    kernels.mmd2_unbiased(kernel, real, fake).backward()
    assert (fake.grad.sum(0) > 0).all()


@pytest.mark.parametrize("name", ["sobolev_gan", "cramer_gan", "mmd_gan", "mmd_gan_gp", "mmd_gan_rep"])
def test_batch_norm_is_skipped_with_a_reason(name):
    cls = gans.get(name)
    assert "batch norm" in cls.skip(cls.Config(bn=True))


def test_fisher_gan_may_have_batch_norm():
    cls = gans.get("fisher_gan")
    assert cls.skip(cls.Config(bn=True)) is cls.skip(cls.Config(bn=False)) is None

"""The divergence family besides f-GAN against numpy, optimal discriminators and what each algorithm adds."""

import numpy as np
import pytest
import torch
from oracles import make_gan, optimum, slope, turn
from torch.utils._python_dispatch import TorchDispatchMode

import gans
from gans import divergences
from gans.contract import real_batch

REAL = torch.tensor([1.5, -0.3, 0.2, 4.0], dtype=torch.float64)
FAKE = torch.tensor([-1.7, 0.7, 0.1, 1.0], dtype=torch.float64)
R, F = REAL.numpy(), FAKE.numpy()

# The shares of the two points of `oracles`.
P, Q = np.array([0.8, 0.2]), np.array([0.3, 0.7])

FAMILY = ["bgan", "d2gan", "fgan", "ls_gan_qi", "softmax_gan"]


class HostReads(TorchDispatchMode):
    """Fails when a tensor's value is read on the host, which on a GPU would wait for it."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten._local_scalar_dense.default, "the host reads a tensor"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", FAMILY)
def test_no_turn_waits_for_the_device(name):
    gan = make_gan(name)
    turns = gan.turns()
    batch = real_batch()
    with HostReads():
        for taken in turns:
            taken.take(batch)


def test_the_watch_for_host_reads_sees_one():
    with HostReads(), pytest.raises(AssertionError, match="the host reads"):
        float(torch.ones(()).sum())


class TestBGAN:
    @pytest.mark.parametrize("log_z", [0.0, 0.8])
    def test_g_loss_by_hand(self, log_z):
        found = divergences.boundary_seeking_g(FAKE, torch.tensor(log_z, dtype=torch.float64))
        assert found.item() == pytest.approx(np.mean((F - log_z) ** 2), rel=1e-12)

    def test_g_seeks_log_z_from_both_sides(self):
        log_z = torch.tensor(0.5)
        (gradient,) = slope(lambda f: divergences.boundary_seeking_g(f, log_z), torch.tensor([-1.0, 0.5, 2.0]))
        assert gradient[0] < 0
        assert gradient[1] == 0
        assert gradient[2] > 0

    def test_log_mean_exp_by_hand_and_without_overflow(self):
        assert divergences.log_mean_exp(FAKE).item() == pytest.approx(np.log(np.mean(np.exp(F))), rel=1e-12)
        assert divergences.log_mean_exp(torch.tensor([1000.0, 1000.0])).item() == pytest.approx(1000)

    def test_log_z_is_an_average_over_gs_turns(self):
        gan = make_gan("bgan", log_z_decay=0.9, dropout=0.0)
        seen = []
        gan.discriminator.register_forward_hook(lambda _m, _i, scores: seen.append(scores.detach().double().numpy()))
        expected, g = 0.0, turn(gan, "g")
        for _ in range(3):
            scalars = g.take(real_batch())
            assert scalars["log_z"].item() == pytest.approx(expected, abs=1e-6), "the loss uses the old value"
            assert scalars["loss"].item() == pytest.approx(np.mean((seen[-1] - expected) ** 2), rel=1e-4)
            expected = 0.9 * expected + 0.1 * np.log(np.mean(np.exp(seen[-1])))
            assert gan.log_z.item() == pytest.approx(expected, abs=1e-6)
        assert gan.log_z.item() != 0

    def test_log_z_is_of_all_fakes_where_g_learns_from_the_best_alone(self):
        gan = make_gan("bgan", log_z_decay=0.0, dropout=0.0, top_k=0.5)
        gan.progress, seen = 1.0, []
        gan.discriminator.register_forward_hook(lambda _m, _i, scores: seen.append(scores.detach().double().numpy()))
        turn(gan, "g").take(real_batch())
        assert gan.log_z.item() == pytest.approx(np.log(np.mean(np.exp(seen[-1]))), abs=1e-6)

    def test_decay_one_keeps_log_z_at_zero(self):
        gan = make_gan("bgan", log_z_decay=1.0)
        turn(gan, "g").take(real_batch())
        assert gan.log_z.item() == 0

    def test_d_turn_leaves_log_z(self):
        gan = make_gan("bgan")
        turn(gan, "d").take(real_batch())
        assert gan.log_z.item() == 0

    def test_d_loss_is_the_logistic_one(self):
        found = make_gan("bgan").d_loss(REAL, FAKE).item()
        assert found == pytest.approx(np.mean(np.log1p(np.exp(-R))) + np.mean(np.log1p(np.exp(F))), rel=1e-12)


class TestSoftmaxGAN:
    def cross_entropy(self, target):
        """-sum t log p, p the softmax over all eight scores."""
        exponentials = np.exp(np.concatenate([R, F]))
        return -np.sum(target * np.log(exponentials / exponentials.sum()))

    def test_losses_are_cross_entropies_over_the_batch(self):
        d = self.cross_entropy(np.repeat([1 / 4, 0], 4))
        g = self.cross_entropy(np.full(8, 1 / 8))
        assert divergences.softmax_d(REAL, FAKE).item() == pytest.approx(d, rel=1e-12)
        assert divergences.softmax_g(REAL, FAKE).item() == pytest.approx(g, rel=1e-12)
        assert make_gan("softmax_gan").d_loss(REAL, FAKE).item() == pytest.approx(d, rel=1e-12)

    def test_optimal_d_is_the_share_of_reals(self):
        """s = log(p / (p + q)) + any constant."""
        found, _ = optimum(divergences.softmax_d)
        expected = np.log(P / (P + Q))
        assert (found[0] - found[1]).item() == pytest.approx(expected[0] - expected[1], abs=1e-6)

    def test_g_wants_higher_scores_than_average_and_feels_the_reals(self):
        fake_slope = slope(lambda f: divergences.softmax_g(torch.ones(4), f), torch.full((4,), -1.0))[0]
        assert (fake_slope < 0).all()
        higher = slope(lambda f: divergences.softmax_g(torch.full((4,), 3.0), f), torch.full((4,), -1.0))[0]
        assert (higher < fake_slope).all(), "the farther the reals, the stronger the pull"

    def test_losses_ignore_a_common_shift_and_do_not_overflow(self):
        for loss in (divergences.softmax_d, divergences.softmax_g):
            assert loss(REAL + 1e3, FAKE + 1e3).item() == pytest.approx(loss(REAL, FAKE).item(), rel=1e-9)

    def test_g_turn_sees_the_real_batch(self):
        gan = make_gan("softmax_gan", dropout=0.0)
        seen = []
        gan.discriminator.register_forward_hook(lambda _m, i, scores: seen.append((i[0], scores.detach().double())))
        batch = real_batch()
        loss = gan.g_turn(batch)["loss"]
        (images, real), (_, fake) = seen
        assert torch.equal(images, batch.images)
        scores = torch.cat([real, fake])
        expected = -torch.log_softmax(scores, 0).mean()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


class Mean(torch.nn.Module):
    """A discriminator whose score is the mean pixel times a weight."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(-3.0))

    def forward(self, images):
        return self.weight * images.flatten(1).mean(1)


class TestLossSensitiveGAN:
    def test_hinge_over_pairs_by_hand(self):
        margin = torch.tensor([0.5, 0.2, 0.0, 1.0], dtype=torch.float64)  # the second hinge is closed
        expected = np.mean([max(0.0, m + r - f) for m, r, f in zip(margin.tolist(), R, F, strict=True)])
        assert divergences.loss_sensitive_d(REAL, FAKE, margin).item() == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(
        ("head", "positive"), [("softplus", lambda u: np.log1p(np.exp(u))), ("relu", lambda u: max(u, 0.0))]
    )
    def test_turns_by_two_loops(self, head, positive):
        gan = make_gan("ls_gan_qi", tau=0.01, head=head)
        gan.discriminator = Mean()
        batch = real_batch(6)
        gan.rng = torch.Generator().manual_seed(0)
        scalars = gan.d_turn(batch)
        gan.rng = torch.Generator().manual_seed(0)
        fakes = gan.generate(batch).detach().numpy()
        total, fake_total = 0.0, 0.0
        for real, fake in zip(batch.images.numpy(), fakes, strict=True):
            margin = 0.01 * sum(abs(a - b) for a, b in zip(real.ravel(), fake.ravel(), strict=True))
            fake_loss = positive(3 * fake.mean())
            total += max(0.0, margin + positive(3 * real.mean()) - fake_loss)
            fake_total += fake_loss
        assert scalars["loss"].item() == pytest.approx(total / 6, rel=1e-4)
        assert scalars["fake_loss"].item() == pytest.approx(fake_total / 6, rel=1e-4, abs=1e-7)
        gan.rng = torch.Generator().manual_seed(0)
        assert gan.g_turn(batch)["loss"].item() == pytest.approx(fake_total / 6, rel=1e-4, abs=1e-7)

    def test_ds_gradient_lowers_reals_and_raises_fakes_one_for_one(self):
        """The margin is a constant; while the hinge is open dL_D = 1/N on reals and -1/N on fakes."""
        real, fake = slope(lambda r, f: divergences.loss_sensitive_d(r, f, torch.full((4,), 9.0)), REAL, FAKE)
        assert real.tolist() == [0.25] * 4
        assert fake.tolist() == [-0.25] * 4

    def test_a_closed_hinge_has_no_gradient(self):
        real, fake = slope(lambda r, f: divergences.loss_sensitive_d(r, f, torch.zeros(4)), torch.zeros(4), FAKE + 5)
        assert not real.any()
        assert not fake.any()

    def test_g_wants_a_lower_loss_which_is_a_higher_score(self):
        gan = make_gan("ls_gan_qi")
        images = real_batch().images.requires_grad_()
        gan.discriminator = Mean()
        gan.image_loss(gan.discriminator(images)).mean().backward()
        # D = -3 mean(x), so a brighter image has a lower score and a higher loss.
        assert (images.grad > 0).all()

    def test_default_margin_matches_the_official_one_for_the_same_mean_difference(self):
        official = 0.0002 * 3 * 64 * 64
        assert gans.get("ls_gan_qi").Config().tau * 784 == pytest.approx(official, rel=0.05)  # rounded to 0.003

    def test_step_is_that_of_adam_with_weight_decay(self):
        gan = make_gan("ls_gan_qi", weight_decay=0.1)
        parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        expected = torch.nn.Parameter(parameter.detach().clone())
        ours = gan.optimizer([parameter], 0.01)
        theirs = torch.optim.Adam([expected], 0.01, betas=(0.5, 0.999), eps=1e-7, weight_decay=0.1)
        for _ in range(3):
            parameter.grad, expected.grad = torch.tensor([0.01, 0.02]), torch.tensor([0.01, 0.02])
            ours.step()
            theirs.step()
        torch.testing.assert_close(parameter, expected)
        # Without decay these positive gradients would move -2 down.
        assert parameter[1].item() > -2

    def test_bn_is_skipped_with_a_reason(self):
        cls = gans.get("ls_gan_qi")
        assert "batch norm" in cls.skip(cls.Config(bn=True))


class TestD2GAN:
    def softplus(self, scores):
        return np.log1p(np.exp(scores))

    def test_losses_by_hand(self):
        d1 = np.mean(-0.3 * np.log(self.softplus(R)) + self.softplus(F))
        d2 = np.mean(self.softplus(R) - 0.6 * np.log(self.softplus(F)))
        g = np.mean(-self.softplus(R) + 0.6 * np.log(self.softplus(F)))
        # 1e-8 stands under the logarithms, whose arguments are above 0.1 here.
        assert divergences.dual_d(REAL, FAKE, 0.3).item() == pytest.approx(d1, rel=1e-6)
        assert divergences.dual_d(FAKE, REAL, 0.6).item() == pytest.approx(d2, rel=1e-6)
        assert divergences.dual_g(REAL, FAKE, 0.6).item() == pytest.approx(g, rel=1e-6)

    def test_optimal_discriminators_are_weighted_density_ratios(self):
        """D1 = alpha p/q, D2 = beta q/p, and the game's value there is a sum of KL and reverse KL."""
        alpha, beta = 0.3, 0.6
        scores1, minimum1 = optimum(lambda r, f: divergences.dual_d(r, f, alpha))
        scores2, minimum2 = optimum(lambda r, f: divergences.dual_d(f, r, beta))
        np.testing.assert_allclose(self.softplus(scores1.numpy()), alpha * P / Q, rtol=1e-5)
        np.testing.assert_allclose(self.softplus(scores2.numpy()), beta * Q / P, rtol=1e-5)
        kl, reverse_kl = np.sum(P * np.log(P / Q)), np.sum(Q * np.log(Q / P))
        value = alpha * (np.log(alpha) - 1) + beta * (np.log(beta) - 1) + alpha * kl + beta * reverse_kl
        assert -(minimum1 + minimum2) == pytest.approx(value, rel=1e-6)

    def test_g_wants_d1_high_and_d2_low(self):
        one, two = slope(lambda a, b: divergences.dual_g(a, b, 0.5), torch.full((4,), -1.0), torch.full((4,), -1.0))
        assert (one < 0).all()
        assert (two > 0).all()

    def test_losses_stay_finite_at_extreme_scores(self):
        extreme = torch.tensor([1e4, -1e4])
        assert torch.isfinite(divergences.dual_d(extreme, extreme, 0.5))
        assert torch.isfinite(divergences.dual_g(extreme, extreme, 0.5))

    def test_d1_rewards_reals_and_d2_rewards_fakes(self):
        """Each turn on the scores that its own discriminator gave."""
        gan = make_gan("d2gan", alpha=0.3, beta=0.6, dropout=0.0)
        seen = {1: [], 2: []}
        for key, module in ((1, gan.discriminator), (2, gan.discriminator2)):
            module.register_forward_hook(lambda _m, _i, s, key=key: seen[key].append(s.detach().double().numpy()))
        batch = real_batch()
        d1, d2 = gan.d_turn(batch)["loss"].item(), gan.d2_turn(batch)["loss"].item()
        (real1, fake1), (real2, fake2) = seen[1], seen[2]
        expected = np.mean(-0.3 * np.log(self.softplus(real1)) + self.softplus(fake1))
        assert d1 == pytest.approx(expected, rel=1e-5)
        expected = np.mean(self.softplus(real2) - 0.6 * np.log(self.softplus(fake2)))
        assert d2 == pytest.approx(expected, rel=1e-5)
        g = gan.g_turn(batch)["loss"].item()
        expected = np.mean(-self.softplus(seen[1][-1]) + 0.6 * np.log(self.softplus(seen[2][-1])))
        assert g == pytest.approx(expected, rel=1e-5)

    def test_turns_and_their_order(self):
        turns = make_gan("d2gan", n_d=2).turns()
        assert [(t.name, t.every) for t in turns] == [("d", 1), ("d2", 1), ("g", 2)]

    def test_discriminators_start_apart(self):
        gan = make_gan("d2gan")
        assert not torch.equal(gan.discriminator.head.weight, gan.discriminator2.head.weight)


@pytest.mark.parametrize(
    "loss",
    [
        lambda r, f: divergences.DIVERGENCES["kl"].d_loss(r, f),
        lambda r, _: divergences.DIVERGENCES["kl"].exact_g_loss(r),
        lambda r, _: divergences.DIVERGENCES["kl"].variant_g_loss(r),
        lambda r, _: divergences.boundary_seeking_g(r, torch.zeros(())),
        divergences.softmax_d,
        divergences.softmax_g,
        lambda r, f: divergences.loss_sensitive_d(r, f, f),
        lambda r, f: divergences.dual_d(r, f, 1.0),
        lambda r, f: divergences.dual_g(r, f, 1.0),
    ],
)
def test_column_scores_are_refused_before_they_broadcast(loss):
    with pytest.raises(ValueError, match="vectors"):
        loss(torch.zeros(4, 1), torch.zeros(4))

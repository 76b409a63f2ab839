"""f-divergences against numpy, Fenchel conjugates and optimal discriminators, and f-GAN on them."""

import numpy as np
import pytest
import torch
from oracles import make_gan, optimum, slope, turn

from gans import divergences, losses
from gans.contract import real_batch

REAL = torch.tensor([1.5, -0.3, 0.2, 4.0], dtype=torch.float64)
FAKE = torch.tensor([-1.7, 0.7, 0.1, 1.0], dtype=torch.float64)
R, F = REAL.numpy(), FAKE.numpy()

# The shares of the two points of `oracles`.
P, Q = np.array([0.8, 0.2]), np.array([0.3, 0.7])

# The generating functions f(u) of the divergences, u = p / q (f-GAN, table 1).
GENERATORS = {
    "kl": lambda u: u * np.log(u),
    "reverse_kl": lambda u: -np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "js": lambda u: u * np.log(u) - (u + 1) * np.log((u + 1) / 2),
}
# T and f*(T), written out once more, to check what the losses make of them.
ACTIVATION = {
    "kl": lambda v: v,
    "reverse_kl": lambda v: -np.exp(-v),
    "pearson": lambda v: v,
    "hellinger": lambda v: 1 - np.exp(-v),
    "js": lambda v: np.log(2 / (1 + np.exp(-v))),
}
CONJUGATE = {
    "kl": lambda v: np.exp(v - 1),
    "reverse_kl": lambda v: v - 1,
    "pearson": lambda v: v**2 / 4 + v,
    "hellinger": lambda v: np.exp(v) - 1,
    "js": lambda v: np.log((1 + np.exp(v)) / 2),
}
OPTIMUM = {
    "kl": 1 + np.log(P / Q),
    "reverse_kl": np.log(P / Q),
    "pearson": 2 * (P / Q - 1),
    "hellinger": np.log(P / Q) / 2,
    "js": np.log(P / Q),
}
NAMES = sorted(divergences.DIVERGENCES)


class TestFDivergences:
    @pytest.mark.parametrize("name", NAMES)
    def test_conjugate_is_fenchels(self, name):
        """f*(t) = sup_u (u t - f(u)) on a grid of u; the sup is flat, so a grid of step 1e-4 in log u errs by 1e-8."""
        u = np.exp(np.arange(-12, 12, 1e-4))
        divergence = divergences.DIVERGENCES[name]
        for v in [-1.9, -0.7, 0.0, 0.4, 1.3, 3.0]:
            score = torch.tensor([v], dtype=torch.float64)
            t = divergence.activation(score).item()
            expected = np.max(u * t - GENERATORS[name](u))
            assert divergence.conjugate(score).item() == pytest.approx(expected, rel=1e-6, abs=1e-5)

    @pytest.mark.parametrize("name", NAMES)
    def test_activation_increases(self, name):
        v = torch.linspace(-5, 5, 101, dtype=torch.float64)
        assert (divergences.DIVERGENCES[name].activation(v).diff() > 0).all()

    @pytest.mark.parametrize("name", NAMES)
    def test_losses_by_hand(self, name):
        divergence = divergences.DIVERGENCES[name]
        d = -ACTIVATION[name](R).mean() + CONJUGATE[name](F).mean()
        assert divergence.d_loss(REAL, FAKE).item() == pytest.approx(d, rel=1e-12)
        assert divergence.exact_g_loss(FAKE).item() == pytest.approx(-CONJUGATE[name](F).mean(), rel=1e-12)
        assert divergence.variant_g_loss(FAKE).item() == pytest.approx(-ACTIVATION[name](F).mean(), rel=1e-12)

    @pytest.mark.parametrize("name", NAMES)
    def test_optimal_d_is_as_stated_and_its_loss_is_minus_the_divergence(self, name):
        found, minimum = optimum(divergences.DIVERGENCES[name].d_loss)
        np.testing.assert_allclose(found.numpy(), OPTIMUM[name], rtol=1e-5, atol=1e-6)
        assert -minimum == pytest.approx(np.sum(Q * GENERATORS[name](P / Q)), rel=1e-9)

    @pytest.mark.parametrize("loss", ["exact_g_loss", "variant_g_loss"])
    @pytest.mark.parametrize("name", NAMES)
    def test_g_wants_higher_scores(self, name, loss):
        (gradient,) = slope(getattr(divergences.DIVERGENCES[name], loss), torch.full((4,), -1.0))
        assert (gradient < 0).all()

    def test_js_is_the_original_gan_up_to_constants(self):
        js = divergences.DIVERGENCES["js"]
        log2 = np.log(2)
        assert js.variant_g_loss(FAKE).item() == pytest.approx(losses.nonsaturating_g(FAKE).item() - log2, rel=1e-12)
        assert js.d_loss(REAL, FAKE).item() == pytest.approx(losses.logistic_d(REAL, FAKE).item() - 2 * log2, rel=1e-12)

    def test_exponents_are_clamped(self):
        exponents = torch.tensor([-1e4, -20.0, 3.0, 20.0, 1e4], dtype=torch.float64)
        expected = np.exp([-20.0, -20.0, 3.0, 20.0, 20.0])
        np.testing.assert_allclose(divergences.clamped_exp(exponents).numpy(), expected, rtol=1e-12)

    @pytest.mark.parametrize("name", NAMES)
    def test_losses_stay_finite_at_extreme_scores(self, name):
        extreme = torch.tensor([1e4, -1e4])
        divergence = divergences.DIVERGENCES[name]
        for loss in (divergence.d_loss(extreme, extreme), divergence.exact_g_loss(extreme)):
            assert torch.isfinite(loss)
        assert torch.isfinite(divergence.variant_g_loss(extreme))


class TestFGAN:
    @pytest.mark.parametrize("g_loss", ["exact", "variant"])
    @pytest.mark.parametrize("name", NAMES)
    def test_config_chooses_the_losses(self, name, g_loss):
        gan = make_gan("fgan", divergence=name, g_loss=g_loss)
        expected = -(CONJUGATE if g_loss == "exact" else ACTIVATION)[name](F).mean()
        assert gan.g_loss(FAKE).item() == pytest.approx(expected, rel=1e-12)
        expected = -ACTIVATION[name](R).mean() + CONJUGATE[name](F).mean()
        assert gan.d_loss(REAL, FAKE).item() == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("player", ["d", "g"])
    def test_gradient_is_clipped_before_the_step_and_keeps_its_direction(self, player):
        def gradient(clip_norm):
            taken = turn(make_gan("fgan", clip_norm=clip_norm), player)
            taken.take(real_batch())
            return torch.cat([p.grad.double().flatten() for p in taken.parameters])

        free, clipped = gradient(1e6), gradient(1e-3)
        assert free.norm().item() > 1e-2
        # clip_grad_norm_ divides by the norm + 1e-6.
        assert clipped.norm().item() == pytest.approx(1e-3, rel=1e-3)
        assert torch.cosine_similarity(free, clipped, dim=0).item() == pytest.approx(1, abs=1e-5)

    def test_a_gradient_within_the_bound_is_left_alone(self):
        bound = {}
        for clip_norm in (1e4, 1e6):
            taken = turn(make_gan("fgan", clip_norm=clip_norm), "d")
            taken.take(real_batch())
            bound[clip_norm] = [p.grad.clone() for p in taken.parameters]
        assert all(map(torch.equal, bound[1e4], bound[1e6]))

    def test_extreme_is_the_share_of_scores_beyond_the_clamp(self):
        gan = make_gan("fgan")
        gan.d_loss(torch.tensor([25.0, 0.0, 1.0, 2.0]), torch.tensor([-30.0, 21.0, 0.0, -20.0]))
        assert gan._extreme.item() == pytest.approx(3 / 8)
        assert gan.d_turn(real_batch())["extreme"].item() == 0

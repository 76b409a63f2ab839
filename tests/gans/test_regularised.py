"""Spectral norm against an SVD; penalties against closed forms and loops; LeCam's anchors; consistency; schedules."""

import numpy as np
import pytest
import torch
from critics import LinearCritic, QuadraticCritic
from oracles import make_gan
from torch import nn
from torch.nn.utils import parametrize

import gans
from gans.augment import random_shift
from gans.contract import real_batch
from gans.regularised.consistency import inconsistency
from gans.regularised.lecam import lecam_regulariser

PENALISED = ["r1", "r1_r2", "gp0", "js_reg"]
CONSISTENT = ["cr_gan", "bcr_gan", "zcr_gan"]
SPECTRAL = ["sngan", "lecam", *CONSISTENT]


class ConstantCritic(nn.Module):
    """D(x) = 3."""

    def forward(self, images):
        return 0 * images.flatten(1).sum(1) + 3


class TestSpectralNorm:
    @pytest.mark.parametrize("name", SPECTRAL)
    def test_every_weight_of_d_is_divided_by_its_top_singular_value(self, name):
        d = make_gan(name).discriminator
        layers = [layer for layer in d.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        assert layers == [d.trunk.layers[0], d.trunk.layers[2], d.head]
        assert all(parametrize.is_parametrized(layer, "weight") for layer in layers)
        with torch.no_grad():
            for layer in layers:
                layer.parametrizations.weight.original.mul_(3.7)  # u and v stay, sigma must follow
            for _ in range(100):
                d(torch.zeros(2, 1, 28, 28))
            for layer in layers:
                matrix = layer.parametrizations.weight.original.flatten(1)
                top = torch.linalg.svdvals(matrix)[0]
                # 2e-3: what a hundred power iterations leave where the second singular value is close
                torch.testing.assert_close(layer.weight.flatten(1), matrix / top, rtol=2e-3, atol=1e-6)

    def test_one_power_iteration_a_pass_in_train_mode_and_none_in_eval_mode(self):
        d = make_gan("sngan").discriminator
        head = d.head.parametrizations.weight[0]
        conv = d.trunk.layers[2].parametrizations.weight
        u, v = conv[0]._u.clone(), conv[0]._v.clone()
        matrix = conv.original.detach().flatten(1)
        d(torch.zeros(2, 1, 28, 28))
        after_u = nn.functional.normalize(matrix @ v, dim=0)
        torch.testing.assert_close(conv[0]._u, after_u)
        torch.testing.assert_close(conv[0]._v, nn.functional.normalize(matrix.T @ after_u, dim=0))
        assert head.n_power_iterations == 1
        d.eval()
        u = conv[0]._u.clone()
        d(torch.zeros(2, 1, 28, 28))
        assert torch.equal(conv[0]._u, u)

    def test_hinge_by_hand(self):
        gan = make_gan("sngan")
        real, fake = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, -0.5, 1.0])
        assert gan.d_loss(real, fake).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 0.5 + 2) / 3)
        assert gan.g_loss(fake).item() == pytest.approx(2.5 / 3)


class TestGradientPenalties:
    @pytest.mark.parametrize(
        ("name", "config", "factor"),
        [("r1", {"gamma": 4.0}, 2.0), ("r1_r2", {"gamma": 4.0}, 4.0), ("gp0", {"lambda_gp": 4.0}, 4.0)],
    )
    @pytest.mark.parametrize("n", [2, 7])
    def test_of_a_linear_critic(self, name, config, factor, n):
        gan = make_gan(name, **config)
        gan.discriminator = LinearCritic()
        images = real_batch(n).images
        expected = factor * gan.discriminator.weight.square().sum().item()
        assert gan.penalty(images, -images).item() == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "on_reals", "on_fakes"), [("r1", 784.0, 0.0), ("r1_r2", 784.0, 784.0), ("gp0", None, None)]
    )
    def test_where_it_is_taken(self, name, on_reals, on_fakes):
        """The quadratic critic's gradient is 0 on zeros and of squared norm 784 on ones."""
        gan = make_gan(name, **({"lambda_gp": 1.0} if name == "gp0" else {"gamma": 2.0}))
        gan.discriminator = QuadraticCritic()
        zeros, ones = torch.zeros(4, 1, 28, 28), torch.ones(4, 1, 28, 28)
        found = gan.penalty(ones, zeros).item(), gan.penalty(zeros, ones).item()
        if name == "gp0":
            assert all(0 < value < 784 for value in found)
        else:
            assert found == (pytest.approx(on_reals, rel=1e-5), pytest.approx(on_fakes, abs=1e-6))

    @pytest.mark.parametrize("name", PENALISED)
    def test_it_is_added_to_the_logistic_loss(self, name):
        gan = make_gan(name)
        scalars = gan.d_turn(real_batch())
        gan.rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            real, fake = gan.discriminator(real_batch().images), gan.discriminator(gan.generate(real_batch()))
        logistic = -np.log(1 / (1 + np.exp(-real.numpy()))).mean() - np.log(1 / (1 + np.exp(fake.numpy()))).mean()
        assert scalars["penalty"].item() > 0
        assert (scalars["loss"] - scalars["penalty"]).item() == pytest.approx(logistic, rel=1e-4)

    @pytest.mark.parametrize(("progress", "gamma"), [(0.0, 2.0), (0.5, 0.2), (1.0, 0.02)])
    def test_js_reg_is_annealed_exponentially(self, progress, gamma):
        """At score 0 both weights are 1/4: gamma/2 (|w|^2 + |w|^2)/4."""
        gan = make_gan("js_reg")
        gan.discriminator, gan.progress = LinearCritic(), progress
        zeros = torch.zeros(3, 1, 28, 28)
        expected = gamma / 4 * gan.discriminator.weight.square().sum().item()
        assert gan.penalty(zeros, zeros).item() == pytest.approx(expected, rel=1e-5)

    def test_js_reg_weighs_a_slope_by_how_wrong_d_is_there(self):
        """D(x) = |x|^2 / 2 is 392 on ones, where it is sure that they are real, and has slope 0 on zeros."""
        gan = make_gan("js_reg")
        gan.discriminator = QuadraticCritic()
        zeros, ones = torch.zeros(4, 1, 28, 28), torch.ones(4, 1, 28, 28)
        assert gan.penalty(ones, zeros).item() == pytest.approx(0, abs=1e-6)
        assert gan.penalty(zeros, ones).item() == pytest.approx(784, rel=1e-5)


class TestLeCam:
    def test_regulariser_by_loop(self):
        real, fake, a_real, a_fake = [1.5, -0.3, 0.2], [-2.0, 0.7, 0.1], 0.9, -0.1
        expected = sum(max(0, r - a_fake) ** 2 for r in real) / 3 + sum(max(0, a_real - f) ** 2 for f in fake) / 3
        found = lecam_regulariser(*map(torch.tensor, (real, fake, a_real, a_fake)))
        assert found.item() == pytest.approx(expected, rel=1e-6)

    def test_it_pulls_reals_down_and_fakes_up_and_spares_those_beyond_the_anchor(self):
        real = torch.tensor([1.5, -0.3], requires_grad=True)
        fake = torch.tensor([-2.0, 1.7], requires_grad=True)
        lecam_regulariser(real, fake, torch.tensor(0.9), torch.tensor(-0.1)).backward()
        assert real.grad[0] > 0
        assert fake.grad[0] < 0
        assert (real.grad[1], fake.grad[1]) == (0, 0)

    def test_anchors_follow_the_batch_means_and_the_penalty_starts_when_told(self):
        gan = make_gan("lecam", lambda_lecam=0.5, anchor_decay=0.9, lecam_start=0.1)
        a_real = a_fake = 0.0
        for progress, on in ((0.0, False), (0.1, False), (0.2, True), (0.3, True)):
            gan.progress = progress
            scores = []
            hook = gan.discriminator.register_forward_hook(lambda _m, _i, out, kept=scores: kept.append(out.detach()))
            loss = gan.d_turn(real_batch())["loss"].item()
            hook.remove()
            real, fake = (kind.double().numpy() for kind in scores)
            hinge = np.maximum(0, 1 - real).mean() + np.maximum(0, 1 + fake).mean()
            squares = np.maximum(0, real - a_fake) ** 2, np.maximum(0, a_real - fake) ** 2
            expected = hinge + (0.5 * (squares[0].mean() + squares[1].mean()) if on else 0)
            assert loss == pytest.approx(expected, rel=1e-5)
            share = 0.1 if on else 1.0  # until the start the anchors are the latest means
            a_real, a_fake = a_real + share * (real.mean() - a_real), a_fake + share * (fake.mean() - a_fake)
            assert gan.real_anchor.item() == pytest.approx(a_real, rel=1e-5)
            assert gan.fake_anchor.item() == pytest.approx(a_fake, rel=1e-5)

    def test_anchors_are_buffers_without_gradient(self):
        gan = make_gan("lecam")
        gan.d_turn(real_batch())
        assert {"real_anchor", "fake_anchor"} <= dict(gan.named_buffers()).keys()
        assert not gan.real_anchor.requires_grad
        assert gan.real_anchor.item() != 0


class TestConsistency:
    def test_inconsistency_by_loop(self):
        critic, images = LinearCritic(), real_batch(3).images
        changed = images.flip(0)
        with torch.no_grad():
            pairs = [(critic(a[None]).item(), critic(b[None]).item()) for a, b in zip(images, changed, strict=True)]
        expected = sum((a - b) ** 2 for a, b in pairs) / 3
        assert inconsistency(critic, images, changed).item() == pytest.approx(expected, rel=1e-5)

    def test_both_passes_are_differentiated(self):
        """(w (x - y))^2 has the gradient 2 w(x - y) (x - y) in w; with one pass detached x or y alone would appear."""
        critic, images = LinearCritic(), real_batch(1).images
        inconsistency(critic, images, -images).backward()
        difference = (2 * images).flatten()
        expected = 2 * (critic.weight.detach() @ difference) * difference
        torch.testing.assert_close(critic.weight.grad, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(("name", "weights"), [("cr_gan", (3.0, 0.0)), ("bcr_gan", (3.0, 5.0))])
    def test_penalty_compares_images_with_their_shifted_copies(self, name, weights):
        settings = {"lambda_real": 3.0} | ({"lambda_fake": 5.0} if name == "bcr_gan" else {})
        gan = make_gan(name, shift=2, **settings)
        gan.discriminator.eval()  # no power iteration between the passes compared here
        real, fake = real_batch().images, real_batch().images.flip(0) / 2
        gan.rng = torch.Generator().manual_seed(8)
        found = gan.penalty(real, fake).item()
        draws = torch.Generator().manual_seed(8)
        expected = 0.0
        images = [(fake, weights[1]), (real, weights[0])] if name == "bcr_gan" else [(real, weights[0])]
        for originals, weight in images:
            moved = random_shift(originals, 2, draws)
            assert not torch.equal(moved, originals)
            with torch.no_grad():
                scores, others = gan.discriminator(originals).double(), gan.discriminator(moved).double()
            expected += weight * sum((a - b) ** 2 for a, b in zip(scores.tolist(), others.tolist(), strict=True)) / 8
        assert found == pytest.approx(expected, rel=1e-3)

    @pytest.mark.parametrize("name", CONSISTENT)
    def test_a_constant_d_is_not_penalised_and_noise_comes_from_rng_alone(self, name):
        gan = make_gan(name)
        state = torch.get_rng_state()
        gan.penalty(real_batch().images, real_batch().images)
        assert torch.equal(state, torch.get_rng_state())
        gan.discriminator = ConstantCritic()
        assert gan.penalty(real_batch().images, real_batch().images).item() == 0

    @pytest.mark.parametrize("name", CONSISTENT)
    def test_dropout_and_batch_norm_are_skipped_with_a_reason(self, name):
        cls = gans.get(name)
        assert "dropout" in cls.skip(cls.Config(dropout=0.3))
        assert "batch norm" in cls.skip(cls.Config(bn=True))


class TestZCR:
    def redraw(self, gan, n):
        """z and z + s as the rng of seed 9 gives them."""
        rng = torch.Generator().manual_seed(9)
        latent = torch.randn(n, 100, generator=rng)
        return latent, latent + gan.config.sigma * torch.randn(n, 100, generator=rng)

    def test_d_is_held_together_and_g_drawn_apart(self):
        gan = make_gan("zcr_gan", sigma=0.5, lambda_d=3.0, lambda_g=7.0)
        gan.discriminator.eval()
        latent, near = self.redraw(gan, 8)
        with torch.no_grad():
            fake, neighbour = gan.generator(latent), gan.generator(near)
            scores, others = gan.discriminator(fake).double(), gan.discriminator(neighbour).double()
        gan.rng = torch.Generator().manual_seed(9)
        images = real_batch().images
        # 1e-2: the difference of nearly equal scores in single precision
        assert gan.penalty(images, images).item() == pytest.approx(3 * ((scores - others) ** 2).mean().item(), rel=1e-2)
        gan.rng = torch.Generator().manual_seed(9)
        scalars = gan.g_turn(real_batch())
        diversity = ((fake - neighbour).double() ** 2).mean().item()
        assert diversity > 1e-3
        assert scalars["diversity"].item() == pytest.approx(diversity, rel=1e-4)
        assert scalars["loss"].item() == pytest.approx(-scores.mean().item() - 7 * diversity, rel=1e-4)

    def test_a_pack_is_held_together_over_as_many_fakes_as_the_turn_has(self, monkeypatch):
        gan, asked = make_gan("zcr_gan", pack=2), []
        neighbours = gan.neighbours
        monkeypatch.setattr(gan, "neighbours", lambda n: asked.append(n) or neighbours(n))
        gan.d_turn(real_batch(8))
        assert asked == [8]

    def test_g_reaches_its_parameters_through_both_fakes_and_d_through_none(self):
        gan = make_gan("zcr_gan")
        assert gan.neighbours(4)[0].requires_grad
        assert gan.neighbours(4)[1].requires_grad
        gan.penalty(real_batch().images, real_batch().images).backward()
        assert all(p.grad is None for p in gan.generator.parameters())


@pytest.mark.parametrize("name", [*PENALISED, *SPECTRAL])
def test_batch_norm_is_off_and_skipped_with_a_reason_and_dropout_is_off(name):
    cls = gans.get(name)
    assert (cls.Config().bn, cls.Config().dropout) == (False, 0.0)
    assert "batch norm" in cls.skip(cls.Config(bn=True))

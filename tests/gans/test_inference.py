"""Encoders and their GANs: divergence, likelihoods, and each player's loss from the nets' own outputs."""

import numpy as np
import pytest
import torch
from oracles import make_gan
from recorded import Recorded
from torch import nn
from torch.distributions import Normal, kl_divergence

import gans
from gans.contract import parameters, real_batch
from gans.encoders import Gaussian
from gans.inference.base import bernoulli_nll, gaussian_nll, squared_distance
from gans.networks import parameter_count

NAMES = ["bigan", "ali", "vae_gan", "aae", "vae"]
TRUNK = (16 * 64 + 64) + (64 * 128 * 16 + 128)
TRUNK_BN = TRUNK + 2 * (64 + 128)


def gaussians(n=6, latents=4, dtype=torch.float64):
    rng = torch.Generator().manual_seed(5)
    mean, log_variance = (torch.randn(n, latents, generator=rng, dtype=dtype) for _ in range(2))
    return Gaussian(mean, log_variance)


class TestGaussian:
    def test_divergence_is_torchs(self):
        q = gaussians()
        ours = Normal(q.mean, (q.log_variance / 2).exp())
        prior = Normal(torch.zeros_like(q.mean), torch.ones_like(q.mean))
        torch.testing.assert_close(q.divergence(), kl_divergence(ours, prior).sum(1), rtol=1e-12, atol=0)

    def test_divergence_is_the_mean_log_ratio_of_its_own_draws(self):
        """By Monte Carlo, which ties `sample` and `divergence` together; five standard errors of 40,000 draws."""
        mean, log_variance = torch.tensor([[0.7, -0.3]]), torch.tensor([[-1.0, 0.5]])
        q = Gaussian(mean.expand(40_000, 2), log_variance.expand(40_000, 2))
        z = q.sample(torch.Generator().manual_seed(0))
        sigma = (log_variance / 2).exp()
        log_q = (-((z - mean) ** 2) / (2 * sigma**2) - sigma.log()).sum(1)
        ratio = log_q + z.square().sum(1) / 2
        error = ratio.std().item() / 200
        assert error < 0.01
        assert q.divergence()[0].item() == pytest.approx(ratio.mean().item(), abs=5 * error)

    def test_prior_has_no_divergence(self):
        assert not Gaussian(torch.zeros(3, 5), torch.zeros(3, 5)).divergence().any()

    def test_draws_are_reparameterised_and_follow_the_rng(self):
        q = Gaussian(*(t.requires_grad_() for t in gaussians()))
        z = q.sample(torch.Generator().manual_seed(1))
        noise = torch.randn(z.shape, dtype=z.dtype, generator=torch.Generator().manual_seed(1))
        sigma = (q.log_variance / 2).exp()
        torch.testing.assert_close(z, q.mean + sigma * noise)
        z.sum().backward()
        torch.testing.assert_close(q.mean.grad, torch.ones_like(z))
        torch.testing.assert_close(q.log_variance.grad, (sigma * noise / 2).detach())


class TestLikelihoods:
    def test_bernoulli_by_numpy(self):
        rng = np.random.default_rng(0)
        x, mean = rng.random((3, 1, 4, 4)), rng.uniform(0.05, 0.95, (3, 1, 4, 4))
        expected = -(x * np.log(mean) + (1 - x) * np.log(1 - mean)).sum((1, 2, 3))
        ours = bernoulli_nll(torch.tensor(2 * mean - 1), torch.tensor(2 * x - 1))
        # The mean's shrunk range moves a term by 1e-6 / 0.05 at most.
        np.testing.assert_allclose(ours, expected, rtol=1e-4)

    def test_a_sure_error_costs_much_and_keeps_its_gradient(self):
        decoded = torch.tensor([[1.0, -1.0]], requires_grad=True)
        loss = bernoulli_nll(decoded, torch.tensor([[-1.0, 1.0]]))
        assert loss.item() == pytest.approx(-2 * np.log(1e-6), rel=0.01)
        loss.sum().backward()
        assert decoded.grad[0, 0] > 1e4
        assert decoded.grad[0, 1] < -1e4

    @pytest.mark.parametrize("sigma", [0.1, 0.7])
    def test_gaussian_is_torchs_on_the_scale_from_0_to_1(self, sigma):
        rng = torch.Generator().manual_seed(0)
        x, mean = (torch.rand(3, 1, 4, 4, generator=rng, dtype=torch.float64) for _ in range(2))
        expected = -Normal(mean, sigma).log_prob(x).sum((1, 2, 3))
        torch.testing.assert_close(gaussian_nll(2 * mean - 1, 2 * x - 1, sigma), expected)

    def test_squared_distance_by_loops(self):
        a, b = torch.randn(2, 3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
        for row, value in enumerate(squared_distance(a, b).tolist()):
            pairs = zip(a[row].flatten().tolist(), b[row].flatten().tolist(), strict=True)
            assert value == pytest.approx(sum((u - v) ** 2 for u, v in pairs), rel=1e-5)


class LinearDecoder(nn.Module):
    """G(z) = w z + b on images of two pixels, [N, 1] -> [N, 1, 1, 2], on the scale from -1 to 1."""

    w, b = torch.tensor([0.6, -0.3]), torch.tensor([0.2, 0.1])

    def forward(self, latent):
        return (2 * (latent * self.w + self.b) - 1).view(-1, 1, 1, 2)


class TestELBO:
    """x = w z + b + sigma e with z ~ N(0, 1) is normal, so log p(x) and the posterior are known."""

    SIGMA, X, DRAWS = 0.5, torch.tensor([0.9, -0.4]), 20_000

    def negative_elbo(self, mean, variance):
        """VAE's loss on draws of one x with this q(z|x), and its standard error."""
        gan = make_gan("vae", likelihood="gaussian", sigma=self.SIGMA, latent_dim=1)
        gan.generator = LinearDecoder()
        q = Gaussian(torch.full((self.DRAWS, 1), mean), torch.full((self.DRAWS, 1), np.log(variance)))
        gan.posterior = lambda images: q
        batch = gans.Batch((2 * self.X - 1).expand(self.DRAWS, 1, 1, 2), torch.zeros(self.DRAWS, dtype=torch.int64))
        return {key: value.item() for key, value in gan.g_turn(batch).items()}

    def posterior(self):
        w, b = LinearDecoder.w.numpy().astype(float), LinearDecoder.b.numpy().astype(float)
        precision = 1 + w @ w / self.SIGMA**2
        return w @ (self.X.numpy() - b) / self.SIGMA**2 / precision, 1 / precision, w, b

    def evidence(self):
        _, _, w, b = self.posterior()
        covariance = np.outer(w, w) + self.SIGMA**2 * np.eye(2)
        difference = self.X.numpy() - b
        log_determinant = np.log(np.linalg.det(2 * np.pi * covariance))
        return -(difference @ np.linalg.solve(covariance, difference) + log_determinant) / 2

    def test_at_the_true_posterior_it_is_the_evidence(self):
        mean, variance, *_ = self.posterior()
        scalars = self.negative_elbo(mean, variance)
        # The draws' log likelihood has a standard deviation below 1.5, its mean one below 0.011; five of these.
        assert scalars["loss"] == pytest.approx(-self.evidence(), abs=0.055)
        assert scalars["loss"] == pytest.approx(scalars["kl"] + scalars["error"], rel=1e-5)

    def test_elsewhere_it_is_short_by_the_divergence_from_the_posterior(self):
        mean, variance, *_ = self.posterior()
        other_mean, other_variance = mean + 0.8, 2 * variance
        gap = kl_divergence(
            Normal(torch.tensor(other_mean), torch.tensor(other_variance).sqrt()),
            Normal(torch.tensor(mean), torch.tensor(variance).sqrt()),
        ).item()
        assert gap > 0.5
        assert self.negative_elbo(other_mean, other_variance)["loss"] == pytest.approx(-self.evidence() + gap, abs=0.1)


class TestVAE:
    def test_loss_is_the_mean_over_images_of_sums_over_latents_and_pixels(self):
        gan, batch = make_gan("vae"), real_batch()
        gan.rng = torch.Generator().manual_seed(3)
        encoder, generator = Recorded(gan.encoder), Recorded(gan.generator)
        loss = gan.g_turn(batch)["loss"].item()
        (numbers,), (decoded,) = encoder.outputs, generator.outputs
        mean, log_variance = numbers[:, :100].astype(float), numbers[:, 100:].astype(float)
        kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(1)
        x, p = (batch.images.numpy() + 1) / 2, (decoded.astype(float) + 1) / 2
        bce = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2, 3))
        assert loss == pytest.approx((kl + bce).mean(), rel=1e-4)

    def test_it_is_no_gan_and_says_so(self):
        gan, cls = make_gan("vae"), gans.get("vae")
        assert "No GAN" in cls.info.summary
        assert not list(gan.discriminator.parameters())
        assert [t.name for t in gan.turns()] == ["g"]
        for config in ({"spectral_norm": True}, {"dropout": 0.3}, {"pack": 2}, {"augment": "ada"}, {"unroll": 2}):
            assert cls.skip(cls.Config(**config)) == "there is no discriminator"
        assert "n_d" in cls.skip(cls.Config(n_d=2))
        assert cls.skip(cls.Config(bn=False)) is None


@pytest.mark.parametrize("name", NAMES)
class TestEncoder:
    def test_reconstruction_is_what_g_makes_of_the_code_or_its_mean(self, name):
        gan, images = make_gan(name).eval(), real_batch().images
        with torch.no_grad():
            numbers = gan.encoder.head(gan.encoder.trunk(images))
            latents = gan.config.latent_dim
            assert latents == (8 if name == "aae" else 100)
            assert numbers.shape[1] == (latents if name in ("bigan", "aae") else 2 * latents)
            assert torch.equal(gan.reconstruct(images), gan.generator(numbers[:, :latents]))

    def test_each_turn_moves_its_own_networks_and_all_of_them(self, name):
        players = {"d": {"discriminator"}, "g": {"generator"}, "e": {"encoder"}}
        if name != "vae_gan":
            players["g"] = {"generator", "encoder"}
        gan = make_gan(name)
        for taken in gan.turns():
            before = parameters(gan)
            taken.take(real_batch())
            moved = {key for key, p in gan.named_parameters() if not torch.equal(p, before[key])}
            assert {key.partition(".")[0] for key in moved} == players.pop(taken.name)
        assert set(players) == {"bigan": {"e"}, "ali": {"e"}, "vae": {"d", "e"}}.get(name, set())

    def test_batch_norm_of_its_trunk(self, name):
        """Always, or as `bn` says where D has no trunk; never dropout."""
        for bn in (True, False):
            layers = [type(m).__name__ for m in make_gan(name, bn=bn).encoder.modules()]
            assert ("BatchNorm2d" in layers) == (bn or name not in ("aae", "vae"))
            assert "Dropout" not in layers

    def test_parameter_counts_by_hand_are_what_the_deviations_say(self, name):
        gan = make_gan(name)
        encoder = TRUNK_BN + (6272 + 1) * {"bigan": 100, "aae": 8}.get(name, 200)
        pair = TRUNK_BN + (100 + 1) * 256 + (6272 + 256 + 1) * 256 + (256 + 1)
        mlp = (8 + 1) * 1000 + (1000 + 1) * 1000 + (1000 + 1)
        d = {"bigan": pair, "ali": pair, "aae": mlp, "vae": 0, "vae_gan": TRUNK_BN + 6272 + 1}[name]
        assert (parameter_count(gan.encoder), parameter_count(gan.discriminator)) == (encoder, d)
        said = " ".join(gans.get(name).info.deviations)
        assert f"{encoder:,} parameters" in said
        if name in ("bigan", "ali", "aae"):
            assert f"{d:,} parameters" in said
        if name == "aae":
            assert f"{parameter_count(gan.generator):,}" in said
        if name == "bigan":
            assert f"{TRUNK_BN + 6273:,} with batch norm" in said

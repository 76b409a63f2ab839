"""GANs with an encoder: what D judges, each loss from the nets' own outputs, and who gets which gradient."""

import numpy as np
import pytest
import torch
from oracles import make_gan, turn
from recorded import Recorded, logistic, softplus
from torch.nn.functional import leaky_relu

import gans
from gans.contract import real_batch
from gans.inference.base import JointDiscriminator
from gans.networks import Dropout, Trunk


def seeded(gan, seed=3):
    gan.rng = torch.Generator().manual_seed(seed)
    return gan


def joint(pack=1, minibatch="none"):
    torch.manual_seed(0)
    return JointDiscriminator(Trunk(False, 0.0, pack), 5 * pack, 0.0, minibatch)


class TestJointDiscriminator:
    def test_a_score_depends_on_its_own_image_and_its_own_latent(self):
        d, images, latents = joint(), real_batch(3).images.requires_grad_(), torch.randn(3, 5, requires_grad=True)
        scores = d(images, latents)
        assert scores.shape == (3,)
        for gradient in torch.autograd.grad(scores[1], [images, latents]):
            assert gradient.flatten(1).abs().sum(1).gt(0).tolist() == [False, True, False]

    def test_a_pack_judges_neighbouring_images_with_their_latents(self):
        d, latents = joint(pack=2), torch.randn(4, 5, requires_grad=True)
        images = real_batch(4).images.requires_grad_()
        scores = d(images.reshape(2, 2, 28, 28), latents)
        for gradient in torch.autograd.grad(scores[1], [images, latents]):
            assert gradient.flatten(1).abs().sum(1).gt(0).tolist() == [False, False, True, True]

    def test_layer_by_layer(self):
        d, images, latents = joint(), real_batch(4).images, torch.randn(4, 5)
        first, (hidden, last) = d.embedding[0], (d.head[0], d.head[-1])
        embedded = leaky_relu(latents @ first.weight.T + first.bias, 0.3)
        pair = torch.cat([d.trunk(images), embedded], 1)
        expected = leaky_relu(pair @ hidden.weight.T + hidden.bias, 0.3) @ last.weight[0] + last.bias
        torch.testing.assert_close(d(images, latents), expected)

    def test_dropout_follows_each_hidden_layer(self):
        d = JointDiscriminator(Trunk(False, 0.0, 1), 5, 0.2)
        rates = [[layer.p for layer in part if isinstance(layer, Dropout)] for part in (d.embedding, d.head)]
        assert rates == [[0.2], [0.2]]

    @pytest.mark.parametrize(("minibatch", "more"), [("discrimination", 100), ("stddev", 1)])
    def test_a_statistic_stands_beside_the_features(self, minibatch, more):
        d = joint(minibatch=minibatch)
        assert d.head[0].in_features == 6272 + more + 256
        assert d(real_batch(4).images, torch.randn(4, 5)).shape == (4,)


@pytest.mark.parametrize("name", ["bigan", "ali"])
class TestPairs:
    def played(self, name, player, **config):
        """One turn's scalars with D's inputs and scores, the encoder's outputs and the batch."""
        gan, batch = seeded(make_gan(name, dropout=0.0, **config)), real_batch()
        d, encoder = Recorded(gan.discriminator), Recorded(gan.encoder)
        return gan, getattr(gan, f"{player}_turn")(batch), d, encoder.outputs[0], batch

    @pytest.mark.parametrize("player", ["d", "g"])
    def test_images_meet_their_codes_and_latents_their_fakes(self, name, player):
        gan, _, d, numbers, batch = self.played(name, player)
        ((images, codes), _), ((fakes, latents), _) = d.calls
        rng = torch.Generator().manual_seed(3)
        expected = torch.from_numpy(numbers[:, :100])
        if name == "ali":
            noise = torch.randn(8, 100, generator=rng)
            expected = expected + torch.from_numpy(numbers[:, 100:]).div(2).exp() * noise
        torch.testing.assert_close(codes.detach(), expected)
        torch.testing.assert_close(latents, torch.randn(8, 100, generator=rng))
        assert torch.equal(images, batch.images)
        with torch.no_grad():
            torch.testing.assert_close(fakes.detach(), gan.generator(latents))
        assert (codes.requires_grad, fakes.requires_grad) == ((player == "g"),) * 2

    def test_d_calls_the_data_with_its_codes_real(self, name):
        _, scalars, d, *_ = self.played(name, "d")
        real, fake = d.outputs
        assert scalars["loss"].item() == pytest.approx(logistic(real, fake), rel=1e-5)
        assert scalars["real_score"].item() == pytest.approx(real.mean(), rel=1e-4)

    def test_labels_of_data_alone_are_smoothed(self, name):
        _, scalars, d, *_ = self.played(name, "d", label_smoothing=0.1)
        real, fake = d.outputs
        expected = 0.9 * softplus(-real).mean() + 0.1 * softplus(real).mean() + softplus(fake).mean()
        assert scalars["loss"].item() == pytest.approx(expected, rel=1e-5)

    def test_loss_of_g_and_e_is_that_of_d_with_the_roles_exchanged(self, name):
        _, scalars, d, *_ = self.played(name, "g")
        real, fake = d.outputs
        assert scalars["loss"].item() == pytest.approx(logistic(fake, real), rel=1e-5)

    def test_both_terms_flip(self, name):
        """E wants its pairs called fake, G its own called real: E's term alone moves E, and G's alone moves G."""
        gan, batch = seeded(make_gan(name, dropout=0.0)), real_batch()
        loss = gan.g_turn(batch)["loss"]
        groups = [list(net.parameters()) for net in (gan.encoder, gan.generator)]
        ours = torch.autograd.grad(loss, groups[0] + groups[1])
        real, fake = seeded(gan).pair_scores(batch, constant=False)
        e = torch.autograd.grad((1 + real.exp()).log().mean(), groups[0], retain_graph=True)
        g = torch.autograd.grad((1 + (-fake).exp()).log().mean(), groups[1])
        # Running statistics are not used in train mode, so a second pass repeats the first.
        torch.testing.assert_close(ours, e + g, rtol=1e-3, atol=1e-6)


class TestVAEGAN:
    def test_loss_of_d_is_on_data_samples_and_reconstructions(self):
        gan, batch = seeded(make_gan("vae_gan")), real_batch()
        d, generator = Recorded(gan.discriminator), Recorded(gan.generator)
        scalars = gan.d_turn(batch)
        judged = [inputs[0] for inputs, _ in d.calls]
        from_prior, from_data = (output for _, output in generator.calls)
        assert all(map(torch.equal, judged, [batch.images, from_prior, from_data]))
        real, fake, rebuilt = d.outputs
        expected = logistic(real, fake) + softplus(rebuilt).mean()
        assert scalars["loss"].item() == pytest.approx(expected, rel=1e-5)

    def test_gradient_of_d_has_no_reconstruction_error_in_it(self):
        """D's update is that of a purely adversarial loss, whatever the error's weight; E's turn gives D nothing."""
        gan, batch = seeded(make_gan("vae_gan", gamma=1e6)), real_batch()
        ds = list(gan.discriminator.parameters())
        with torch.no_grad():
            fake = gan.generate(batch)
            rebuilt = gan.generator(gan.posterior(batch.images).sample(gan.rng))
        r, f, b = (gan.discriminator(images) for images in (batch.images, fake, rebuilt))
        adversarial = (1 + (-r).exp()).log() + (1 + f.exp()).log() + (1 + b.exp()).log()
        expected = torch.autograd.grad(adversarial.mean(), ds)
        turn(seeded(gan), "d").take(batch)
        torch.testing.assert_close([p.grad for p in ds], list(expected), rtol=1e-3, atol=1e-6)
        before = [p.grad.clone() for p in ds]
        turn(gan, "e").take(batch)
        turn(gan, "g").take(batch)
        assert all(torch.equal(p.grad, kept) for p, kept in zip(ds, before, strict=True))

    def test_loss_of_e_is_the_divergence_and_half_the_squared_distance_of_features(self):
        gan, batch = seeded(make_gan("vae_gan", bn=False)), real_batch(3)
        encoder, generator = Recorded(gan.encoder), Recorded(gan.generator)
        scalars = gan.e_turn(batch)
        (numbers,), (rebuilt,) = encoder.outputs, generator.outputs
        kl = error = 0.0
        with torch.no_grad():
            phi = [gan.discriminator.trunk(t).tolist() for t in (batch.images, torch.from_numpy(rebuilt))]
        for row in range(3):
            mean, log_variance = numbers[row].astype(float).reshape(2, 100)
            kl += sum(0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1)) / 3
            error += sum((a - b) ** 2 for a, b in zip(phi[0][row], phi[1][row], strict=True)) / 2 / 3
        assert scalars["kl"].item() == pytest.approx(kl, rel=1e-4)
        assert scalars["error"].item() == pytest.approx(error, rel=1e-4)
        assert scalars["loss"].item() == pytest.approx(kl + error, rel=1e-4)

    def test_e_gets_nothing_from_the_adversarial_loss(self):
        gan = make_gan("vae_gan")
        (head,) = torch.autograd.grad(
            gan.e_turn(real_batch())["loss"], [gan.discriminator.head.weight], allow_unused=True
        )
        assert head is None

    @pytest.mark.parametrize("gamma", [0.0, 0.3])
    def test_loss_of_g_weighs_the_error_and_fools_d_twice(self, gamma):
        gan, batch = seeded(make_gan("vae_gan", bn=False, gamma=gamma)), real_batch()
        d, generator = Recorded(gan.discriminator), Recorded(gan.generator)
        loss = gan.g_turn(batch)["loss"]
        rebuilt, fake = d.outputs
        with torch.no_grad():
            phi = [gan.discriminator.trunk(t) for t in (batch.images, generator.calls[0][1])]
        error = ((phi[0] - phi[1]) ** 2).sum(1).mean().item() / 2
        expected = gamma * error + softplus(-rebuilt).mean() + softplus(-fake).mean()
        assert loss.item() == pytest.approx(expected, rel=1e-4)
        unused = torch.autograd.grad(loss, list(gan.encoder.parameters()), allow_unused=True)
        assert unused == (None,) * len(unused), "G's turn knows E's codes as constants, hence no divergence"


class TestAAE:
    def test_d_tells_the_prior_from_codes_and_sees_no_image(self):
        gan, batch = seeded(make_gan("aae")), real_batch()
        d, encoder = Recorded(gan.discriminator), Recorded(gan.encoder)
        scalars = gan.d_turn(batch)
        (prior, code) = (inputs[0] for inputs, _ in d.calls)
        assert torch.equal(prior, torch.randn(8, 8, generator=torch.Generator().manual_seed(3)))
        assert torch.equal(code, encoder.calls[0][1])
        real, fake = d.outputs
        assert scalars["loss"].item() == pytest.approx(logistic(real, fake), rel=1e-5)

    def test_e_wants_its_codes_called_real(self):
        gan, batch = seeded(make_gan("aae")), real_batch()
        d = Recorded(gan.discriminator)
        loss = gan.e_turn(batch)["loss"].item()
        (scores,) = d.outputs
        assert loss == pytest.approx(softplus(-scores).mean(), rel=1e-5)

    def test_reconstruction_is_the_mean_squared_error_of_e_and_g(self):
        gan, batch = seeded(make_gan("aae")), real_batch()
        generator = Recorded(gan.generator)
        loss = gan.g_turn(batch)["loss"].item()
        (rebuilt,) = generator.outputs
        assert loss == pytest.approx(((rebuilt - batch.images.numpy()) ** 2).mean(), rel=1e-5)

    def test_turns_follow_the_papers_two_phases(self):
        turns = make_gan("aae", n_d=3).turns()
        assert [(t.name, t.every) for t in turns] == [("g", 3), ("d", 1), ("e", 3)]

    def test_factors_of_codes_work_and_those_of_images_are_skipped(self):
        cls = gans.get("aae")
        assert cls.skip(cls.Config(bn=True, spectral_norm=True)) is None
        assert make_gan("aae", pack=4).d_turn(real_batch())["loss"].ndim == 0
        for config in ({"augment": "diffaugment"}, {"feature_matching": True}, {"minibatch": "stddev"}):
            assert "D sees codes" in cls.skip(cls.Config(**config))


@pytest.mark.parametrize("unroll", [0, 1])
def test_vae_gans_target_is_a_constant_unless_g_looks_ahead(unroll):
    """D's features of the reals move with G where D's weights do."""
    gan = make_gan("vae_gan", bn=False, unroll=unroll)
    trunk, (images, rebuilt) = gan.discriminator.trunk, real_batch(8).images.chunk(2)
    target = trunk(images) if unroll else trunk(images).detach()
    expected = (target - trunk(rebuilt)).square().sum(1).mean() / 2
    for found, wanted in zip(
        *(torch.autograd.grad(e, list(trunk.parameters())) for e in (gan.feature_error(images, rebuilt), expected)),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)

"""CC-GAN, pix2pix and SRGAN: what each net is shown, losses from the nets' own outputs, who gets which gradient."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from class_oracles import naive_cross_entropy
from oracles import make_gan, turn
from recorded import Recorded, logistic, softplus
from torch import nn

import gans
from gans import Batch
from gans.contract import real_batch
from gans.fields import INPAINTING, SUPER_RESOLUTION

NAMES = ["ccgan", "pix2pix", "srgan"]
TOLERANCE = 1e-5  # float32 means against float64


def holed(n=8):
    """Images whose holes differ in place and size; the source holds rubbish there, which must not come through."""
    batch = real_batch(n, INPAINTING)
    known = torch.ones(n, 1, 28, 28)
    for i in range(n):
        known[i, :, i : i + 10, 2 * i : 2 * i + 6 + i] = 0
    return Batch(batch.images, batch.labels, torch.where(known == 1, batch.images, 0.5), known)


def batch_for(gan, n=8):
    return holed(n) if gan.field.holes else real_batch(n, gan.field)


def shown(recorded):
    return [inputs[0].detach().numpy() for inputs, _ in recorded.calls]


def shaken(gan):
    """The GAN with biases and norms away from their neutral start, which would hide a lost one."""
    with torch.no_grad():
        for p in gan.discriminator.parameters():
            p.add_(0.02 * torch.randn(p.shape, generator=gan.rng))
    return gan


def played(name, player, field=None, n=8, **config):
    """The GAN, one turn's scalars, the records of D and G, and the batch."""
    gan = shaken(make_gan(name, **config))
    batch = batch_for(gan, n)
    d, g = Recorded(gan.discriminator), Recorded(gan.generator)
    return gan, getattr(gan, f"{player}_turn")(batch), d, g, batch


@pytest.mark.parametrize("name", NAMES)
class TestEvery:
    def test_d_knows_fakes_as_constants_and_g_gets_its_gradient_through_d(self, name):
        for player, expected in (("d", [False, False]), ("g", [True])):
            _, _, d, _, _ = played(name, player)
            assert [inputs[0].requires_grad for inputs, _ in d.calls] == expected

    def test_labels_of_reals_alone_are_smoothed(self, name):
        settings = {"lambda_class": 0.0} if name == "ccgan" else {}
        _, scalars, d, _, _ = played(name, "d", label_smoothing=0.1, **settings)
        real, fake = (o[:, 0] if o.ndim == 2 else o for o in d.outputs)
        expected = 0.9 * softplus(-real).mean() + 0.1 * softplus(real).mean() + softplus(fake).mean()
        assert scalars["loss"].item() == pytest.approx(expected, rel=TOLERANCE)
        assert scalars["real_score"].item() == pytest.approx(real.mean(), rel=1e-4)
        assert scalars["fake_score"].item() == pytest.approx(fake.mean(), rel=1e-4)

    def test_without_a_source_it_says_what_is_missing(self, name):
        gan = make_gan(name)
        batch = replace(batch_for(gan), source=None)
        with pytest.raises(ValueError, match="the batch has no source; this algorithm plays on image-to-image fields"):
            gan.generate(batch)

    def test_factors_of_latents_are_skipped(self, name):
        cls = gans.get(name)
        for factor in ({"latent_step": 0.9}, {"mode_seeking": 1.0}):
            assert "no latents" in cls.skip(cls.Config(bn=False, **factor))


@pytest.mark.parametrize(
    ("name", "factor", "words"),
    [
        ("ccgan", {"pack": 2}, "a label belongs to one"),
        ("pix2pix", {"minibatch": "stddev"}, "patches"),
        ("pix2pix", {"top_k": 0.5}, "patches"),
        ("pix2pix", {"feature_matching": True}, "pairs"),
        ("srgan", {"feature_matching": True}, "place of the content loss"),
    ],
)
def test_what_does_not_compose_is_skipped(name, factor, words):
    cls = gans.get(name)
    assert words in cls.skip(cls.Config(**factor))


class TestCCGAN:
    def test_known_pixels_stay_and_the_hole_is_gs(self):
        gan, batch = make_gan("ccgan"), holed()
        g = Recorded(gan.generator)
        made = gan.generate(batch).detach().numpy()
        (filled,), (given,) = g.outputs, shown(g)
        assert np.array_equal(given, batch.source.numpy())
        known = batch.known.numpy() == 1
        assert np.array_equal(made[known], batch.images.numpy()[known])
        assert np.array_equal(made[~known], filled[~known])

    @pytest.mark.parametrize("player", ["d", "g"])
    def test_d_is_shown_whole_reals_and_composites(self, player):
        _, _, d, g, batch = played("ccgan", player)
        (filled,) = g.outputs
        composite = np.where(batch.known.numpy() == 1, batch.images.numpy(), filled)
        expected = [batch.images.numpy(), composite] if player == "d" else [composite]
        assert all(map(np.array_equal, shown(d), expected))
        assert len(d.calls) == len(expected)

    @pytest.mark.parametrize("weight", [0.0, 0.7])
    def test_loss_of_d_adds_the_weighted_class_of_reals(self, weight):
        _, scalars, d, _, batch = played("ccgan", "d", lambda_class=weight)
        real, fake = d.outputs
        assert real.shape == (8, 11)
        of_class = naive_cross_entropy(real[:, 1:].astype(float), batch.labels.numpy())
        expected = logistic(real[:, 0], fake[:, 0]) + weight * of_class
        assert scalars["loss"].item() == pytest.approx(expected, rel=TOLERANCE)

    def test_c_learns_of_reals_only(self):
        """The derivative of weight times the mean cross entropy is weight (softmax - one-hot) / N."""
        gan, batch, outputs = shaken(make_gan("ccgan", lambda_class=0.7)), holed(), []
        gan.discriminator.register_forward_hook(lambda _m, _i, output: outputs.append(output))
        real, fake = torch.autograd.grad(gan.d_turn(batch)["loss"], outputs)
        logits = outputs[0][:, 1:].detach().double().numpy()
        softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        expected = 0.7 * (softmax - np.eye(10)[batch.labels.numpy()]) / 8
        np.testing.assert_allclose(real[:, 1:].numpy(), expected, rtol=1e-4, atol=1e-7)
        assert not fake[:, 1:].any()
        assert fake[:, 0].all()

    def test_without_class_weight_labels_change_no_gradient_of_d(self):
        def gradients(labels):
            gan = shaken(make_gan("ccgan", lambda_class=0.0, dropout=0.0))
            turn(gan, "d").take(replace(holed(), labels=labels))
            return [p.grad for p in gan.discriminator.parameters()]

        first, second = gradients(torch.arange(8)), gradients(torch.arange(8).flip(0))
        assert all(map(torch.equal, first, second))

    def test_loss_of_g_is_ds_verdict_alone(self):
        """No term knows the label or the hidden pixels."""
        _, scalars, d, _, batch = played("ccgan", "g")
        (fake,) = d.outputs
        assert scalars["loss"].item() == pytest.approx(softplus(-fake[:, 0]).mean(), rel=TOLERANCE)
        hidden = replace(batch, images=batch.images * batch.known, labels=batch.labels.flip(0))
        losses = [shaken(make_gan("ccgan", dropout=0.0)).g_turn(b)["loss"] for b in (batch, hidden)]
        assert losses[0] == losses[1]

    def test_gradient_of_gs_loss_is_zero_for_pixels_outside_the_hole(self):
        gan, batch, outputs = make_gan("ccgan"), holed(), []
        gan.generator.register_forward_hook(lambda _m, _i, output: outputs.append(output))
        (gradient,) = torch.autograd.grad(gan.g_turn(batch)["loss"], outputs)
        assert not gradient[batch.known == 1].any()
        assert gradient[batch.known == 0].ne(0).float().mean() > 0.99

    def test_without_a_mask_it_says_what_is_missing(self):
        with pytest.raises(ValueError, match="the batch has no mask of known pixels"):
            make_gan("ccgan").generate(replace(holed(), known=None))


class TestPix2Pix:
    def test_a_score_is_the_head_on_a_patch_of_the_trunks_maps(self):
        gan = shaken(make_gan("pix2pix")).eval()
        d, images = gan.discriminator, torch.cat([holed(3).source, holed(3).images], 1)
        with torch.no_grad():
            maps, scores = d.trunk.layers(images).double().numpy(), d(images).numpy()
        weight, bias = d.head.weight[0].detach().double().numpy(), d.head.bias.item()
        patches = [maps[n, :, r : r + 4, c : c + 4] for n in range(3) for r in range(4) for c in range(4)]
        expected = [(patch * weight).sum() + bias for patch in patches]
        assert bias != 0
        np.testing.assert_allclose(scores, expected, rtol=1e-4, atol=1e-5)

    def test_a_score_depends_on_the_22_pixels_of_its_own_field_and_on_no_other(self):
        """Of the patch in row r: rows 2 r - 1 to 2 r + 8 of 14, and so 4 r - 3 to 4 r + 18 of 28; columns alike."""
        gan = shaken(make_gan("pix2pix")).eval()
        images = torch.cat([holed(2).source, holed(2).images], 1).requires_grad_()
        scores = gan.discriminator(images)
        assert scores.shape == (32,)
        for place, score in enumerate(scores):
            n, r, c = np.unravel_index(place, (2, 4, 4))
            expected = torch.zeros(2, 2, 28, 28, dtype=torch.bool)
            expected[n, :, max(4 * r - 3, 0) : 4 * r + 19, max(4 * c - 3, 0) : 4 * c + 19] = True
            (gradient,) = torch.autograd.grad(score, images, retain_graph=True)
            assert torch.equal(gradient != 0, expected)

    @pytest.mark.parametrize("player", ["d", "g"])
    def test_d_is_shown_the_source_beside_the_image(self, player):
        _, _, d, g, batch = played("pix2pix", player)
        images = [batch.images.numpy(), *g.outputs] if player == "d" else g.outputs
        expected = [np.concatenate([batch.source.numpy(), i], 1) for i in images]
        assert all(map(np.array_equal, shown(d), expected))
        assert len(d.calls) == len(expected)

    def test_loss_of_d_is_the_mean_over_all_patches(self):
        _, scalars, d, _, _ = played("pix2pix", "d")
        real, fake = d.outputs
        assert real.shape == fake.shape == (16 * 8,)
        assert scalars["loss"].item() == pytest.approx(logistic(real, fake), rel=TOLERANCE)

    def test_loss_of_g_adds_the_weighted_mean_absolute_error(self):
        assert gans.get("pix2pix").Config().lambda_l1 == 100
        _, scalars, d, g, batch = played("pix2pix", "g", lambda_l1=7.0)
        (fake,), (made,) = d.outputs, g.outputs
        error = sum(abs(a - b) for a, b in zip(made.ravel(), batch.images.numpy().ravel(), strict=True)) / (8 * 784)
        assert scalars["l1"].item() == pytest.approx(error, rel=TOLERANCE)
        assert scalars["adversarial"].item() == pytest.approx(softplus(-fake).mean(), rel=TOLERANCE)
        assert scalars["loss"].item() == pytest.approx(softplus(-fake).mean() + 7 * error, rel=TOLERANCE)

    def test_a_small_source_is_enlarged_to_squares(self):
        torch.manual_seed(0)
        gan, batch = gans.get("pix2pix")(field=SUPER_RESOLUTION), real_batch(3, SUPER_RESOLUTION)
        d, g = Recorded(gan.discriminator), Recorded(gan.generator)
        gan.d_turn(batch)
        squares = np.kron(batch.source.numpy(), np.ones((4, 4), np.float32))
        assert all(np.array_equal(pair[:, :1], squares) for pair in shown(d))
        assert np.array_equal(*shown(g), squares)

    def test_a_pack_judges_pairs_side_by_side(self):
        _, _, d, _, batch = played("pix2pix", "d", pack=2)
        (source, images), (seen, _) = (batch.source.numpy(), batch.images.numpy()), shown(d)
        channels = [part[i] for i in (2, 3) for part in (source, images)]
        assert np.array_equal(seen[1], np.concatenate(channels))
        assert d.outputs[0].shape == (16 * 4,)

    def test_upward_layers_of_the_u_net_see_what_their_size_looked_like(self):
        net, source = make_gan("pix2pix").generator, holed().source
        down1, up1, up2, image = (Recorded(part) for part in (net.down1, net.up1, net.up2, net.image))
        net(source)
        assert all(map(np.array_equal, shown(up2), [np.concatenate([*up1.outputs, *down1.outputs], 1)]))
        assert all(map(np.array_equal, shown(image), [np.concatenate([*up2.outputs, source.numpy()], 1)]))


class Phi(nn.Module):
    """Means of 4x4 squares times a weight, behind a dropout and a norm that show whether phi is in eval mode."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.5))
        self.behind = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm2d(1, eps=0, affine=False))

    def forward(self, images):
        return self.behind(self.weight * nn.functional.avg_pool2d(images, 4))


class TestSRGAN:
    def gan(self, **config):
        cls = gans.get("srgan")
        torch.manual_seed(0)
        gan = cls(cls.Config(**config), replace(SUPER_RESOLUTION, content=Phi))
        gan.rng = torch.Generator().manual_seed(0)
        return shaken(gan).train()

    def test_content_is_the_mean_squared_error_of_frozen_features(self):
        gan, batch = self.gan(), real_batch(8, SUPER_RESOLUTION)
        g = Recorded(gan.generator)
        content = gan.g_turn(batch)["content"].item()
        squares = [i.astype(float).reshape(8, 7, 4, 7, 4).mean((2, 4)) for i in (batch.images.numpy(), *g.outputs)]
        assert content == pytest.approx(1.5**2 * ((squares[0] - squares[1]) ** 2).mean(), rel=TOLERANCE)

    def test_gradient_of_content_reaches_g_through_phi(self):
        """d/d pixel of the mean of w^2 (mean of its square - target)^2 is 2 w^2 (mean - target) / 16 a square."""
        gan, batch, outputs = self.gan(), real_batch(8, SUPER_RESOLUTION), []
        gan.generator.register_forward_hook(lambda _m, _i, output: outputs.append(output))
        (gradient,) = torch.autograd.grad(gan.g_turn(batch)["content"], outputs)
        error = (outputs[0] - batch.images).detach().double().numpy().reshape(8, 7, 4, 7, 4).mean((2, 4))
        expected = np.kron(2 * 1.5**2 * error[:, None] / 16 / error.size, np.ones((4, 4)))
        np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-3, atol=1e-8)

    def test_phi_gets_no_gradient_is_in_no_turn_and_stays_in_eval_mode(self):
        gan = self.gan()
        phi = list(gan.phi.parameters())
        kept = [t.clone() for t in gan.phi.state_dict().values()]
        gan.train()
        assert not any(m.training for m in gan.phi.network.modules())
        assert len(phi) == 1
        for taken in gan.turns():
            taken.take(real_batch(8, SUPER_RESOLUTION))
            assert not {id(p) for p in phi} & {id(p) for p in taken.parameters}
        assert all(p.grad is None and not p.requires_grad for p in phi)
        assert all(map(torch.equal, kept, gan.phi.state_dict().values()))

    def test_phi_is_not_the_live_d(self):
        """In whose features G could shrink the content loss instead of matching."""
        gan, batch = self.gan(), real_batch(8, SUPER_RESOLUTION)
        first = gan.g_turn(batch)["content"]
        second = shaken(gan).g_turn(batch)["content"]
        assert first == second

    def test_loss_of_g_weighs_the_verdict(self):
        assert gans.get("srgan").Config().lambda_adversarial == 1e-3
        _, scalars, d, _, _ = played("srgan", "g", lambda_adversarial=0.3)
        (fake,) = d.outputs
        assert scalars["adversarial"].item() == pytest.approx(softplus(-fake).mean(), rel=TOLERANCE)
        expected = scalars["content"].item() + 0.3 * softplus(-fake).mean()
        assert scalars["loss"].item() == pytest.approx(expected, rel=TOLERANCE)

    def test_top_k_drops_verdicts_and_no_content(self):
        gan, batch = self.gan(top_k=0.25, lambda_adversarial=1.0), real_batch(8, SUPER_RESOLUTION)
        gan.progress = 1.0
        d = Recorded(gan.discriminator)
        scalars = gan.g_turn(batch)
        best = np.sort(d.outputs[0])[-2:]
        assert scalars["adversarial"].item() == pytest.approx(softplus(-best).mean(), rel=TOLERANCE)
        assert scalars["content"] == self.gan().g_turn(batch)["content"]

    def test_content_of_pixels_is_their_mean_squared_error_and_needs_no_classifier(self):
        cls, batch = gans.get("srgan"), real_batch(8, SUPER_RESOLUTION)
        gan = cls(cls.Config(content="pixels"), SUPER_RESOLUTION)
        g = Recorded(gan.generator)
        content = gan.g_turn(batch)["content"].item()
        (made,) = g.outputs
        assert content == pytest.approx(((made.astype(float) - batch.images.numpy()) ** 2).mean(), rel=TOLERANCE)

    def test_a_field_without_content_says_what_to_set(self):
        with pytest.raises(ValueError, match="no frozen classifier for the content loss; set content=pixels"):
            gans.get("srgan")(field=SUPER_RESOLUTION)

    def test_g_sees_the_source_and_d_images_alone_with_the_tutorials_kernels_of_5(self):
        gan, scalars, d, g, batch = played("srgan", "d")
        assert all(map(np.array_equal, shown(d), [batch.images.numpy(), *g.outputs]))
        assert gan.discriminator.trunk.layers[0].weight.shape == (64, 1, 5, 5)
        assert np.array_equal(*shown(g), batch.source.numpy())
        assert scalars["loss"].item() == pytest.approx(logistic(*d.outputs), rel=TOLERANCE)

    def test_residual_blocks_of_g_add_to_what_they_are_given(self):
        net = make_gan("srgan", blocks=2).generator
        enter, first, second, leave = (Recorded(part) for part in (net.enter, *net.blocks, net.leave))
        net(real_batch(8, SUPER_RESOLUTION).source)
        (features,), (one,), (two,) = enter.outputs, first.outputs, second.outputs
        np.testing.assert_allclose(*shown(second), features + one, rtol=1e-6)
        np.testing.assert_allclose(*shown(leave), features + one + two, rtol=1e-5, atol=1e-6)


def test_pix2pixs_ada_counts_images_and_not_their_patches():
    gan = make_gan("pix2pix", augment="ada", ada_images=1000, ada_target=0.0)
    nn.init.constant_(gan.discriminator.head.bias, 5.0)
    for _ in range(4):
        gan.d_turn(holed())
    assert gan.view.ada.p.item() == pytest.approx(4 * 8 / 1000)

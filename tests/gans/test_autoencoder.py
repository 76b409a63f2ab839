"""Autoencoder heads: energies, hinge and pulling-away term by loops, BEGAN's k and MAGAN's margin by their rules."""

import itertools
import math

import pytest
import torch
from oracles import make_gan
from torch import nn

import gans
from gans.autoencoder.base import AutoencoderDiscriminator, energy_margin, pulling_away
from gans.contract import real_batch
from gans.networks import Generator, Trunk, parameter_count

NAMES = ["ebgan", "began", "magan"]


def discriminator(power=2, code_dim=10):
    torch.manual_seed(0)
    return AutoencoderDiscriminator(Trunk(bn=False, dropout=0.0), code_dim, power)


def leaves(module):
    """Name and parameter shapes of every layer that has none below it."""
    layers = [m for m in module.modules() if not list(m.children())]
    return [(type(m).__name__, [tuple(p.shape) for p in m.parameters()]) for m in layers]


class TestDiscriminator:
    def test_layers_are_the_trunks_and_the_generators_without_batch_norm(self):
        d = discriminator(code_dim=100)
        assert not [m for m in d.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        uniform, ours = (
            [layer for layer in leaves(module) if "BatchNorm" not in layer[0] and layer[0] != "Identity"]
            for module in (Generator(100), d.decoder)
        )
        assert ours == uniform

    def test_parameter_count_by_hand_is_what_the_deviations_say(self):
        trunk = (16 * 64 + 64) + (64 * 128 * 16 + 128)
        decoder = (128 * 64 * 16 + 64) + (64 * 32 * 16 + 32) + (32 * 16 + 1)
        for name in NAMES:
            length, count = (16, 503_729) if name == "began" else (100, 1_557_509)
            code = 6272 * length + length + length * 6272 + 6272
            assert parameter_count(make_gan(name).discriminator) == trunk + code + decoder == count
            assert any(f"{count:,}" in deviation for deviation in gans.get(name).info.deviations)

    @pytest.mark.parametrize("name", NAMES)
    def test_spectral_norm_reaches_every_weight_of_encoder_and_decoder(self, name):
        d = make_gan(name, spectral_norm=True).discriminator
        for _ in range(50):
            d(real_batch(2).images)
        layers = [m for m in d.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
        assert len(layers) == 2 + 1 + 4
        for layer in layers:
            weight = layer.weight.detach()
            matrix = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
            assert torch.linalg.matrix_norm(matrix.flatten(1), 2).item() == pytest.approx(1, abs=0.03)

    @pytest.mark.parametrize("power", [1, 2])
    def test_score_is_the_negative_mean_error_of_each_image(self, power):
        d, images = discriminator(power), real_batch(3).images
        with torch.no_grad():
            scores = d(images)
            for image, score in zip(images, scores, strict=True):
                decoded = d.decoder(d.code(d.trunk(image[None])))[0]
                errors = [abs(a - b) ** power for a, b in zip(decoded.flatten(), image.flatten(), strict=True)]
                assert score.item() == pytest.approx(-sum(errors).item() / 784, rel=1e-4)

    @pytest.mark.parametrize("name", NAMES)
    def test_power_of_the_error(self, name):
        assert make_gan(name).discriminator.power == (1 if name == "began" else 2)

    @pytest.mark.parametrize("name", NAMES)
    def test_energy_is_differentiated_through_reconstruction_and_target(self, name):
        """Against a central difference along one direction; a detached target would lose a part of it."""
        d = make_gan(name).discriminator.double()
        images = real_batch(2).images.double()
        direction = torch.randn(images.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        x = images.clone().requires_grad_()
        d(x).sum().backward()
        with torch.no_grad():
            difference = (d(images + 1e-6 * direction) - d(images - 1e-6 * direction)).sum() / 2e-6
        assert (x.grad * direction).sum().item() == pytest.approx(difference.item(), rel=1e-4)

    @pytest.mark.parametrize("name", NAMES)
    def test_batch_norm_is_off_and_skipped_with_a_reason(self, name):
        cls = gans.get(name)
        assert (cls.Config().bn, cls.Config().dropout) == (False, 0.0)
        assert "batch norm" in cls.skip(cls.Config(bn=True))


class TestHingeAndPull:
    def test_hinge_is_on_each_fake_and_not_on_their_mean(self):
        real, fake = torch.tensor([0.1, 0.3]), torch.tensor([0.0, 2.0])
        assert energy_margin(real, fake, 1.0).item() == pytest.approx(0.2 + 0.5)

    def test_d_lowers_reals_and_raises_fakes_below_the_margin_only(self):
        real, fake = torch.tensor([0.1, 0.3], requires_grad=True), torch.tensor([0.2, 2.0], requires_grad=True)
        energy_margin(real, fake, torch.tensor(1.0)).backward()
        assert real.grad.tolist() == [0.5, 0.5]
        assert fake.grad.tolist() == [-0.5, 0.0]

    def test_energies_must_be_vectors(self):
        with pytest.raises(ValueError, match="vectors"):
            energy_margin(torch.zeros(4, 1), torch.zeros(4), 1.0)

    def test_pulling_away_by_two_loops(self):
        codes = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        total = 0.0
        for i, j in itertools.product(range(5), repeat=2):
            if i != j:
                dot = sum(a * b for a, b in zip(codes[i].tolist(), codes[j].tolist(), strict=True))
                total += (dot / math.hypot(*codes[i].tolist()) / math.hypot(*codes[j].tolist())) ** 2
        assert pulling_away(codes).item() == pytest.approx(total / 20, rel=1e-12)

    def test_pulling_away_of_parallel_opposite_and_orthogonal_codes(self):
        """The square: opposite codes count as much as equal ones, where the bare cosine would reward them."""
        a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])
        assert pulling_away(torch.stack([a, 5 * a])).item() == pytest.approx(1)
        assert pulling_away(torch.stack([a, -a])).item() == pytest.approx(1)
        assert pulling_away(torch.stack([a, b])).item() == pytest.approx(0)


def energies(d, images):
    """Energies from the layers themselves, squared error."""
    with torch.no_grad():
        return (d.decoder(d.code(d.trunk(images))) - images).square().mean((1, 2, 3))


class TestEBGAN:
    def test_losses_from_the_layers(self):
        gan, batch = make_gan("ebgan", margin=0.9, lambda_pt=2.0), real_batch()
        gan.rng = torch.Generator().manual_seed(3)
        d_loss = gan.d_turn(batch)["loss"].item()
        gan.rng = torch.Generator().manual_seed(3)
        scalars = gan.g_turn(batch)
        gan.rng = torch.Generator().manual_seed(3)
        with torch.no_grad():
            fake = gan.generate(batch)
            codes = gan.discriminator.code(gan.discriminator.trunk(fake))
        on_reals, on_fakes = energies(gan.discriminator, batch.images), energies(gan.discriminator, fake)
        hinge = sum(max(0.0, 0.9 - energy) for energy in on_fakes.tolist()) / 8
        assert hinge > 0
        assert d_loss == pytest.approx(on_reals.mean().item() + hinge, rel=1e-5)
        pull = pulling_away(codes).item()
        assert scalars["pulling_away"].item() == pytest.approx(pull, rel=1e-4)
        assert scalars["loss"].item() == pytest.approx(on_fakes.mean().item() + 2 * pull, rel=1e-4)


@pytest.mark.parametrize("name", ["began", "magan"])
def test_g_lowers_the_energy_of_its_fakes(name):
    gan = make_gan(name)
    scores = torch.tensor([-0.2, -0.6], requires_grad=True)
    loss = gan.g_loss(scores)
    assert loss.item() == pytest.approx(0.4)
    loss.backward()
    assert scores.grad.tolist() == [-0.5, -0.5]


class TestBEGAN:
    def test_k_starts_at_zero_and_weighs_the_fakes(self):
        gan = make_gan("began")
        real, fake = -torch.tensor([0.2, 0.4]), -torch.tensor([0.1, 0.3])
        assert gan.d_loss(real, fake).item() == pytest.approx(0.3)
        gan.k = torch.tensor(0.5)
        assert gan.d_loss(real, fake).item() == pytest.approx(0.3 - 0.5 * 0.2)

    def test_k_follows_the_balance_of_each_turn_of_d_and_is_clipped(self):
        gan = make_gan("began", gamma=0.6, lambda_k=2.0)
        d = gan.turns()[0]
        k, seen = 0.0, set()
        for scale in (1.0, 1.0, 0.02, 0.02, 0.02, 1.0):
            before = k
            scores = []
            hook = gan.discriminator.register_forward_hook(lambda _m, _i, out, kept=scores: kept.append(out.detach()))
            with torch.no_grad():
                gan.generator.upsample[-2].weight.mul_(scale)  # G's contrast, hence the energy of its fakes
            scalars = d.take(real_batch())
            hook.remove()
            real, fake = (-kind.mean().item() for kind in scores)
            assert scalars["k"].item() == pytest.approx(before, abs=1e-6), "the turn uses k from before its update"
            assert scalars["loss"].item() == pytest.approx(real - before * fake, rel=1e-4)
            assert scalars["convergence"].item() == pytest.approx(real + abs(0.6 * real - fake), rel=1e-5)
            k = min(1.0, max(0.0, k + 2.0 * (0.6 * real - fake)))
            assert gan.k.item() == pytest.approx(k, abs=1e-5)
            seen.add("up" if k > before else "down" if k < before else "same")
        assert "up" in seen
        gan._balance = torch.tensor(9.0)
        gan.update_k()
        assert gan.k.item() == 1
        gan._balance = torch.tensor(-9.0)
        gan.update_k()
        assert gan.k.item() == 0

    def test_k_is_a_buffer_and_moves_after_d_alone(self):
        gan = make_gan("began")
        turns = {turn.name: turn for turn in gan.turns()}
        assert turns["g"].after is None
        turns["d"].take(real_batch())
        assert "k" in dict(gan.named_buffers())


class TestMAGAN:
    def test_margin_of_the_hinge_is_the_adaptive_one(self):
        gan = make_gan("magan", margin=0.5)
        real, fake = -torch.tensor([0.1, 0.3]), -torch.tensor([0.0, 2.0])
        assert gan.d_loss(real, fake).item() == pytest.approx(0.2 + 0.25)
        gan.margin = torch.tensor(0.1)
        assert gan.d_loss(real, fake).item() == pytest.approx(0.2 + 0.05)

    # (energy of reals, of fakes) of each epoch, and the margin after it, from 0.5: the first has no epoch before it;
    # then all three conditions hold; reals above the margin; fakes below the epoch before, twice; reals above fakes;
    # all hold.
    EPOCHS = [(0.4, 0.6, 0.5), (0.3, 0.7, 0.3), (0.4, 0.9, 0.3), (0.2, 0.8, 0.3), (0.29, 0.1, 0.3),
              (0.2, 0.15, 0.3), (0.1, 0.2, 0.1)]  # fmt: skip

    def test_margin_moves_by_the_papers_rule_at_the_end_of_an_epoch(self):
        gan = make_gan("magan", margin=0.5, epoch_images=20)
        margin = 0.5
        for real, fake, after in self.EPOCHS:
            for part in (0.5, 1.5):  # two batches of 10 whose mean is the epoch's
                assert gan.margin.item() == pytest.approx(margin)
                gan._latest = 10 * torch.tensor([part * real, part * fake, 1.0])
                gan.adapt_margin()
            margin = after
            assert gan.margin.item() == pytest.approx(margin)
        assert not gan.totals.any()

    def test_a_turn_of_d_counts_its_images_and_energies(self):
        gan = make_gan("magan", epoch_images=100)
        d = gan.turns()[0]
        real = fake = 0.0
        for n in (8, 3):
            scalars = d.take(real_batch(n))
            real, fake = real - n * scalars["real_score"].item(), fake - n * scalars["fake_score"].item()
        torch.testing.assert_close(gan.totals, torch.tensor([real, fake, 11.0]), rtol=1e-5, atol=0)
        assert {"margin", "totals", "previous_fake_energy"} <= dict(gan.named_buffers()).keys()

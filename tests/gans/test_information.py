"""InfoGAN's codes and mutual information, and SSGAN's rotations: against loops, numpy and the definitions."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import gans
from gans import Batch, codes
from gans.contract import make, parameters, real_batch
from gans.information.infogan import InfoGAN
from gans.information.ssgan import SSGAN, rotated


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def some_codes(n, seed=0):
    return codes.draw(n, torch.device("cpu"), generator(seed))


def naive_log_likelihood(outputs, wanted):
    """log softmax of the class and log N(c; mean, 1) of both numbers, one by one."""
    found = []
    for o, c in zip(outputs.tolist(), wanted.tolist(), strict=True):
        label = c[:10].index(1.0)
        value = math.log(math.exp(o[label]) / sum(math.exp(logit) for logit in o[:10]))
        for mean, number in zip(o[10:], c[10:], strict=True):
            value += math.log(math.exp(-((number - mean) ** 2) / 2) / math.sqrt(2 * math.pi))
        found.append(value)
    return found


def test_log_likelihood_against_loops():
    outputs, wanted = torch.randn(7, 12, generator=generator(), dtype=torch.float64), some_codes(7).double()
    assert codes.log_likelihood(outputs, wanted).tolist() == pytest.approx(
        naive_log_likelihood(outputs, wanted), rel=1e-12
    )


def test_information_is_0_in_the_class_for_a_q_that_knows_nothing_and_its_entropy_for_one_that_knows():
    wanted = some_codes(50)
    gaussian = -math.log(2 * math.pi)
    right = torch.cat([100 * wanted[:, :10], wanted[:, 10:]], 1)
    assert codes.log_likelihood(right, wanted).tolist() == pytest.approx([gaussian] * 50, abs=1e-5)
    ignorant = torch.cat([torch.zeros(50, 10), wanted[:, 10:]], 1)
    assert codes.log_likelihood(ignorant, wanted).tolist() == pytest.approx([gaussian - math.log(10)] * 50, abs=1e-5)
    # H(U(-1, 1)) = log 2, twice
    assert pytest.approx(math.log(10) + math.log(4)) == codes.ENTROPY


def test_latents_are_noise_a_one_hot_class_and_two_numbers():
    gan = make(InfoGAN)
    latent = gan.latent(4000)
    assert latent.shape == (4000, 62 + 10 + 2)
    noise, classes, numbers = latent[:, :62], latent[:, 62:72], latent[:, 72:]
    assert noise.std().item() == pytest.approx(1, abs=0.01)
    assert set(classes.unique().tolist()) == {0, 1}
    assert torch.equal(classes.sum(1), torch.ones(4000))
    # 4000 draws: a share of 0.1 is 0.005 off, a mean of U(-1, 1) 0.009, its standard deviation 1 / sqrt 3 0.004
    assert classes.mean(0).tolist() == pytest.approx([0.1] * 10, abs=0.02)
    assert numbers.abs().max() <= 1
    assert numbers.mean(0).tolist() == pytest.approx([0, 0], abs=0.04)
    assert numbers.std(0).tolist() == pytest.approx([3**-0.5] * 2, abs=0.02)
    assert gan.clusters(latent).tolist() == [row.index(1.0) for row in classes.tolist()]
    assert gan.conditional is False and gan.info.needs_labels is False


def test_sweeps_change_one_code_and_nothing_else():
    gan = make(InfoGAN)
    latent = gan.latent(3)
    sweeps = gan.sweeps(latent)
    assert list(sweeps) == ["class", "number_1", "number_2"]
    for name, own in (("class", slice(62, 72)), ("number_1", slice(72, 73)), ("number_2", slice(73, 74))):
        sweep = sweeps[name]
        assert sweep.shape == (3, 10, 74)
        rest = [i for i in range(74) if i not in range(own.start, own.stop)]
        assert torch.equal(sweep[..., rest], latent[:, None, rest].expand(-1, 10, -1))
        expected = np.eye(10) if name == "class" else (-2 + 4 * np.arange(10) / 9)[:, None]
        for row in sweep[..., own]:
            np.testing.assert_allclose(row.numpy(), expected, atol=1e-6)
    assert gan.clusters(sweeps["class"].flatten(0, 1)).tolist() == [*range(10)] * 3


@pytest.fixture
def informed():
    """InfoGAN whose D is a function of the image alone, so that both turns can be computed again."""
    gan = make(InfoGAN, bn=False, lambda_info=0.7)
    return gan, gan.rng.get_state()


def again(gan, state, n=8):
    """Scores of the fakes and the mutual information of a turn that began at `state`, by hand."""
    gan.rng.set_state(state)
    latent = gan.latent(n)
    d = gan.discriminator
    features = d.trunk(gan.generator(latent))
    information = np.mean(naive_log_likelihood(gan.q(d.codes(features)), latent[:, 62:]))
    return d.head(features).squeeze(1), information + math.log(40)


def test_d_s_and_g_s_loss_both_subtract_the_information(informed):
    gan, state = informed
    scalars = gan.d_turn(real_batch(8))
    f, information = again(gan, state)
    r = gan.discriminator.head(gan.discriminator.trunk(real_batch(8).images)).squeeze(1)
    expected = F.softplus(-r).mean() + F.softplus(f).mean() - 0.7 * information
    assert scalars["loss"].item() == pytest.approx(expected.item(), rel=1e-4)
    assert scalars["information"].item() == pytest.approx(information, rel=1e-4)
    gan.rng.set_state(state)
    scalars = gan.g_turn(real_batch(8))
    f, information = again(gan, state)
    assert scalars["loss"].item() == pytest.approx((F.softplus(-f).mean() - 0.7 * information).item(), rel=1e-4)


@pytest.mark.parametrize(("turn", "player"), [("d", "discriminator.trunk"), ("g", "generator")])
def test_information_reaches_the_players_parameters_in_each_turn(turn, player):
    gradients = []
    for weight in (0.0, 1.0):
        gan = make(InfoGAN, lambda_info=weight)
        {t.name: t for t in gan.turns()}[turn].take(real_batch(8))
        gradients.append([p.grad.clone() for name, p in gan.named_parameters() if name.startswith(player)])
    assert not any(torch.allclose(a, b, rtol=1e-3, atol=0) for a, b in zip(*gradients, strict=True) if a.ndim > 1)


def test_q_learns_with_d_and_labels_are_never_used():
    after = []
    for labels in (torch.arange(8), torch.zeros(8, dtype=torch.int64)):
        gan = make(InfoGAN)
        d, g = gan.turns()
        own = [{id(p) for p in turn.parameters} for turn in (d, g)]
        assert all((id(p) in own[0], id(p) in own[1]) == (True, False) for p in gan.q.parameters())
        for turn in (d, g):
            turn.take(Batch(real_batch(8).images, labels))
        after.append(parameters(gan))
    assert all(torch.equal(p, after[1][key]) for key, p in after[0].items())


@pytest.mark.parametrize("n", [4, 8, 9])
def test_rotations_of_a_quarter_of_the_batch_against_numpy(n):
    images = torch.rand(n, 2, 6, 6, generator=generator())
    found, turns = rotated(images)
    quarter = n // 4
    assert turns.tolist() == [0] * quarter + [1] * quarter + [2] * quarter + [3] * quarter
    for i, (image, k) in enumerate(zip(found.numpy(), turns.tolist(), strict=True)):
        np.testing.assert_array_equal(image, np.rot90(images[i % quarter].numpy(), k, (1, 2)))
    assert not torch.equal(found[:quarter], found[quarter : 2 * quarter])


@pytest.fixture
def turning():
    """SSGAN without spectral norm, whose power iteration moves with each pass; weights that tell the terms apart."""
    gan = make(SSGAN, spectral_norm=False, alpha=0.3, beta=0.6)
    return gan, gan.rng.get_state()


def rotation_loss(gan, images):
    """-log softmax of the right angle, one image and angle after the other."""
    losses = []
    for image in images[: len(images) // 4].detach().numpy():
        for k in range(4):
            turned = torch.from_numpy(np.rot90(image, k, (1, 2)).copy())[None]
            logits = gan.discriminator(turned)[0, 1:].tolist()
            losses.append(-math.log(math.exp(logits[k]) / sum(map(math.exp, logits))))
    return np.mean(losses)


def test_rotated_images_enter_the_rotation_terms_only(turning):
    gan, state = turning
    batch = real_batch(8)
    d_loss = gan.d_turn(batch)["loss"].item()
    gan.rng.set_state(state)
    g_loss = gan.g_turn(batch)["loss"].item()
    gan.rng.set_state(state)
    fake = gan.generate(batch)
    r, f = gan.discriminator(batch.images)[:, 0], gan.discriminator(fake)[:, 0]
    hinge = torch.relu(1 - r).mean() + torch.relu(1 + f).mean()
    assert d_loss == pytest.approx(hinge.item() + 0.6 * rotation_loss(gan, batch.images), rel=1e-4)
    assert g_loss == pytest.approx(-f.mean().item() + 0.3 * rotation_loss(gan, fake), rel=1e-4)


def test_ssgan_s_defaults_are_the_paper_s():
    config = gans.get("ssgan").Config()
    assert (config.alpha, config.beta, config.spectral_norm, config.bn, config.dropout) == (0.2, 1.0, True, False, 0)

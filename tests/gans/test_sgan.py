"""The semi-supervised row: a softmax of K + 1 classes, and a rule of which labels are known that nothing moves."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from oracles import make_gan

from gans import Batch, contract, objectives
from gans.conditional.sgan import BASE, PRIME, position

PLAIN = {"bn": False, "dropout": 0.0}
TOLERANCE = 2e-5  # float32 sums over some thousand features against float64


def probabilities(gan, images):
    """The K + 1 classes' probabilities [N, 11] with the fake class's logit written out, from D's weights."""
    d = gan.discriminator
    logits = (d.trunk(images) @ d.head.weight.T + d.head.bias).detach().double().numpy()
    odds = np.exp(np.concatenate([logits, np.zeros((len(images), 1))], 1))
    return odds / odds.sum(1, keepdims=True)


@pytest.fixture
def setting(monkeypatch):
    """An sgan of half the labels with constant fakes, a batch some of whose labels it knows, and those."""

    def build(**config):
        gan = make_gan("sgan", **PLAIN, **{"labelled_fraction": 0.5, **config})
        batch = contract.real_batch(12)
        with torch.no_grad():
            gan.discriminator.head.bias += torch.randn(10, generator=gan.rng)
            fake = gan.generate(batch)
        monkeypatch.setattr(gan, "fakes", lambda batch: fake)
        known = gan.known(batch.images).numpy()
        return gan, batch, fake, known

    return build


def test_d_loss_is_that_of_k_plus_one_classes(setting):
    """-log p(y | x, real) of known labels, -1/2 log p(real), -1/2 log p(fake), all read off one softmax."""
    gan, batch, fake, known = setting()
    assert 0 < known.sum() < 12
    p, q = probabilities(gan, batch.images), probabilities(gan, fake)
    given_real = p[np.arange(12), batch.labels] / (1 - p[:, 10])
    expected = -np.log(given_real[known]).mean() - np.log(1 - p[:, 10]).mean() / 2 - np.log(q[:, 10]).mean() / 2
    scalars = gan.d_turn(batch)
    assert scalars["loss"].item() == pytest.approx(expected, rel=TOLERANCE)
    assert scalars["labelled"].item() == pytest.approx(known.mean())
    right = p[:, :10].argmax(1) == batch.labels.numpy()
    assert scalars["accuracy"].item() == pytest.approx(right.mean()), "over all reals, known or not"


def test_augmentation_changes_what_d_sees_not_which_labels_are_known():
    gan, batch = make_gan("sgan", labelled_fraction=0.5, augment="diffaugment"), contract.real_batch(12)
    expected = gan.known(batch.images).float().mean().item()
    assert [gan.d_turn(batch)["labelled"].item() for _ in range(5)] == [expected] * 5


def test_without_known_labels_the_unsupervised_part_is_left(setting):
    gan, batch, fake, known = setting(labelled_fraction=0.0)
    assert not known.any()
    p, q = probabilities(gan, batch.images), probabilities(gan, fake)
    expected = -np.log(1 - p[:, 10]).mean() / 2 - np.log(q[:, 10]).mean() / 2
    assert gan.d_turn(batch)["loss"].item() == pytest.approx(expected, rel=TOLERANCE)


def test_a_label_that_is_not_known_changes_nothing(setting):
    gan, batch, _, known = setting()
    wrong = torch.where(torch.from_numpy(known), batch.labels, (batch.labels + 1) % 10)
    loss = gan.d_turn(batch)["loss"]
    assert gan.d_turn(Batch(batch.images, wrong))["loss"] == loss
    assert gan.d_turn(Batch(batch.images, (batch.labels + 1) % 10))["loss"] != loss


def test_salimans_variant_matches_the_features(setting):
    gan, batch, fake, _ = setting(feature_matching=True)
    real_mean, fake_mean = (gan.discriminator.trunk(images).mean(0).detach() for images in (batch.images, fake))
    expected = ((real_mean - fake_mean).double() ** 2).sum().item()
    assert objectives.g_objective(gan, batch)["loss"].item() == pytest.approx(expected, rel=TOLERANCE)


def test_g_maximises_the_log_probability_of_any_real_class(setting):
    gan, batch, fake, _ = setting()
    expected = -np.log(1 - probabilities(gan, fake)[:, 10]).mean()
    assert objectives.g_objective(gan, batch)["loss"].item() == pytest.approx(expected, rel=TOLERANCE)


def test_position_is_the_polynomial_in_whole_numbers():
    """Python's integers have no bound, so nothing can overflow there."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 784))
    pixels[0] = 255
    images = torch.from_numpy(pixels).float().view(3, 1, 28, 28) / 127.5 - 1
    for row, value in zip(pixels, position(images).tolist(), strict=True):
        assert value == sum(int(p) * BASE**i for i, p in enumerate(row, 1)) % PRIME / PRIME


def test_an_image_is_always_labelled_or_never(digits):
    images = digits.images[:500].float() / 127.5 - 1
    order = torch.randperm(500, generator=torch.Generator().manual_seed(3))
    known = {seed: make_gan("sgan", seed=seed).known(images) for seed in (0, 1)}
    assert torch.equal(known[0], known[1])
    shuffled = make_gan("sgan").known(images[order])
    assert torch.equal(shuffled, known[0][order])
    alone = torch.cat([make_gan("sgan").known(images[i : i + 1]) for i in range(30)])
    assert torch.equal(alone, known[0][:30])


def test_a_larger_fraction_adds_images_and_takes_none(digits):
    images = digits.images[:2000].float() / 127.5 - 1
    masks = [make_gan("sgan", labelled_fraction=fraction).known(images) for fraction in (0.0, 0.01, 0.1, 0.5, 1.0)]
    for smaller, larger in pairwise(masks):
        assert (larger | ~smaller).all()
    assert not masks[0].any()
    assert masks[-1].all()


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_the_fraction_is_that_of_real_digits_in_every_class(fraction, digits):
    """Counts lie within 4 standard deviations of a binomial one, which chance alone leaves in 0.006 % of cases."""
    images, labels = digits.images[:5000].float() / 127.5 - 1, digits.labels[:5000]
    known = make_gan("sgan", labelled_fraction=fraction).known(images)
    for mask in (torch.ones_like(known), *(labels == k for k in range(10))):
        n, count = int(mask.sum()), int(known[mask].sum())
        assert abs(count - n * fraction) < 4 * np.sqrt(n * fraction * (1 - fraction)) + 1


def test_neighbours_are_labelled_independently():
    """One pixel changed by one step: among 784 such images half are below 1/2, within 4 standard deviations."""
    pixels = torch.full((784, 784), 100.0)
    pixels.fill_diagonal_(101)
    share = (position(pixels.view(-1, 1, 28, 28) / 127.5 - 1) < 0.5).float().mean().item()
    assert abs(share - 0.5) < 4 * 0.5 / 28

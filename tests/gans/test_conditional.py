"""The conditional rows: what D and G are told, and every turn's loss rebuilt in numpy from D's own weights."""

import numpy as np
import pytest
import torch
from class_oracles import naive_contrastive, naive_cross_entropy, naive_data_to_data
from oracles import make_gan, turn
from torch.nn.utils.parametrizations import _SpectralNorm

import gans
from gans import Batch, contract
from gans.objectives import risen_latents

PLAIN = {"bn": False, "dropout": 0.0, "spectral_norm": False}  # D is then a function of its inputs alone
CONDITIONAL = ["cgan", "acgan", "projection_gan", "tac_gan", "adc_gan", "contragan", "reacgan"]
HINGE = ["projection_gan", "contragan", "reacgan"]
TOLERANCE = 2e-5  # float32 sums over some thousand features against float64

BATCH = contract.real_batch(12)
LABELS = BATCH.labels.numpy()


def softplus(u):
    return np.logaddexp(0, np.asarray(u, dtype=np.float64))


def numpy(tensor):
    return tensor.detach().double().numpy()


def weights(layer):
    return numpy(layer.weight), 0.0 if layer.bias is None else numpy(layer.bias)


def fixed(gan, monkeypatch):
    """Makes the fakes of both turns always the same; gives them."""
    with torch.no_grad():
        fake = gan.generate(BATCH)
    monkeypatch.setattr(gan, "fakes", lambda batch: fake)
    return fake


def judged(gan, name, images):
    """D's scores and codes of images with the batch's labels, from its weights."""
    d = gan.discriminator
    if name == "cgan":
        embedding, image = d.label_image[0], d.label_image[1]
        w, b = weights(image)
        channel = np.maximum(weights(embedding)[0].T[LABELS] @ w.T + b, 0).reshape(-1, 1, 28, 28)
        features = numpy(d.pair.trunk(torch.cat([images, torch.from_numpy(channel).float()], 1)))
        w, b = weights(d.pair.head)
        return (features @ w.T + b)[:, 0], None
    features = numpy(d.trunk(images))
    w, b = weights(d.head)
    outputs = features @ w.T + b
    if not hasattr(d, "codes"):
        return outputs[:, 0], outputs[:, 1:]
    w, b = weights(d.codes)
    codes = features @ w.T + b
    score = outputs[:, 0]
    if name == "projection_gan":
        score = score + np.array([codes[i, y] for i, y in enumerate(LABELS)])
    return score, codes


def proxies(gan):
    return weights(gan.discriminator.proxies)[0].T[LABELS]


def expected_class(gan, name, real, fake):
    """The weighted class terms of D's and of G's loss."""
    if name in ("cgan", "projection_gan"):
        return 0, 0
    weight = gan.config.lambda_class
    if name == "acgan":
        on_real, on_fake = naive_cross_entropy(real, LABELS), naive_cross_entropy(fake, LABELS)
        return weight * (on_real + gan.config.class_of_fakes * on_fake), weight * on_fake
    if name == "tac_gan":
        c_real, c_fake = naive_cross_entropy(real[:, :10], LABELS), naive_cross_entropy(fake[:, :10], LABELS)
        m_fake = naive_cross_entropy(fake[:, 10:], LABELS)
        return weight * (c_real + m_fake), weight * (c_fake - m_fake)
    if name == "adc_gan":
        as_fake = naive_cross_entropy(fake, LABELS + 10)
        return (
            weight * (naive_cross_entropy(real, LABELS) + as_fake),
            weight * (naive_cross_entropy(fake, LABELS) - as_fake),
        )
    t = gan.config.temperature
    if name == "contragan":
        return tuple(weight * naive_contrastive(codes, proxies(gan), LABELS, t) for codes in (real, fake))
    m = gan.config.margin
    return tuple(weight * naive_data_to_data(codes, proxies(gan), LABELS, t, m) for codes in (real, fake))


def expected_losses(gan, name, fake_images):
    (r, real_codes), (f, fake_codes) = judged(gan, name, BATCH.images), judged(gan, name, fake_images)
    d_class, g_class = expected_class(gan, name, real_codes, fake_codes)
    if name in HINGE:
        d, g = np.maximum(1 - r, 0).mean() + np.maximum(1 + f, 0).mean(), -f.mean()
    else:
        d, g = softplus(-r).mean() + softplus(f).mean(), softplus(-f).mean()
    return d + d_class, g + g_class


@pytest.mark.parametrize(
    ("name", "settings"), [*((name, {}) for name in CONDITIONAL), ("acgan", {"class_of_fakes": True})]
)
def test_both_turns_losses(name, settings, monkeypatch):
    if name not in ("cgan", "projection_gan"):
        settings = settings | {"lambda_class": 0.7}
    gan = make_gan(name, **PLAIN, **settings)
    with torch.no_grad():
        for p in gan.discriminator.parameters():  # biases are 0 at the start and would hide a lost one
            p.add_(0.02 * torch.randn(p.shape, generator=gan.rng))
    fake = fixed(gan, monkeypatch)
    d, g = expected_losses(gan, name, fake)
    assert gan.d_turn(BATCH)["loss"].item() == pytest.approx(d, rel=TOLERANCE)
    assert gan.g_turn(BATCH)["loss"].item() == pytest.approx(g, rel=TOLERANCE)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_g_is_given_the_latent_and_the_one_hot_label(name):
    gan = make_gan(name)
    given = []
    gan.generator.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0]))
    latent = gan.latent(12)
    gan.generate(BATCH, latent)
    np.testing.assert_array_equal(given[0][:, :100], latent)
    np.testing.assert_array_equal(given[0][:, 100:], np.eye(10)[LABELS])


@pytest.mark.parametrize("name", CONDITIONAL)
def test_fakes_of_both_turns_have_the_batchs_labels(name):
    gan = make_gan(name)
    given = []
    gan.generator.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0][:, 100:].argmax(1)))
    gan.d_turn(BATCH)
    gan.g_turn(BATCH)
    assert [labels.tolist() for labels in given] == [LABELS.tolist()] * 2


@pytest.mark.parametrize("name", ["cgan", "projection_gan"])
def test_scores_depend_on_the_label(name):
    gan = make_gan(name, **PLAIN)
    scores, _ = gan.judge(BATCH.images, BATCH.labels)
    others, _ = gan.judge(BATCH.images, BATCH.labels.roll(1))
    assert scores.shape == (12,)
    assert (scores != others).all()


@pytest.mark.parametrize("name", ["cgan", "projection_gan"])
def test_logan_rises_along_the_score_with_the_fakes_own_label(name, monkeypatch):
    """All latents are moved, each by alpha g / (beta + |g|^2) of its own score; each gradient taken by itself."""
    gan = make_gan(name, **PLAIN, latent_step=0.9)
    gan.generator.eval()  # batch norm in G would couple the latents
    latent = gan.latent(12)
    monkeypatch.setattr(gan, "latent", lambda n: latent.clone())
    monkeypatch.setattr("gans.objectives.LOGAN_SHARE", 1.0)
    gan.fakes(BATCH)
    moved, _ = risen_latents(gan, BATCH)
    for i in range(12):
        one, z = BATCH.rows(slice(i, i + 1)), latent[i : i + 1].clone().requires_grad_()
        gan.judge(gan.generate(one, z), one.labels)[0].sum().backward()
        step = 0.9 * z.grad / (0.1 + z.grad.square().sum())
        torch.testing.assert_close(moved[i : i + 1], latent[i : i + 1] + step, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["acgan", "contragan", "reacgan"])
def test_top_k_drops_scores_and_no_class_term(name, monkeypatch):
    gan = make_gan(name, **PLAIN, top_k=0.25)
    gan.progress = 1.0
    fake = fixed(gan, monkeypatch)
    f, codes = judged(gan, name, fake)
    best = np.sort(f)[-3:]
    adversarial = -best.mean() if name in HINGE else softplus(-best).mean()
    expected = adversarial + expected_class(gan, name, codes, codes)[1]
    assert gan.g_turn(BATCH)["loss"].item() == pytest.approx(expected, rel=TOLERANCE)


def test_tac_gans_classifier_learns_of_reals_and_its_twin_of_fakes(monkeypatch):
    gan = make_gan("tac_gan", **PLAIN)
    fixed(gan, monkeypatch)
    _, real_codes = gan.judge(BATCH.images, BATCH.labels)
    real, fake = real_codes.detach().requires_grad_(), torch.randn(12, 20, requires_grad=True)
    gan.d_class_loss(real, fake, BATCH.labels).backward()
    assert real.grad[:, :10].any()
    assert not real.grad[:, 10:].any()
    assert fake.grad[:, 10:].any()
    assert not fake.grad[:, :10].any()


@pytest.mark.parametrize("name", ["contragan", "reacgan"])
def test_proxies_learn_in_ds_turn_of_reals_alone(name, monkeypatch):
    gan = make_gan(name, **PLAIN)
    fixed(gan, monkeypatch)
    first = gan.d_turn(BATCH)["class_loss"]
    monkeypatch.setattr(gan, "fakes", lambda batch: torch.zeros(12, 1, 28, 28))
    assert gan.d_turn(BATCH)["class_loss"] == first
    before = gan.discriminator.proxies.weight.clone()
    turn(gan, "d").take(BATCH)
    assert not torch.equal(gan.discriminator.proxies.weight, before)


@pytest.mark.parametrize("name", ["projection_gan", "sagan"])
def test_a_pass_takes_one_power_iteration_of_each_weight(name, monkeypatch):
    taken = []
    real = _SpectralNorm._power_method
    monkeypatch.setattr(_SpectralNorm, "_power_method", lambda self, *args: taken.append(id(self)) or real(self, *args))
    gan = make_gan(name)
    taken.clear()
    gan.discriminator(gan.generate(BATCH))
    assert len(taken) == len(set(taken)) == sum(isinstance(m, _SpectralNorm) for m in gan.modules())


def test_spectral_norm_reaches_the_projections_vectors():
    """One power iteration a pass: after 50 the largest singular value is 1 to three digits."""
    gan = make_gan("projection_gan")
    for _ in range(50):
        gan.judge(BATCH.images, BATCH.labels)
    for layer in (gan.discriminator.codes, gan.discriminator.head):
        assert torch.linalg.matrix_norm(layer.weight.detach(), 2).item() == pytest.approx(1, abs=2e-3)


def test_cgans_first_convolution_sees_two_channels_and_nothing_else_of_the_trunk_changes():
    trunk, plain = make_gan("cgan").discriminator.pair.trunk, make_gan("dcgan").discriminator.trunk
    shapes = [[tuple(p.shape) for p in t.parameters()] for t in (trunk, plain)]
    assert shapes[0][0] == (64, 2, 4, 4)
    assert shapes[1][0] == (64, 1, 4, 4)
    assert shapes[0][1:] == shapes[1][1:]


@pytest.mark.parametrize("name", [*CONDITIONAL, "sgan"])
@pytest.mark.parametrize("factor", [{"pack": 2}, {"feature_matching": True}])
def test_what_knows_no_label_is_skipped(name, factor):
    cls = gans.get(name)
    reason = cls.skip(cls.Config(**factor))
    assert (reason is None) == (name == "sgan" and "feature_matching" in factor)


@pytest.mark.parametrize("name", [*CONDITIONAL, "sgan"])
def test_the_documented_parameter_counts(name):
    cls = gans.get(name)
    gan = cls()
    text = " ".join(cls.info.deviations)
    counts = [sum(p.numel() for p in net.parameters()) for net in (gan.generator, gan.discriminator)]
    named = name if name not in ("tac_gan", "adc_gan", "reacgan") else None
    if named is not None and name != "sgan":
        assert f"{counts[0]:,}" in text
    if name != "reacgan":
        assert f"{counts[1]:,}" in text
    assert cls.info.track == "label-conditional"
    assert cls.info.needs_labels
    assert cls.conditional == (name != "sgan")
    assert gan.generate(Batch(BATCH.images, BATCH.labels)).shape == (12, 1, 28, 28)

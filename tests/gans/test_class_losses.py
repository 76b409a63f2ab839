"""Every loss of the class against the formula in naive loops, and against what it must not depend on.

All is float64: the relative tolerances leave room for rounding alone.
"""

import numpy as np
import pytest
import torch
from class_oracles import naive_contrastive, naive_cross_entropy, naive_data_to_data

from gans import class_losses

N, K, E = 7, 4, 5
RNG = np.random.default_rng(0)
LABELS = np.array([0, 2, 2, 1, 0, 2, 3])  # one class has a single image
LOGITS, TWIN, DOUBLE_REAL, DOUBLE_FAKE = (RNG.normal(size=(N, k)) * 3 for k in (K, K, 2 * K, 2 * K))
CODES, PROXY_TABLE = RNG.normal(size=(N, E)) * 2, RNG.normal(size=(K, E)) / 3
PROXIES = PROXY_TABLE[LABELS]


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a)) for a in arrays]


def test_cross_entropy_takes_one_softmax():
    expected = naive_cross_entropy(LOGITS, LABELS)
    assert class_losses.class_cross_entropy(*tensors(LOGITS, LABELS)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("known", [[1, 3, 4], [5], list(range(N))])
def test_known_cross_entropy_is_that_of_the_known_rows_alone(known):
    mask = np.isin(np.arange(N), known)
    expected = naive_cross_entropy(LOGITS[known], LABELS[known])
    value = class_losses.known_cross_entropy(*tensors(LOGITS, LABELS, mask))
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_known_cross_entropy_is_zero_with_zero_gradient_where_no_label_is_known():
    logits, labels = tensors(LOGITS, LABELS)
    logits.requires_grad_()
    value = class_losses.known_cross_entropy(logits, labels, torch.zeros(N, dtype=torch.bool))
    value.backward()
    assert value == 0
    assert not logits.grad.any()


def test_twin_losses():
    real, twin = naive_cross_entropy(LOGITS, LABELS), naive_cross_entropy(TWIN, LABELS)
    assert class_losses.twin_d(*tensors(LOGITS, TWIN, LABELS)).item() == pytest.approx(real + twin, rel=1e-12)
    assert class_losses.twin_g(*tensors(LOGITS, TWIN, LABELS)).item() == pytest.approx(real - twin, rel=1e-12)


def test_discriminative_d_names_reals_y_and_fakes_k_plus_y():
    expected = naive_cross_entropy(DOUBLE_REAL, LABELS) + naive_cross_entropy(DOUBLE_FAKE, LABELS + K)
    value = class_losses.discriminative_d(*tensors(DOUBLE_REAL, DOUBLE_FAKE, LABELS))
    assert value.item() == pytest.approx(expected, rel=1e-12)


def test_discriminative_g_is_the_log_odds_of_fake_to_real_of_the_class():
    """Both cross-entropies have the same denominator, so only two logits are left."""
    expected = np.mean([DOUBLE_FAKE[i, K + y] - DOUBLE_FAKE[i, y] for i, y in enumerate(LABELS)])
    assert class_losses.discriminative_g(*tensors(DOUBLE_FAKE, LABELS)).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("labels", [LABELS, np.zeros(N, dtype=int), np.arange(N)], ids=["mixed", "alike", "all differ"])
def test_contrastive_against_two_loops(labels, temperature):
    proxies = RNG.normal(size=(N, E))[labels]
    expected = naive_contrastive(CODES, proxies, labels, temperature)
    value = class_losses.contrastive(*tensors(CODES, proxies, labels), temperature)
    assert value.item() == pytest.approx(expected, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("margin", [0.0, 0.5, 0.98])
@pytest.mark.parametrize("labels", [LABELS, np.zeros(N, dtype=int), np.arange(N)], ids=["mixed", "alike", "all differ"])
def test_data_to_data_against_two_loops(labels, margin, temperature):
    proxies = RNG.normal(size=(N, E))[labels]
    expected = naive_data_to_data(CODES, proxies, labels, temperature, margin)
    value = class_losses.data_to_data(*tensors(CODES, proxies, labels), temperature, margin)
    assert value.item() == pytest.approx(expected, rel=1e-11, abs=1e-13)


def both(codes, proxies, labels):
    return (
        class_losses.contrastive(codes, proxies, labels, 0.5),
        class_losses.data_to_data(codes, proxies, labels, 0.5, 0.98),
    )


def test_only_directions_count_and_no_order():
    codes, proxies, labels = tensors(CODES, PROXIES, LABELS)
    scale = torch.rand(N, 1, dtype=torch.float64) + 0.1
    order = torch.randperm(N)
    expected = both(codes, proxies, labels)
    torch.testing.assert_close(both(codes * scale, proxies / scale, labels), expected)
    torch.testing.assert_close(both(codes[order], proxies[order], labels[order]), expected)


def test_they_stay_finite_where_the_naive_exponentials_overflow():
    codes, proxies, labels = (t.float() if t.is_floating_point() else t for t in tensors(CODES, PROXIES, LABELS))
    codes.requires_grad_()
    for temperature in (0.005, 100.0):  # e^(1 / 0.005) is beyond float32
        losses = class_losses.contrastive(codes, proxies, labels, temperature)
        losses = losses + class_losses.data_to_data(codes, proxies, labels, temperature, 0.98)
        (gradient,) = torch.autograd.grad(losses, codes)
        assert torch.isfinite(losses)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [0, 1], ids=["contrastive", "data_to_data"])
def test_gradients_and_their_gradients_are_right(loss):
    """Unrolling differentiates D's loss twice; the hinges are smooth almost everywhere."""
    labels = torch.from_numpy(LABELS)
    codes, proxies = (t.requires_grad_() for t in tensors(CODES, PROXIES))
    assert torch.autograd.gradcheck(lambda c, p: both(c, p, labels)[loss], (codes, proxies))
    assert torch.autograd.gradgradcheck(lambda c, p: both(c, p, labels)[loss], (codes, proxies))


def test_perfect_codes_cost_data_to_data_only_the_count_of_negatives():
    """Codes on orthogonal proxies with m = 1: q is 0 and every negative is e^0, so L_i = log(1 + negatives of i).

    With m = 0.5, cosines of 0 are below 1 - m as well, and cosines of 1 above m: the same.
    """
    labels = torch.from_numpy(LABELS)
    codes = torch.eye(K, dtype=torch.float64)[labels]
    expected = np.mean([np.log(1 + np.sum(y != LABELS)) for y in LABELS])
    for margin in (1.0, 0.5):
        assert class_losses.data_to_data(codes, codes, labels, 0.5, margin).item() == pytest.approx(expected, rel=1e-12)


WRONG = [
    lambda c, p, y: class_losses.class_cross_entropy(c[:, 0], y),
    lambda c, p, y: class_losses.class_cross_entropy(c, y[:, None]),
    lambda c, p, y: class_losses.known_cross_entropy(c, y, (y > 0)[:, None]),
    lambda c, p, y: class_losses.contrastive(c, p[:1], y, 1.0),
    lambda c, p, y: class_losses.data_to_data(c[:1], p[:1], y, 1.0, 0.9),
    lambda c, p, y: class_losses.contrastive(c, p[:, :3], y, 1.0),
]


@pytest.mark.parametrize("call", WRONG)
def test_shapes_that_would_broadcast_are_refused(call):
    with pytest.raises(ValueError, match="must be"):
        call(*tensors(CODES, PROXIES, LABELS))

"""Statistics of the batch against loops and numpy, what they say of a collapsed batch, and that D's head sees them."""

import math

import numpy as np
import pytest
import torch

from gans.contract import real_batch
from gans.heads import MinibatchDiscrimination, MinibatchStddev
from gans.networks import Discriminator, Trunk, parameter_count

BOTH = pytest.mark.parametrize("statistic", [MinibatchDiscrimination, MinibatchStddev])


def features(n, width=6, seed=0):
    return torch.randn(n, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def discrimination(width=6):
    torch.manual_seed(0)
    return MinibatchDiscrimination(width).double()


def naive_discrimination(phi, tensor):
    """o_b(x_i) of phi [N][A] and T [A][B][C], by the paper's words."""
    kernels, dimensions = len(tensor[0]), len(tensor[0][0])
    matrices = [
        [[sum(f * tensor[a][b][c] for a, f in enumerate(x)) for c in range(dimensions)] for b in range(kernels)]
        for x in phi
    ]
    return [
        [
            sum(
                math.exp(-sum(abs(p - q) for p, q in zip(mine[b], other[b], strict=True)))
                for j, other in enumerate(matrices)
                if j != i
            )
            for b in range(kernels)
        ]
        for i, mine in enumerate(matrices)
    ]


def test_discrimination_against_loops():
    layer, phi = discrimination(), features(5)
    # T [A, B, C]: a linear layer keeps it as [B * C, A].
    tensor = layer.tensor.weight.detach().T.reshape(6, 100, 5).tolist()
    found = layer(phi)
    assert torch.equal(found[:, :6], phi), "the features stay in front"
    expected = torch.tensor(naive_discrimination(phi.tolist(), tensor), dtype=torch.float64)
    torch.testing.assert_close(found[:, 6:], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_discrimination_counts_the_other_images_that_are_identical(n):
    found = discrimination()(features(1).repeat(n, 1))[:, 6:]
    torch.testing.assert_close(found, torch.full_like(found, n - 1))
    if n > 1:
        assert (discrimination()(features(n))[:, 6:] < n - 1).all()


def test_discrimination_is_larger_for_a_collapsed_batch():
    diverse = features(16)
    collapsed = diverse[:1] + 0.05 * diverse
    layer = discrimination()
    assert (layer(collapsed)[:, 6:].mean(0) > layer(diverse)[:, 6:].mean(0)).all()


def naive_stddev(phi):
    """Images i, i + N/4, i + N/2 and i + 3N/4 share one number."""
    phi, quarter = phi.numpy(), len(phi) // 4
    numbers = []
    for i in range(len(phi)):
        group = phi[[i % quarter + k * quarter for k in range(4)]]
        numbers.append(np.mean([np.sqrt(np.mean((f - f.mean()) ** 2) + 1e-8) for f in group.T]))
    return torch.tensor(np.array(numbers))


@pytest.mark.parametrize("n", [4, 8, 20])
def test_stddev_against_numpy(n):
    phi = features(n)
    found = MinibatchStddev(6)(phi)
    assert found.shape == (n, 7)
    assert torch.equal(found[:, :6], phi), "the features stay in front"
    torch.testing.assert_close(found[:, 6], naive_stddev(phi), rtol=1e-12, atol=0)
    assert len(found[:, 6].unique()) == n // 4


def test_stddev_of_identical_images_is_the_root_of_epsilon():
    # The mean of four of these numbers is exact, so the variance is 0.
    phi = torch.tensor([[1.0, -0.5, 3.0]], dtype=torch.float64).repeat(8, 1)
    assert MinibatchStddev(3)(phi)[:, 3].tolist() == pytest.approx([1e-4] * 8, rel=1e-12)


def test_stddev_is_smaller_for_a_collapsed_batch_and_scales_with_it():
    diverse = features(16)
    collapsed = diverse[:1] + 0.05 * diverse
    layer = MinibatchStddev(6)
    # epsilon adds 1e-8 / 0.05^2 to the square
    torch.testing.assert_close(layer(collapsed)[:, 6], 0.05 * layer(diverse)[:, 6], rtol=1e-3, atol=0)


@BOTH
def test_gradient_is_finite_where_images_are_identical_and_right_where_not(statistic):
    layer = statistic(6).double()
    identical = features(1).repeat(4, 1).requires_grad_()
    layer(identical)[:, 6:].sum().backward()
    assert torch.isfinite(identical.grad).all()
    assert torch.autograd.gradcheck(layer, (features(4).requires_grad_(),))


def discriminator(minibatch, bn=False, dropout=0.0):
    torch.manual_seed(0)
    return Discriminator(Trunk(bn, dropout), minibatch=minibatch).double()


@pytest.mark.parametrize(
    ("minibatch", "reached"),
    [("none", [0]), ("discrimination", [*range(8)]), ("stddev", [0, 2, 4, 6])],
)
def test_scores_depend_on_the_other_images_only_through_the_statistic(minibatch, reached):
    """One of eight images is changed; the groups of stddev are the even and the odd ones."""
    d, images = discriminator(minibatch), real_batch(8).images.double()
    other = torch.cat([-images[:1], images[1:]])
    change = (d(other) - d(images)).abs()
    # rounding is 1e-16 a feature of 6272
    assert [i for i in range(8) if change[i] > 1e-10] == reached


@pytest.mark.parametrize(("minibatch", "statistic"), [("discrimination", None), ("stddev", naive_stddev)])
def test_head_reads_the_statistic_of_the_trunks_features(minibatch, statistic):
    d, images = discriminator(minibatch), real_batch(8).images.double()
    with torch.no_grad():
        d.head.weight[:, :6272] = 0
        d.head.weight[:, 6272:] = 1
        phi = d.trunk(images)
        found = d(images)
    if statistic is None:
        matrices = (phi @ d.statistic.tensor.weight.T).detach().reshape(8, 100, 5).numpy()
        expected = [sum(np.exp(-np.abs(m - o).sum(1)).sum() for o in matrices) - 100 for m in matrices]
    else:
        expected = statistic(phi).tolist()
    assert found.tolist() == pytest.approx(expected, rel=1e-10)


def test_parameter_counts_by_hand():
    plain = parameter_count(discriminator("none"))
    assert parameter_count(discriminator("discrimination")) == plain + 6272 * 500 + 100
    assert parameter_count(discriminator("stddev")) == plain + 1


def test_kernels_start_glorot_uniform():
    weight = discriminator("discrimination").statistic.tensor.weight
    limit = (6 / (6272 + 500)) ** 0.5
    assert 0.99 * limit < weight.abs().max().item() <= limit
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.01)


def test_trunk_starts_equal_with_and_without_a_statistic():
    plain = discriminator("none").trunk.state_dict()
    for minibatch in ("discrimination", "stddev"):
        other = discriminator(minibatch).trunk.state_dict()
        assert all(torch.equal(other[name], value) for name, value in plain.items())

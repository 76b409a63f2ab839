"""Distances to the nearest training image by loops; copies and new images told apart."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch.nn.functional import avg_pool2d

from bench.features import memorisation
from bench.features.memorisation import Memory, nearest


def images(n, seed):
    return torch.randint(0, 256, (n, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_distances_are_those_of_the_nearest_in_whatever_parts(monkeypatch):
    some, train = images(7, 0), images(11, 1)
    table = np.array(
        [[np.sqrt((((a - b) / 255) ** 2).sum()) for b in train.double().numpy()] for a in some.double().numpy()]
    )
    monkeypatch.setattr(memorisation, "_ROWS", 3)
    monkeypatch.setattr(memorisation, "_COLUMNS", 4)
    distances, rows = nearest(some, train, 3)
    np.testing.assert_allclose(distances, np.sort(table, 1)[:, :3], rtol=1e-4)
    np.testing.assert_array_equal(rows, np.argsort(table, 1)[:, :3])


def test_the_distance_of_pixels_is_frechets_of_the_two_gaussians():
    fake, real = images(300, 0), images(400, 1) // 2
    (m, s), (n, t) = (
        (pixels.mean(0), np.cov(pixels, rowvar=False))
        for pixels in (each.flatten(1).numpy() / 255 for each in (fake, real))
    )
    expected = ((m - n) ** 2).sum() + np.trace(s + t - 2 * sqrtm(s @ t).real)
    assert expected > 1
    assert Memory(fake, real).fid(fake) == pytest.approx(expected, rel=1e-6)


def test_real_pixels_are_nearer_than_blurred_ones(memory, embedded):
    new = embedded.images[3000:4000]
    blurred = avg_pool2d(new.float(), 3, stride=1, padding=1).round().to(torch.uint8)
    assert memory.fid(embedded.images[2000:3000]) == pytest.approx(0, abs=1e-3)
    assert 2 * memory.fid(new) < memory.fid(blurred)


@pytest.fixture(scope="module")
def memory(embedded):
    return Memory(embedded.images[:2000], embedded.images[2000:3000])


def test_new_real_images_are_as_far_as_new_real_images(memory, embedded):
    found = memory.scores(embedded.images[3000:4000])
    assert found["nn_ratio"] == pytest.approx(1, abs=0.05)
    assert found["copies"] < 0.03  # expected 0.01, with a standard deviation of 0.003 each of both sets


def test_the_held_out_images_themselves_have_the_nominal_share_of_copies(memory, embedded):
    found = memory.scores(embedded.images[2000:3000])
    assert found["nn_ratio"] == 1
    assert found["copies"] == pytest.approx(0.01, abs=0.001)


def test_copies_are_found_and_counted(memory, embedded):
    assert memory.scores(embedded.images[:500]) == pytest.approx({"nn_ratio": 0, "copies": 1}, abs=1e-3)
    half = torch.cat([embedded.images[:500], embedded.images[3000:3500]])
    assert memory.scores(half)["copies"] == pytest.approx(0.5, abs=0.02)


def test_noise_is_no_copy_and_its_ratio_no_praise(memory):
    noise = torch.randint(0, 256, (200, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = memory.scores(noise)
    assert found["nn_ratio"] > 2
    assert found["copies"] == 0


def test_the_closest_are_the_copies_with_what_they_copy(memory, embedded):
    mixed = torch.cat([embedded.images[3000:3100], embedded.images[[7, 70]], embedded.images[3100:3200]])
    samples, originals = memory.closest(mixed, 2)
    assert {image.numpy().tobytes() for image in samples} == {embedded.images[i].numpy().tobytes() for i in (7, 70)}
    assert torch.equal(samples, originals)


def test_a_ratio_below_1_accuses_nobody(memory, embedded):
    """Blank and blurred images are nearer to some digit than another digit is, and copies of none."""
    new = embedded.images[3000:3500]
    blank = torch.zeros_like(new)
    blurred = avg_pool2d(new.float(), 3, stride=1, padding=1).round().to(torch.uint8)
    for dull in (blank, blurred):
        found = memory.scores(dull)
        assert found["nn_ratio"] < 0.95
        assert found["copies"] < 0.02

"""Pictures of the latent space: what the geometry says, and that each picture holds what it claims."""

import math

import numpy as np
import pytest
import torch

import gans
from bench.data import Dataset, to_uint8
from bench.features.memorisation import Memory
from bench.pictures import image_grid
from bench.train.latent import EQUATIONS, EXAMPLES, ROWS, STEPS, closest_pairs, digit_latents, latent_pictures, slerp
from bench.train.latent import make as images_of
from bench.train.sampling import frozen
from gans.contract import make


def test_slerp_goes_along_the_circle():
    start, end = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    points = slerp(start, end, torch.tensor([0.0, 1 / 3, 1.0]))[0]
    angle = math.pi / 6
    torch.testing.assert_close(points, torch.tensor([[1, 0], [math.cos(angle), math.sin(angle)], [0, 1]]))


def test_slerp_keeps_the_length_of_gaussian_latents_where_a_straight_line_loses_it():
    rng = torch.Generator().manual_seed(0)
    start, end = torch.randn(50, 100, generator=rng), torch.randn(50, 100, generator=rng)
    middle = slerp(start, end, torch.tensor([0.5]))[:, 0].norm(dim=1)
    ends = (start.norm(dim=1) + end.norm(dim=1)) / 2
    torch.testing.assert_close(middle, ends)
    assert ((start + end) / 2).norm(dim=1).mean() < 0.8 * ends.mean()


def test_slerp_between_equal_latents_stays_there():
    latent = torch.tensor([[3.0, 4.0]])
    torch.testing.assert_close(slerp(latent, latent, torch.tensor([0.3])), latent[:, None])


def test_digit_latents_have_the_direction_of_the_mean_and_the_usual_length():
    latent = torch.tensor([[3.0, 1.0], [3.0, -1.0], [0.0, 2.0]])
    found = digit_latents(latent, torch.tensor([7, 7, 2]))
    length = (2 * math.sqrt(10) + 2) / 3
    assert set(found) == {2, 7}
    torch.testing.assert_close(found[7], torch.tensor([length, 0.0]))
    torch.testing.assert_close(found[2], torch.tensor([0.0, length]))


def test_closest_pairs_show_a_copy_beside_what_it_copies(digits):
    gan = make(gans.get("dcgan"))
    with frozen(gan, gan.generator, 3):
        samples = images_of(gan, gan.latent(EXAMPLES), torch.arange(EXAMPLES) % 10)
    with frozen(gan, gan.generator, 3):
        picture = closest_pairs(gan, Memory(torch.cat([digits.images[:50], samples[:STEPS]]), digits.images[50:60]))
    above, below = np.split(picture[1:-1], 2)
    assert np.array_equal(above, below)
    assert len({above[:, start : start + 30].tobytes() for start in range(1, 301, 30)}) == STEPS


def paint(batch, latent):
    """Images [N, 1, 28, 28] whose columns are as bright as the first numbers of their latents."""
    return (latent[:, None, None, :28] / 5).expand(-1, 1, 28, -1)


def cells(picture):
    """The images [rows, columns, 28, 28] of a grid."""
    inner = picture[2:, 2:]
    return inner.reshape(inner.shape[0] // 30, 30, -1, 30).swapaxes(1, 2)[..., :28, :28]


@pytest.fixture
def painted(monkeypatch):
    """The pictures of a generator that paints its latents, read as their largest, and its training images."""
    gan = make(gans.get("dcgan"))
    monkeypatch.setattr(gan, "generate", paint)
    latents = torch.randn(200, 100, generator=torch.Generator().manual_seed(1))
    data = Dataset("made-up", to_uint8(paint(None, latents)), torch.arange(200) % 10, "0" * 16, "a test")
    with frozen(gan, gan.generator, 3):
        return latent_pictures(gan, data, lambda images: images[:, 0, 0, :10].argmax(1)), data.images


def test_an_equation_is_the_first_without_the_second_with_the_third(painted):
    """A digit's latents are those whose number of that place is large: the sum has a and c large, and b small."""
    rows = cells(painted[0]["arithmetic"])[:, :, 0, :10]
    for (a, b, c), row in zip(EQUATIONS, rows, strict=True):
        assert tuple(row[:3].argmax(1)) == (a, b, c)
        assert set(row[3].argsort()[-2:]) == {a, c}
        assert row[3].argmin() == b


def test_below_each_sample_stand_the_training_images_nearest_to_it(painted):
    pictures, train = painted
    samples, *below = cells(pictures["neighbours"])
    for place, sample in enumerate(samples):
        distances = ((train[:, 0].numpy().astype(float) - sample) ** 2).sum((1, 2))
        for row, nearest in zip(below, distances.argsort(), strict=False):
            assert np.array_equal(row[place], train[nearest, 0].numpy())
    assert len({sample.tobytes() for sample in samples}) == 10


@pytest.fixture
def pictures(digits):
    gan = make(gans.get("dcgan"))
    with frozen(gan, gan.generator, 3):
        return latent_pictures(gan, digits, lambda images: torch.arange(len(images)) % 10)


def test_each_picture_has_its_rows_and_columns(pictures):
    cell = 30
    assert {name: tuple((side - 2) // cell for side in p.shape) for name, p in pictures.items()} == {
        "interpolation": (ROWS, STEPS),
        "neighbours": (5, 10),
        "arithmetic": (len(EQUATIONS), 4),
    }


def test_an_interpolation_starts_and_ends_at_plain_samples(pictures):
    gan = make(gans.get("dcgan"))
    with frozen(gan, gan.generator, 3):
        start, end = gan.latent(ROWS), gan.latent(ROWS)
        ends = [to_uint8(gan.generator(latent)) for latent in (start, end)]
    picture = pictures["interpolation"]
    for column, images in ((0, ends[0]), (STEPS - 1, ends[1])):
        expected = image_grid(images, 1)
        found = picture[:, column * 30 : column * 30 + 32]
        assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1  # float rounding of the arc's ends


def test_without_the_digits_of_an_equation_there_is_no_arithmetic(digits):
    gan = make(gans.get("dcgan"))
    with frozen(gan, gan.generator, 0):
        found = latent_pictures(gan, digits, lambda images: torch.zeros(len(images), dtype=torch.int64))
    assert set(found) == {"interpolation", "neighbours"}


def test_an_interpolation_keeps_the_codes_of_its_start(digits):
    """Half of one class and half of another is a latent that no generator has seen."""
    gan = make(gans.get("infogan"))
    seen = []
    gan.generate = lambda batch, latent: seen.append(latent) or torch.zeros(len(latent), 1, 28, 28)
    with frozen(gan, gan.generator, 3):
        pictures = latent_pictures(gan, digits, lambda images: torch.arange(len(images)) % 10)
    strips = seen[0].view(ROWS, STEPS, -1)
    codes = gan.codes_in(strips.flatten(0, 1)).view(ROWS, STEPS, -1)
    assert torch.equal(codes, codes[:, :1].expand_as(codes))
    assert not torch.equal(strips[:, 0], strips[:, -1])
    assert "arithmetic" not in pictures
    assert any(name.startswith("sweep_") for name in pictures)

"""Sampling leaves training untouched and is fixed by its seed; pictures hold the images they were given."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import gans
from bench.data import Dataset
from bench.pictures import curve_plot, gif_bytes, image_grid, png_bytes
from bench.tasks import TASKS
from bench.train.sampling import draw, reconstructions, shown
from gans import Batch
from gans.contract import make, real_batch


class Sign(nn.Module):
    """White where the latent's first number is positive, else black."""

    def forward(self, latent):
        return latent[:, :1].sign()[..., None, None].expand(-1, 1, 28, 28)


MNIST = TASKS["mnist"]


def gan():
    return make(gans.get("dcgan"))


def sample(gan, generator, n, seed, data=None):
    return draw(gan, generator, MNIST.examples(data, n, seed), seed)


def test_samples_are_fixed_by_the_seed_and_not_by_the_batch():
    model = gan()
    first = sample(model, model.generator, 30, seed=1).images
    assert first.shape == (30, 1, 28, 28)
    assert first.dtype == torch.uint8
    assert torch.equal(first, sample(model, model.generator, 30, seed=1).images)
    assert not torch.equal(first, sample(model, model.generator, 30, seed=2).images)


def test_sampling_leaves_training_as_it_was():
    def trained(disturb):
        model = gan()
        turns = model.turns()
        for _ in range(2):
            for turn in turns:
                turn.take(real_batch())
            if disturb:
                sample(model, model.generator, 10, seed=1)
        assert model.training
        return model.state_dict()

    calm, disturbed = trained(False), trained(True)
    assert all(torch.equal(calm[key], disturbed[key]) for key in calm)


def test_sampling_uses_the_generator_it_is_given():
    model, other = gan(), make(gans.get("dcgan"), seed=5)
    given = sample(model, other.generator, 10, seed=1).images
    assert torch.equal(given, sample(other, other.generator, 10, seed=1).images)


def test_conditions_are_real_rows(digits):
    """Labels follow the data's marginal: what a conditional algorithm would be asked for."""
    seen = []
    model = gan()
    model.generate = lambda batch, latent: seen.append(batch.labels) or torch.zeros(len(batch), 1, 28, 28)
    sample(model, model.generator, 2000, seed=0, data=digits)
    share = torch.bincount(torch.cat(seen), minlength=10) / 2000
    expected = torch.bincount(digits.labels, minlength=10) / len(digits.labels)
    assert (share - expected).abs().max().item() < 0.03  # four standard deviations of a share of 0.1


def test_labels_are_told_only_of_generators_that_obey_them(digits):
    model = gan()
    assert sample(model, model.generator, 20, seed=0, data=digits).labels is None
    model.conditional = True
    rows = torch.randint(len(digits.images), (20,), generator=torch.Generator().manual_seed(0))
    assert torch.equal(sample(model, model.generator, 20, seed=0, data=digits).labels, digits.labels[rows])


def test_clusters_are_those_of_the_latents_that_were_used():
    model = gan()
    model.clusters = lambda latent: (latent[:, 0] > 0).long()
    model.generator = Sign()
    samples = sample(model, model.generator, 1100, seed=0)
    assert torch.equal(samples.clusters, (samples.images[:, 0, 0, 0] == 255).long())


def test_a_conditional_grid_has_one_column_a_digit():
    model = gan()
    model.conditional = True
    model.generate = lambda batch, latent: (batch.labels / 9)[:, None, None, None].expand(-1, 1, 28, 28)
    grid = shown(model, model.generator, MNIST, None, 3, seed=0)
    columns = grid[15, 15::30][:10]
    assert grid.shape == (3 * 30 + 2, 10 * 30 + 2)
    assert list(columns) == sorted(set(columns))
    assert np.array_equal(grid[15], grid[75])


def test_some_elements_are_always_the_same_and_of_every_kind(digits):
    """The embedded digits are sorted by class, so the first hundred would all be zeros."""
    chosen = digits.some(100)
    assert torch.equal(chosen, digits.some(100))
    labels = [digits.labels[(digits.images == image).flatten(1).all(1).nonzero()[0, 0]].item() for image in chosen]
    assert len(set(labels)) == 10
    assert len(digits.some(10**6)) == len(digits)


def test_reconstructions_are_in_order_and_none_without_an_encoder(digits):
    model = gan()
    assert reconstructions(model, model.generator, digits.images[:20], seed=0) is None
    model.reconstruct = lambda images: -images
    rebuilt = reconstructions(model, model.generator, digits.images[:1200], seed=0)
    assert torch.equal(rebuilt, 255 - digits.images[:1200])


def test_grid_places_images_row_by_row():
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, 1, 28, 28) * 40
    grid = image_grid(images, columns=3)
    assert grid.shape == (2 * 30 + 2, 3 * 30 + 2)
    for i in range(6):
        top, left = 2 + i // 3 * 30, 2 + i % 3 * 30
        assert (grid[top : top + 28, left : left + 28] == i * 40).all()


def test_png_and_gif_hold_the_pictures():
    frames = [np.full((30, 30), value, np.uint8) for value in (0, 100, 200)]
    assert (np.asarray(Image.open(io.BytesIO(png_bytes(frames[1])))) == 100).all()
    gif = Image.open(io.BytesIO(gif_bytes(frames)))
    assert gif.n_frames == 3
    gif.seek(2)
    assert abs(np.asarray(gif.convert("L")).mean() - 200) < 8


def test_curves_are_drawn_between_their_bounds():
    bounds = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    picture = curve_plot(torch.tensor([[[0.5, 0.5, 0.5]]]), bounds, side=61)
    rows = np.flatnonzero(picture[:, 30])
    # Margins of a quarter above and below: the range goes over 1.5 units in 61 pixels.
    assert set(picture[rows, 30]) == {140, 255}
    (middle,) = np.flatnonzero(picture[:, 30] == 140)
    assert middle == 30
    assert abs(rows.min() - 10) <= 1
    assert abs(rows.max() - 50) <= 1


def test_what_leaves_the_plot_is_cut_and_not_an_error():
    bounds = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    assert curve_plot(torch.tensor([[1e30, -1e30]]), bounds).shape == (302, 302)


def there_and_back():
    """Makes the source a fifth brighter of each image and, the way back, each image half as bright."""
    model = gan()
    model.generate = lambda batch, latent: batch.source + 0.2
    model.back = lambda images: images / 2
    return model


def pairs(n):
    """Image i is a grey of its own, its source another."""
    rng = torch.Generator().manual_seed(0)
    source, images = ((torch.rand(n, 1, 1, 1, generator=rng) - 0.5).expand(-1, 1, 28, 28) for _ in range(2))
    return Batch(images, torch.arange(n) % 10, source)


def grey(values):
    """[-1, 1] as pixels; a value between two may go to either."""
    return (np.asarray(values, dtype=np.float64) + 1) * 127.5


@pytest.mark.parametrize("batch_size", [500, 7, 1])
def test_the_way_back_is_of_the_images_and_the_cycle_of_what_was_made(batch_size):
    model, asked = there_and_back(), pairs(20)
    samples = draw(model, model.generator, asked, seed=0, batch_size=batch_size)
    assert samples.asked is asked
    for made, expected in (
        (samples.images, asked.source + 0.2),
        (samples.back, asked.images / 2),
        (samples.cycled, (asked.source + 0.2) / 2),
    ):
        assert made.shape == (20, 1, 28, 28)
        assert made.dtype == torch.uint8
        assert np.abs(made.numpy() - grey(expected)).max() < 0.501


def test_without_a_way_back_there_is_no_cycle():
    samples = sample(gan(), gan().generator, 20, seed=0)
    assert samples.back is None
    assert samples.cycled is None


def test_the_first_of_samples_keep_what_belongs_to_them():
    model, asked = there_and_back(), pairs(20)
    samples = draw(model, model.generator, asked, seed=0)
    first = samples.first(6)
    for name in ("images", "back", "cycled"):
        assert torch.equal(getattr(first, name), getattr(samples, name)[:6])
    assert torch.equal(first.asked.source, asked.source[:6])
    assert torch.equal(first.asked.labels, asked.labels[:6])
    assert (first.labels, first.clusters) == (None, None)
    assert len(samples.images) == 20


@pytest.mark.parametrize(("rows", "lines"), [(8, 6), (10, 9), (2, 3)])
def test_a_picture_of_translations_has_ten_columns_and_about_as_many_lines(embedded, rows, lines):
    """Input, output and the input again where there is a way back, for as many tens of examples as fit."""
    task, model = TASKS["translation"], there_and_back()
    data = Dataset("mnist5k", embedded.images, embedded.labels, "", "", held_out=embedded)
    picture = shown(model, model.generator, task, data, rows, seed=0)
    assert picture.shape == (lines * 30 + 2, 10 * 30 + 2)
    source = task.examples(data, 10 * (lines // 3), 0).source
    tiles = picture[2:, 2:].reshape(lines, 30, 10, 30).swapaxes(1, 2)[:, :, :28, :28].reshape(-1, 3, 10, 28, 28)
    made = (source + 0.2).clamp(-1, 1)
    for line, expected in enumerate((source, made, (source + 0.2) / 2)):
        difference = np.abs(tiles[:, line].reshape(-1, 28, 28) - grey(expected)[:, 0])
        assert difference.max() < 0.501, line

"""Sources: holes of every size at every place, small noisy images, 6s beside 9s; and streams that come back."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from batches import equal
from numpy.typing import NDArray
from scipy import stats

from bench.data import Batches, fingerprint
from bench.data.pairs import CorruptedBatches, Corruption, UnpairedBatches, made_small, with_holes
from bench.data.sources import Dataset
from bench.errors import BenchError
from gans import Batch

CPU = torch.device("cpu")
CORRUPTIONS = [with_holes, made_small]
# What is drawn is fixed by seeds; another version of torch may draw otherwise and then has this chance of a failure.
SMALL_CHANCE = 1e-4


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(images: torch.Tensor) -> Batch:
    return Batch(images, torch.arange(len(images)) % 10)


def random_images(n: int) -> torch.Tensor:
    return torch.rand(n, 1, 28, 28, generator=rng(9)) * 2 - 1


def digits(count: int = 50, kinds: tuple[int, ...] = tuple(range(10)), seed: int = 0) -> Dataset:
    """Random pixels, no two images alike."""
    images = torch.randint(256, (count, 1, 28, 28), generator=rng(seed), dtype=torch.uint8)
    labels = torch.tensor(kinds)[torch.arange(count) % len(kinds)]
    return Dataset("mnist", images, labels, fingerprint(images), "a test")


@pytest.fixture(scope="module")
def holes() -> dict[str, NDArray[np.int64]]:
    """Size, first row and first column of the holes of 20,000 images, read off the masks."""
    known = with_holes(batch_of(torch.zeros(20_000, 1, 28, 28)), rng()).known
    assert known is not None
    hole = known.numpy()[:, 0] == 0
    rows, columns = hole.any(2), hole.any(1)
    return {"size": rows.sum(1), "width": columns.sum(1), "top": rows.argmax(1), "left": columns.argmax(1)}


def test_a_hole_is_one_square_filled_with_grey_and_the_rest_is_the_image() -> None:
    images = random_images(300)
    before = images.clone()
    batch = with_holes(batch_of(images), rng())
    assert batch.source is not None
    assert batch.known is not None
    assert batch.source.shape == batch.known.shape == (300, 1, 28, 28)
    assert batch.source.dtype == batch.known.dtype == torch.float32
    assert torch.equal(batch.images, before), "the target stays whole"
    assert batch.labels.tolist() == [i % 10 for i in range(300)]
    for image, source, known in zip(before.numpy(), batch.source.numpy(), batch.known.numpy(), strict=True):
        rows, columns = np.nonzero(known[0] == 0)
        top, left, size = rows.min(), columns.min(), rows.max() - rows.min() + 1
        assert 10 <= size <= 15
        expected = np.ones((28, 28))
        expected[top : top + size, left : left + size] = 0
        assert (known[0] == expected).all()
        assert (source[0] == np.where(expected == 1, image[0], 0)).all()


def test_every_image_has_a_hole_of_its_own() -> None:
    known = with_holes(batch_of(random_images(64)), rng()).known
    assert known is not None
    assert len({mask.numpy().tobytes() for mask in known}) > 60


def test_sizes_are_uniform_from_10_to_15(holes: dict[str, NDArray[np.int64]]) -> None:
    sizes, counts = np.unique(holes["size"], return_counts=True)
    assert sizes.tolist() == list(range(10, 16))
    assert (holes["width"] == holes["size"]).all()
    assert stats.chisquare(counts).pvalue > SMALL_CHANCE


@pytest.mark.parametrize("side", ["top", "left"])
@pytest.mark.parametrize("size", range(10, 16))
def test_places_are_uniform_from_one_edge_to_the_other(
    holes: dict[str, NDArray[np.int64]], side: str, size: int
) -> None:
    places, counts = np.unique(holes[side][holes["size"] == size], return_counts=True)
    assert places.tolist() == list(range(28 - size + 1)), "the hole lies within the image and touches both its edges"
    assert stats.chisquare(counts).pvalue > SMALL_CHANCE


@pytest.mark.parametrize("size", range(10, 16))
def test_rows_and_columns_of_a_hole_are_independent(holes: dict[str, NDArray[np.int64]], size: int) -> None:
    chosen = holes["size"] == size
    table = np.zeros((28 - size + 1, 28 - size + 1))
    np.add.at(table, (holes["top"][chosen], holes["left"][chosen]), 1)
    # Some 9 to 17 holes a cell.
    assert stats.chi2_contingency(table).pvalue > SMALL_CHANCE


def test_a_small_image_is_the_mean_of_the_middle_of_each_4x4_and_noise() -> None:
    """Bilinear without align_corners asks for the point amid four pixels; the noise of one seed is the same."""
    images = random_images(50)
    small = made_small(batch_of(images), rng(1)).source
    noise = made_small(batch_of(torch.zeros_like(images)), rng(1)).source
    assert small is not None
    assert noise is not None
    assert (small.shape, small.dtype) == ((50, 1, 7, 7), torch.float32)
    middle = images.double().numpy().reshape(50, 1, 7, 4, 7, 4)[:, :, :, 1:3, :, 1:3]
    np.testing.assert_allclose((small - noise).numpy(), middle.mean((3, 5)), atol=1e-6)


def test_the_noise_is_normal_with_a_tenth_of_the_range_after_four_pixels_are_averaged() -> None:
    source = made_small(batch_of(torch.full((2000, 1, 28, 28), -1.0)), rng(2)).source
    assert source is not None
    noise = source.double().numpy() + 1
    # 0.2 / sqrt(4); 98,000 values have a standard error of 0.0002, and nothing is clipped at -1.
    assert noise.std() == pytest.approx(0.1, abs=0.001)
    assert stats.kstest(noise.flatten(), "norm", args=(0, 0.1)).pvalue > SMALL_CHANCE
    pixels = np.corrcoef(noise.reshape(2000, 49).T)
    assert np.abs(pixels - np.eye(49)).max() < 0.12, "each pixel has its own: five standard errors of 2,000"


def test_making_small_leaves_images_and_labels_and_knows_no_holes() -> None:
    images = random_images(5)
    before = images.clone()
    batch = made_small(batch_of(images), rng())
    assert torch.equal(batch.images, before)
    assert batch.labels.tolist() == [0, 1, 2, 3, 4]
    assert batch.known is None


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_the_images_are_those_of_the_plain_stream(corruption: Corruption) -> None:
    plain, batches = Batches(digits(), 16, 3, CPU), CorruptedBatches(digits(), 16, 3, CPU, corruption)
    for _ in range(9):
        expected, batch = plain.next(), batches.next()
        assert torch.equal(batch.images, expected.images)
        assert torch.equal(batch.labels, expected.labels)
        assert batch.source is not None
        assert len(batch.source) == 16
        assert batches.images_seen == plain.images_seen
        assert batches.state_dict() == plain.state_dict()


def test_a_source_is_made_of_its_own_image() -> None:
    batches = CorruptedBatches(digits(), 16, 3, CPU, with_holes)
    for _ in range(5):
        batch = batches.next()
        assert batch.source is not None
        assert batch.known is not None
        assert torch.equal(batch.source, batch.images.where(batch.known == 1, torch.zeros(())))


def stream(corruption: Corruption) -> Callable[[int], CorruptedBatches]:
    return lambda seed: CorruptedBatches(digits(), 16, seed, CPU, corruption)


def unpaired(seed: int) -> UnpairedBatches:
    return UnpairedBatches(digits(45, (9,), seed=1), digits(30, (6,), seed=2), 16, seed, CPU)


STREAMS = {"holes": stream(with_holes), "small": stream(made_small), "unpaired": unpaired}
every_stream = pytest.mark.parametrize("make", STREAMS.values(), ids=STREAMS)


@every_stream
def test_a_seed_repeats_a_stream_and_another_gives_another(
    make: Callable[[int], CorruptedBatches | UnpairedBatches],
) -> None:
    torch.manual_seed(0)
    one = [batch for stream in [make(4)] for batch in (stream.next() for _ in range(7))]
    torch.manual_seed(1)
    state = torch.get_rng_state()
    again, other = make(4), make(5)
    for batch in one:
        assert equal(again.next(), batch)
        assert not equal(other.next(), batch)
    assert torch.equal(torch.get_rng_state(), state), "nothing is drawn from anyone else"


@every_stream
@pytest.mark.parametrize("before", [0, 1, 3, 7])
@pytest.mark.parametrize("used", [0, 4])
def test_a_saved_position_goes_on_with_the_same_sources(
    make: Callable[[int], CorruptedBatches | UnpairedBatches], before: int, used: int
) -> None:
    batches, resumed = make(4), make(4)
    for _ in range(before):
        batches.next()
    saved = json.loads(json.dumps(batches.state_dict()))
    for _ in range(used):
        resumed.next()
    resumed.load_state_dict(saved)
    assert resumed.state_dict() == batches.state_dict() == saved
    for _ in range(6):
        assert equal(resumed.next(), batches.next())


@every_stream
def test_a_position_of_another_seed_is_refused(make: Callable[[int], CorruptedBatches | UnpairedBatches]) -> None:
    with pytest.raises(BenchError, match="resume with the same data and seed"):
        make(4).load_state_dict(make(5).state_dict())


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_another_seed_draws_other_sources_of_the_same_images(corruption: Corruption) -> None:
    grey = torch.full((50, 1, 28, 28), 200, dtype=torch.uint8)
    alike = Dataset("mnist", grey, torch.zeros(50, dtype=torch.int64), "0123456789abcdef", "a test")
    one, other = (CorruptedBatches(alike, 16, seed, CPU, corruption) for seed in (0, 1))
    for _ in range(3):
        sources = one.next().source, other.next().source
        assert sources[0] is not None
        assert sources[1] is not None
        assert not torch.equal(*sources)


def test_the_noise_of_one_seed_never_comes_again_and_is_no_other_seeds() -> None:
    """Seeds 0 to 3 at each of the first 40 positions, image by image: the position must not stand in for the seed."""
    grey = torch.full((50, 1, 28, 28), 200, dtype=torch.uint8)
    alike = Dataset("mnist", grey, torch.zeros(50, dtype=torch.int64), "0123456789abcdef", "a test")
    seen = set()
    for seed in range(4):
        batches = CorruptedBatches(alike, 1, seed, CPU, made_small)
        for _ in range(40):
            source = batches.next().source
            assert source is not None
            seen.add(source.numpy().tobytes())
    assert len(seen) == 4 * 40


def test_unpaired_streams_give_images_of_one_kind_and_sources_of_the_other(embedded: Dataset) -> None:
    images, sources = (embedded.rows(embedded.labels == digit) for digit in (9, 6))
    batches = UnpairedBatches(images, sources, 32, 2, CPU)
    plain = Batches(images, 32, 2, CPU), Batches(sources, 32, 2, CPU)
    kinds = {image.numpy().tobytes(): int(label) for image, label in zip(embedded.images, embedded.labels, strict=True)}

    def kinds_of(pixels: torch.Tensor) -> set[int]:
        return {kinds[image.numpy().tobytes()] for image in (pixels * 127.5 + 127.5).round().to(torch.uint8)}

    for _ in range(20):  # over the end of either set of 500
        batch = batches.next()
        assert batch.source is not None
        assert batch.known is None
        assert kinds_of(batch.images) == {9}
        assert kinds_of(batch.source) == {6}
        assert batch.labels.tolist() == [9] * 32
        assert torch.equal(batch.images, plain[0].next().images)
        assert torch.equal(batch.source, plain[1].next().images)


def test_an_epoch_of_unpaired_streams_is_a_pass_over_the_larger_set() -> None:
    """A step takes a batch of each, so that both are seen once."""
    few, many = digits(30), digits(50, seed=1)
    assert Batches(few, 4, 0, CPU).per_epoch == 30
    for images, sources in ((few, many), (many, few)):
        assert UnpairedBatches(images, sources, 4, 0, CPU).per_epoch == 50


def test_unpaired_streams_know_which_position_is_whose() -> None:
    state = unpaired(4).state_dict()
    with pytest.raises(BenchError, match="does not fit"):
        unpaired(4).load_state_dict({"images": state["sources"], "sources": state["images"]})


def test_foreign_sources_leave_both_streams_where_they_were() -> None:
    streams, further = unpaired(4), unpaired(4)
    further.next()
    before = streams.state_dict()
    foreign = {"images": further.state_dict()["images"], "sources": before["images"]}
    with pytest.raises(BenchError, match="does not fit"):
        streams.load_state_dict(foreign)
    assert streams.state_dict() == before


def test_the_first_holes_are_the_same_however_many_follow() -> None:
    images = torch.zeros(50, 1, 28, 28)
    known = [
        with_holes(Batch(images[:n], torch.zeros(n, dtype=torch.int64)), torch.Generator().manual_seed(3)).known
        for n in (20, 50)
    ]
    assert torch.equal(known[0], known[1][:20])


def test_unpaired_streams_refuse_a_batch_that_either_set_cannot_fill() -> None:
    with pytest.raises(BenchError, match="batch size 31; allowed are 1 to 30"):
        UnpairedBatches(digits(45, (9,)), digits(30, (6,)), 31, 0, CPU)

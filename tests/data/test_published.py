"""Sets beside MNIST: told apart by their pixels, never mixed, and an error in one line where there is no source."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from idx import write_idx
from torchvision import datasets

from bench.data import PUBLISHED, Dataset, Published, load, published, sources
from bench.data.download import DownloadError
from bench.errors import BenchError


@pytest.mark.parametrize("one", PUBLISHED.values(), ids=lambda one: one.name)
def test_each_names_a_class_of_torchvision(one: Published) -> None:
    kind = getattr(datasets, one.kind)
    assert issubclass(kind, datasets.MNIST)
    assert hasattr(kind, "url") or kind.mirrors


def test_an_unknown_set_is_one_line() -> None:
    with pytest.raises(BenchError, match="--data cifar: allowed is mnist, fashion_mnist, kmnist, emnist_digits"):
        published("cifar")


@pytest.mark.parametrize("place", [".", "FashionMNIST/raw", "raw"])
def test_a_folder_is_read_under_the_sets_own_name(place: str, tmp_path: Path, embedded: Dataset) -> None:
    write_idx(tmp_path / place, embedded.images[:20], embedded.labels[:20])
    found = load(published("fashion_mnist"), data_dir=tmp_path, offline=True)
    assert found.name == "fashion_mnist"
    assert torch.equal(found.images, embedded.images[:20])


def test_emnists_images_are_turned_upright(tmp_path: Path, embedded: Dataset) -> None:
    """Its files swap rows and columns, and have names of their own."""
    write_idx(tmp_path, embedded.images[:20].transpose(2, 3), embedded.labels[:20], "emnist-digits-test")
    found = load(published("emnist_digits"), "test", data_dir=tmp_path, offline=True)
    assert torch.equal(found.images, embedded.images[:20])
    with pytest.raises(BenchError, match=r"lacks emnist-digits-train-images-idx3-ubyte and .*EMNIST/raw"):
        load(published("emnist_digits"), data_dir=tmp_path, offline=True)


def test_mnist_under_another_name_is_refused(real_mnist: Path) -> None:
    """Three sets name their files alike; scores of digits under the name of clothes would be worth nothing."""
    with pytest.raises(BenchError, match="holds MNIST, not Fashion-MNIST: name it with --data mnist, or give"):
        load(published("fashion_mnist"), data_dir=real_mnist, offline=True)


def test_without_a_source_nothing_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError, match=r"KMNIST is not at hand \(offline as asked\) and nothing of it is embedded"):
        load(published("kmnist"), data_dir=None, offline=True)
    monkeypatch.delenv("BENCH_OFFLINE")

    def down(*_: object) -> Path:
        raise DownloadError("no mirror answered")

    monkeypatch.setattr(sources, "download", down)
    with pytest.raises(BenchError, match=r"KMNIST is not at hand \(no mirror answered\)"):
        load(published("kmnist"), data_dir=None, offline=False)


def test_a_download_is_kept_under_the_sets_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, embedded: Dataset
) -> None:
    """EMNIST's archive leaves unpacked files, and those of other sets beside it."""
    monkeypatch.delenv("BENCH_OFFLINE")

    def archive(one: Published, folder: Path) -> Path:
        raw = write_idx(folder / one.kind / "raw", embedded.images[:20], embedded.labels[:20], "emnist-digits-train")
        write_idx(raw, embedded.images[20:30], embedded.labels[20:30], "emnist-digits-test")
        return write_idx(raw, embedded.images[:9], embedded.labels[:9], "emnist-letters-train")

    monkeypatch.setattr(sources, "download", archive)
    fresh = load(published("emnist_digits"), data_dir=None, offline=False)
    monkeypatch.setattr(sources, "download", lambda *_: pytest.fail("downloaded again"))
    kept = load(published("emnist_digits"), data_dir=None, offline=False)
    assert kept.fingerprint == fresh.fingerprint
    assert len(load(published("emnist_digits"), "test", data_dir=None, offline=False)) == 10
    cache = tmp_path / "cache" / "bench" / "emnist_digits"
    assert len([path for path in cache.iterdir() if path.is_file()]) == 4

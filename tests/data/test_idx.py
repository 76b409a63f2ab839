"""The IDX reader: gives back what was written, and answers every broken file with one line that names it."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.idx import MAX_ITEMS, read_images, read_labels, read_pair
from bench.errors import BenchError

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
LABELS = np.array([5, 0, 9], dtype=np.uint8)


def images_file(count: int = 3, rows: int = 28, columns: int = 28, payload: bytes | None = None) -> bytes:
    return struct.pack(">4I", 2051, count, rows, columns) + (IMAGES.tobytes() if payload is None else payload)


def labels_file(count: int = 3, payload: bytes = LABELS.tobytes()) -> bytes:
    return struct.pack(">2I", 2049, count) + payload


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def refusal(read: Callable[[], object], path: Path) -> str:
    with pytest.raises(BenchError) as caught:
        read()
    message = str(caught.value)
    assert path.name in message
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_is_read(tmp_path: Path, packed: bool) -> None:
    pack, end = (gzip.compress, ".gz") if packed else (bytes, "")
    images, labels = read_pair(
        written(tmp_path / f"i{end}", pack(images_file())), written(tmp_path / f"l{end}", pack(labels_file()))
    )
    assert (images.dtype, images.shape) == (torch.uint8, (3, 1, 28, 28))
    assert labels.dtype == torch.int64
    np.testing.assert_array_equal(images.numpy()[:, 0], IMAGES)
    assert labels.tolist() == [5, 0, 9]


def test_a_gzipped_file_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    images = read_images(written(tmp_path / "renamed", gzip.compress(images_file())))
    np.testing.assert_array_equal(images.numpy()[:, 0], IMAGES)


PACKED = gzip.compress(images_file())
BROKEN_IMAGES = {
    "empty": ("f", b"", "truncated, 0 bytes are no IDX header, which takes 16"),
    "header cut": ("f", images_file()[:11], "truncated, 11 bytes are no IDX header, which takes 16"),
    "text": ("f", b"<html>404</html>", "magic number 1013478509, IDX images start with 2051"),
    "labels instead": ("f", labels_file(), "magic number 2049 (labels), IDX images start with 2051"),
    "other size": ("f", images_file(rows=32, columns=30), "images of 32 x 30 pixels, allowed is 28 x 28"),
    "no image": ("f", images_file(count=0, payload=b""), "promises 0 images, allowed are 1 to 1,000,000"),
    "too many": ("f", images_file(count=2**32 - 1), "promises 4,294,967,295 images, allowed are 1 to"),
    "payload cut": ("f", images_file()[:-1], "truncated, 2,352 bytes of images are promised, 2,351 came"),
    "trailing": ("f", images_file() + b"\0", "bytes trail behind the 2,352"),
    "not gzip": ("f.gz", images_file(), "is named .gz but is not gzip"),
    "empty gzip": ("f.gz", b"", "is named .gz but is not gzip"),
    "gzip cut": ("f.gz", PACKED[:500], "truncated gzip"),
    "gzip without its end mark": ("f.gz", PACKED[:-8], "truncated gzip"),
    "gzip's checksum": ("f.gz", PACKED[:-8] + bytes(4) + PACKED[-4:], "damaged gzip (CRC check failed"),
    "gzip's data": ("f.gz", PACKED[:10] + b"\xff" * 50 + PACKED[60:], "damaged gzip (Error -3"),
    "behind the gzip": ("f.gz", PACKED + b"junk", "damaged gzip (Not a gzipped file"),
    "payload cut inside": ("f.gz", gzip.compress(images_file()[:-1]), "2,351 came"),
    "trailing inside": ("f.gz", gzip.compress(images_file() + b"\0"), "bytes trail behind the 2,352"),
}


@pytest.mark.parametrize(("name", "content", "words"), BROKEN_IMAGES.values(), ids=BROKEN_IMAGES)
def test_a_broken_image_file_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = written(tmp_path / name, content)
    message = refusal(lambda: read_images(path), path)
    assert words in message
    assert message.endswith("; fetch the file again")


BROKEN_LABELS = {
    "not a digit": (labels_file(payload=b"\x05\x0a\x0b"), "label 10 at position 1, allowed are 0..9"),
    "images instead": (images_file(), "magic number 2051 (images), IDX labels start with 2049"),
    "cut": (labels_file()[:-1], "truncated, 3 bytes of labels are promised, 2 came"),
}


@pytest.mark.parametrize(("content", "words"), BROKEN_LABELS.values(), ids=BROKEN_LABELS)
def test_a_broken_label_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = written(tmp_path / "labels", content)
    assert words in refusal(lambda: read_labels(path), path)


def test_files_of_different_sets_are_refused(tmp_path: Path) -> None:
    images = written(tmp_path / "images", images_file())
    labels = written(tmp_path / "labels", labels_file(count=2, payload=b"\1\2"))
    message = refusal(lambda: read_pair(images, labels), images)
    assert "3 images" in message
    assert "labels 2 labels" in message


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(lambda: read_images(tmp_path / "absent"), tmp_path / "absent")
    assert "cannot be read" in refusal(lambda: read_images(tmp_path), tmp_path)


def test_a_name_with_a_line_break_keeps_the_message_on_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "two\nlines", b"")
    with pytest.raises(BenchError) as caught:
        read_images(path)
    assert len(str(caught.value).splitlines()) == 1
    assert r"two\nlines" in str(caught.value)


BOMBS = {
    "more than promised": gzip.compress(images_file(count=1, payload=bytes(64 << 20))),
    "less than promised": images_file(count=MAX_ITEMS),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_memory_follows_neither_the_bomb_nor_the_promise(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "bomb", content)
    tracemalloc.start()
    try:
        refusal(lambda: read_images(path), path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A chunk of 1 MiB and buffers; 64 MiB lie in the one, 784 MB are promised by the other.
    assert peak < 4 << 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def check_against_content(path: Path, content: bytes) -> None:
    """Either one line that names the file, or exactly the bytes that stand behind the header."""
    path.write_bytes(content)
    for read, header in ((read_images, 16), (read_labels, 8)):
        try:
            tensor = read(path)
        except BenchError as error:
            assert path.name in str(error)
            assert len(str(error).splitlines()) == 1
            continue
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert bytes(tensor.to(torch.uint8).flatten().tolist()) == plain[header:]


@settings(max_examples=300, deadline=None, database=None)
@given(content=st.binary(max_size=4000), packed=st.booleans(), named_gz=st.booleans())
def test_any_bytes_are_read_or_refused(folder: Path, content: bytes, packed: bool, named_gz: bool) -> None:
    path = folder / ("f.gz" if named_gz else "f")
    check_against_content(path, gzip.compress(content, 1) if packed else content)


@settings(max_examples=500, deadline=None, database=None)
@given(data=st.data(), valid=st.sampled_from([images_file(), labels_file()]), packed=st.booleans())
def test_mutations_are_read_or_refused(folder: Path, data: st.DataObject, valid: bytes, packed: bool) -> None:
    content = bytearray(gzip.compress(valid, 1) if packed else valid)
    for _ in range(data.draw(st.integers(0, 4))):
        # Headers are where it hurts: half the changes go there.
        at = data.draw(st.integers(0, 20) | st.integers(0, len(content)))
        replaced = data.draw(st.integers(0, 3))
        content[at : at + replaced] = data.draw(st.binary(max_size=4))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    check_against_content(folder / ("f.gz" if packed else "f"), bytes(content))

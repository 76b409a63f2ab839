"""Reads the IDX files that MNIST and its kin are published in, raw or gzipped.

Takes paths, gives tensors; whatever is wrong with a file is one `BenchError` that names it. A file is not
trusted: no more is decompressed than its header promises plus one byte, and it may promise only so much.
Must not know where files are looked for, nor what is done with the digits.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor

from bench.errors import BenchError
from bench.files import show

SIDE = 28
CLASSES = 10
# 16 times MNIST and above every digit set of this family (EMNIST: 814,255): 784 MB of pixels at most.
MAX_ITEMS = 1_000_000

_IMAGE_MAGIC = 0x00000803
_LABEL_MAGIC = 0x00000801
_KINDS = {_IMAGE_MAGIC: "images", _LABEL_MAGIC: "labels"}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_pair(images_path: Path, labels_path: Path) -> tuple[Tensor, Tensor]:
    """`images` uint8 [N, 1, 28, 28] and `labels` int64 [N] of two files that belong together."""
    images, labels = read_images(images_path), read_labels(labels_path)
    if len(images) != len(labels):
        raise BenchError(
            f"{show(images_path)} holds {len(images):,} images but {show(labels_path)} {len(labels):,} labels"
            "; take both files from one set"
        )
    return images, labels


def read_images(path: Path) -> Tensor:
    """uint8 [N, 1, 28, 28], N at least 1."""
    count, payload = _read(path, _IMAGE_MAGIC, inner=(SIDE, SIDE))
    return torch.frombuffer(payload, dtype=torch.uint8).view(count, 1, SIDE, SIDE)


def read_labels(path: Path) -> Tensor:
    """int64 [N] in 0..9, N at least 1."""
    _, payload = _read(path, _LABEL_MAGIC, inner=())
    labels = torch.frombuffer(payload, dtype=torch.uint8).to(torch.int64)
    wrong = (labels >= CLASSES).nonzero().flatten()
    if len(wrong):
        first = int(wrong[0])
        raise _bad(path, f"label {int(labels[first])} at position {first}, allowed are 0..{CLASSES - 1}")
    return labels


def _bad(path: Path, problem: str) -> BenchError:
    return BenchError(f"{show(path)}: {problem}; fetch the file again")


def _read(path: Path, magic: int, inner: tuple[int, ...]) -> tuple[int, bytearray]:
    """Number of items and their bytes; the header is `magic`, that number and the `inner` sizes."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            if path.suffix == ".gz" and not packed:
                # Browsers and proxies that unpack on the way leave such files.
                raise _bad(path, "is named .gz but is not gzip")
            if not packed:
                return _read_stream(path, file, magic, inner)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read_stream(path, cast("IO[bytes]", unpacked), magic, inner)
    except EOFError:
        raise _bad(path, "truncated gzip, it ends before its end mark") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _bad(path, f"damaged gzip ({error})") from None
    except OSError as error:
        problem = error.strerror or error
        raise BenchError(f"{show(path)}: cannot be read ({problem}); check path and rights") from None


def _read_stream(path: Path, stream: IO[bytes], magic: int, inner: tuple[int, ...]) -> tuple[int, bytearray]:
    count = _read_header(path, stream, magic, inner)
    size = count
    for length in inner:
        size *= length
    # The one byte more shows what trails, and makes gzip reach and verify its checksum.
    payload = _read_at_most(stream, size + 1)
    if len(payload) < size:
        raise _bad(path, f"truncated, {size:,} bytes of {_KINDS[magic]} are promised, {len(payload):,} came")
    if len(payload) > size:
        raise _bad(path, f"bytes trail behind the {size:,} that are promised")
    return count, payload


def _read_header(path: Path, stream: IO[bytes], magic: int, inner: tuple[int, ...]) -> int:
    size = 4 * (2 + len(inner))
    header = bytes(_read_at_most(stream, size))
    # The magic number first: it tells a foreign file, however short, from a cut one.
    if len(header) >= 4 and (found := int.from_bytes(header[:4], "big")) != magic:
        what = f" ({_KINDS[found]})" if found in _KINDS else ""
        raise _bad(path, f"magic number {found}{what}, IDX {_KINDS[magic]} start with {magic}")
    if len(header) < size:
        raise _bad(path, f"truncated, {len(header)} bytes are no IDX header, which takes {size}")
    _, count, *sizes = struct.unpack(f">{2 + len(inner)}I", header)
    if tuple(sizes) != inner:
        found_sizes, allowed = (" x ".join(map(str, each)) for each in (sizes, inner))
        raise _bad(path, f"images of {found_sizes} pixels, allowed is {allowed}")
    if not 1 <= count <= MAX_ITEMS:
        raise _bad(path, f"the header promises {count:,} {_KINDS[magic]}, allowed are 1 to {MAX_ITEMS:,}")
    return int(count)


def _read_at_most(stream: IO[bytes], size: int) -> bytearray:
    """In chunks, so that memory follows what is there and not what a header claims."""
    data = bytearray()
    while len(data) < size and (chunk := stream.read(min(_CHUNK, size - len(data)))):
        data += chunk
    return data

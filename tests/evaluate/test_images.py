"""Anyone's images: what is allowed comes in as one tensor, all else is one line that names the file."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench import images as room
from bench.errors import BenchError
from bench.images import ALLOWED, load_images

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def png(path: Path, pixels: Any) -> None:
    Image.fromarray(pixels).save(path)


def folder(path: Path, *pixels: Any) -> Path:
    path.mkdir()
    for i, image in enumerate(pixels):
        png(path / f"{i:03}.png", image)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BenchError) as caught:
        load_images(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert ALLOWED in message
    return message


@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 1, 28, 28), (5, 28, 28, 1)])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_each_shape(tmp_path: Path, shape: tuple[int, ...], save: Callable[..., None]) -> None:
    save(tmp_path / "x.npz", PIXELS.reshape(shape))
    loaded = load_images(tmp_path / "x.npz")
    assert loaded.dtype == torch.uint8
    assert loaded.shape == (5, 1, 28, 28)
    np.testing.assert_array_equal(loaded[:, 0].numpy(), PIXELS)


def test_npz_in_fortran_order(tmp_path: Path) -> None:
    loaded = load_images(npz(tmp_path / "x.npz", images=np.asfortranarray(PIXELS)))
    np.testing.assert_array_equal(loaded[:, 0].numpy(), PIXELS)


@pytest.mark.parametrize("name", ["images", "arr_0", "samples"])
def test_the_images_are_found_by_name_among_others(tmp_path: Path, name: str) -> None:
    loaded = load_images(npz(tmp_path / "x.npz", labels=np.arange(5), **{name: PIXELS}))
    np.testing.assert_array_equal(loaded[:, 0].numpy(), PIXELS)


def test_a_single_array_may_have_any_name(tmp_path: Path) -> None:
    assert len(load_images(npz(tmp_path / "x.npz", fakes=PIXELS))) == 5


@pytest.mark.parametrize("names", [("a", "b"), ("images", "samples")])
def test_several_candidates_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    message = refusal(npz(tmp_path / "x.npz", **dict.fromkeys(names, PIXELS)))
    assert "holds 2 arrays; name the one of the images" in message


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (PIXELS.astype(np.float32) / 255, "array of float32; scale to 0..255"),
        (np.full((5, 28, 28), np.nan), "array of float64; scale"),
        (PIXELS.astype(np.int64), "array of int64"),
        (np.array([None, "x"], dtype=object), "array of object"),
        (PIXELS.view(bool), "array of bool"),
        (PIXELS[0], "shape [28, 28]"),
        (PIXELS[:0], "shape [0, 28, 28]"),
        (np.zeros((5, 32, 32), np.uint8), "shape [5, 32, 32]"),
        (np.zeros((5, 3, 28, 28), np.uint8), "shape [5, 3, 28, 28]"),
        (np.zeros((5, 28, 28, 3), np.uint8), "shape [5, 28, 28, 3]"),
        (np.uint8(3), "shape []"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, array: Any, said: str) -> None:
    assert said in refusal(npz(tmp_path / "x.npz", images=array))


def test_images_of_zeros_and_ones_were_not_scaled_and_black_ones_may_be_what_a_gan_makes(tmp_path: Path) -> None:
    assert "holds no pixel above 1: scale to 0..255" in refusal(npz(tmp_path / "x.npz", images=PIXELS // 128))
    assert not load_images(npz(tmp_path / "black.npz", images=PIXELS * 0)).any()


def test_a_pickle_inside_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    refusal(npz(tmp_path / "x.npz", images=np.array([Trap()], dtype=object)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a readable .npz"),
        (b"\x93NUMPY not a zip", "not a readable .npz"),
        (b"PK\x03\x04" + b"x" * 99, "not a readable"),
    ],
)
def test_no_zip(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    assert said in refusal(tmp_path / "x.npz")


def test_a_truncated_or_altered_zip(tmp_path: Path) -> None:
    whole = npz(tmp_path / "whole.npz", images=PIXELS).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:2000])
    (tmp_path / "altered.npz").write_bytes(whole[:2000] + bytes([whole[2000] ^ 255]) + whole[2001:])
    refusal(tmp_path / "cut.npz")
    assert "CRC" in refusal(tmp_path / "altered.npz")


def test_members_that_are_no_arrays(tmp_path: Path) -> None:
    for name, content in (
        ("empty", b""),
        ("text", b"hello"),
        ("magic", b"\x93NUMPY\x09\x00"),
        ("half", b"\x93NUMPY\x01\x00"),
    ):
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w") as archive:
            archive.writestr("images.npy", content)
        assert "not a readable .npz" in refusal(tmp_path / f"{name}.npz")
    with zipfile.ZipFile(tmp_path / "none.npz", "w"):
        pass
    assert "holds 0 arrays" in refusal(tmp_path / "none.npz")


def test_an_array_whose_pixels_are_missing_or_too_many(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, PIXELS)
    for name, content in (("short", buffer.getvalue()[:-1]), ("long", buffer.getvalue() + b"x")):
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w") as archive:
            archive.writestr("images.npy", content)
        refusal(tmp_path / f"{name}.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_IMAGES", 20)
    monkeypatch.setattr(room.npy, "read_array", lambda *_, **__: pytest.fail("unpacked"))
    path = tmp_path / "x.npz"
    np.savez_compressed(path, images=np.zeros((100, 28, 28), np.uint8))
    assert "more than 20 images" in refusal(path)
    np.savez_compressed(path, images=np.zeros((21, 28, 28), np.uint8))
    assert "shape [21, 28, 28]" in refusal(path)


def test_a_missing_path(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "nowhere.npz")


def test_a_folder_of_pngs_in_the_order_of_names(tmp_path: Path) -> None:
    path = folder(tmp_path / "pngs", *PIXELS)
    (path / "README.txt").write_text("not an image")
    png(path / "000.PNG", PIXELS[0])  # sorts before 000.png; upper case counts too
    loaded = load_images(path)
    assert loaded.dtype == torch.uint8
    assert loaded.shape == (6, 1, 28, 28)
    np.testing.assert_array_equal(loaded[1:, 0].numpy(), PIXELS)


def test_a_grey_rgb_png_is_taken_and_a_coloured_one_is_not(tmp_path: Path) -> None:
    grey = np.repeat(PIXELS[0][..., None], 3, axis=2)
    np.testing.assert_array_equal(load_images(folder(tmp_path / "grey", grey))[0, 0].numpy(), PIXELS[0])
    coloured = grey.copy()
    coloured[5, 5, 1] ^= 1
    with pytest.raises(BenchError, match=r"000.png has colours; allowed is"):
        load_images(folder(tmp_path / "coloured", coloured))


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (np.zeros((32, 32), np.uint8), "is 32x32 pixels"),
        (np.zeros((27, 28), np.uint8), "is 28x27 pixels"),
        (np.zeros((28, 28), np.uint16), "is of mode I;16, not 8-bit grey"),
        (np.zeros((28, 28, 4), np.uint8), "is of mode RGBA"),
    ],
)
def test_pngs_of_another_kind_are_refused(tmp_path: Path, pixels: Any, said: str) -> None:
    path = folder(tmp_path / "pngs", PIXELS[0], pixels)
    with pytest.raises(BenchError, match=r"001\.png") as caught:
        load_images(path)
    assert said in str(caught.value)
    assert ALLOWED in str(caught.value)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_broken_pngs(tmp_path: Path) -> None:
    path = folder(tmp_path / "pngs", PIXELS[0])
    file = path / "000.png"
    whole = file.read_bytes()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0))
    bomb = chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0))
    for content, said in (
        (b"", "is not a PNG file"),
        (b"GIF89a" + b"x" * 99, "is not a PNG file"),
        (whole[:200], "is a broken PNG file"),
        (whole[:60] + b"\xff\xff" + whole[62:], "is a broken PNG file"),
        (whole[:8] + header + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b""), "is a broken PNG file"),
        (whole[:8] + bomb + chunk(b"IEND", b""), "is 2147483647x2147483647 pixels"),
        (whole + b"x" * room.MAX_PNG_BYTES, "has more than 100,000 bytes"),
    ):
        file.write_bytes(content)
        with pytest.raises(BenchError, match=r"000\.png") as caught:
            load_images(path)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_without_pngs_or_with_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "holds no PNG file" in refusal(folder(tmp_path / "empty"))
    monkeypatch.setattr(room, "MAX_IMAGES", 4)
    assert "holds 5 PNG files, more than 4" in refusal(folder(tmp_path / "many", *PIXELS))

"""Reads anyone's generated images for `bench score`: an .npz file or a folder of PNG files.

Takes a path, gives one uint8 tensor; whatever is wrong is one `BenchError` that names the file. Files are not
trusted: sizes are read from headers and limited before anything is unpacked, and no pickle is ever loaded.
Knows nothing of metrics.
"""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from bench.data.idx import SIDE
from bench.errors import BenchError, first_line
from bench.files import show
from bench.pictures import PNG_SIGNATURE

ALLOWED = "allowed is an .npz with one uint8 array [N, 28, 28], or a folder of 28x28 grey PNG files"
ALLOWED_COLOURS = "allowed is an .npz with one uint8 array [N, 3, 28, 28], or a folder of 28x28 RGB PNG files"
ARRAY_NAMES = ("images", "arr_0", "samples")
# A hundred times what the protocol scores: 784 MB of pixels.
MAX_IMAGES = 1_000_000
# 784 grey pixels take some 1,000 bytes; many more are metadata that nobody asked for.
MAX_PNG_BYTES = 100_000
_MAX_NPY_HEADER = 10_000

Pixels = NDArray[np.uint8]


class _Bad(BenchError):
    """What is wrong with a file; what is allowed is added where it is known what was asked for."""


def load_images(path: Path, channels: int = 1) -> Tensor:
    """uint8 [N, channels, 28, 28] of an .npz file, or of a folder's PNG files in the order of their names.

    One channel is grey; three are the colours of an image, first or last in an array.
    """
    allowed = ALLOWED if channels == 1 else ALLOWED_COLOURS
    try:
        pixels = _read_folder(path, channels) if path.is_dir() else _read_npz(path, channels)
        if pixels.max() == 1:
            raise _bad(path, "holds no pixel above 1: scale to 0..255 before converting to uint8")
    except OSError as error:
        raise BenchError(f"{show(path)} cannot be read ({error.strerror or error}); {allowed}") from error
    except _Bad as error:
        raise BenchError(f"{error}; {allowed}") from error.__cause__
    images = torch.from_numpy(pixels)
    if channels > 1 and images.shape[1:] == (SIDE, SIDE, channels):
        images = images.permute(0, 3, 1, 2).contiguous()
    return images.view(-1, channels, SIDE, SIDE)


def _read_npz(path: Path, channels: int) -> Pixels:
    try:
        with zipfile.ZipFile(path) as archive:
            member = _choose(path, archive)
            with archive.open(member) as file:
                _check_header(path, file, member, channels)
            with archive.open(member) as file:
                pixels: Pixels = npy.read_array(file, allow_pickle=False)
                if file.read(1):
                    raise _bad(path, f"its array {member.filename} goes on behind its end")
    except (BenchError, FileNotFoundError, PermissionError):
        raise
    except zipfile.BadZipFile as error:
        raise _bad(
            path,
            f"is not a readable .npz file ({_words(error)}): numpy.savez('images.npz', images=array) writes one",
        ) from error
    except Exception as error:  # zip, zlib and npy readers promise no set of exceptions for broken bytes
        raise _bad(path, f"is not a readable .npz file ({_words(error)})") from error
    return np.ascontiguousarray(pixels)


def _choose(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    arrays = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    known = [arrays[name] for name in ARRAY_NAMES if name in arrays]
    candidates = known or list(arrays.values())
    if len(candidates) != 1:
        raise _bad(path, f"holds {len(arrays)} arrays; name the one of the images {' or '.join(ARRAY_NAMES)}")
    return candidates[0]


def _check_header(path: Path, file: IO[bytes], member: zipfile.ZipInfo, channels: int) -> None:
    """Type, shape and size of the array, before its pixels are unpacked.

    What the zip says of a member's size binds: no more is ever unpacked.
    """
    most = MAX_IMAGES // channels
    if member.file_size > most * channels * SIDE * SIDE + _MAX_NPY_HEADER:
        raise _bad(path, f"holds {member.file_size:,} bytes of pixels, more than {most:,} images")
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape, _, dtype = read[npy.read_magic(file)](file, max_header_size=_MAX_NPY_HEADER)
    if dtype != np.uint8:
        raise _bad(path, f"holds an array of {dtype}; scale to 0..255 and convert to uint8")
    shapes = [(channels, SIDE, SIDE), (SIDE, SIDE, channels)] + [(SIDE, SIDE)] * (channels == 1)
    if shape[1:] not in shapes or not 1 <= shape[0] <= most:
        resize = "" if SIDE in shape[1:] else f": resize to {SIDE}x{SIDE}"
        raise _bad(path, f"holds an array of shape {list(shape)}{resize}")


def _read_folder(folder: Path, channels: int) -> Pixels:
    files = [file for file in folder.iterdir() if file.suffix.lower() == ".png" and file.is_file()]
    if not files:
        raise _bad(folder, "holds no PNG file")
    most = MAX_IMAGES // channels
    if len(files) > most:
        raise _bad(folder, f"holds {len(files):,} PNG files, more than {most:,}")
    return np.stack([_read_png(file, channels) for file in sorted(files)])


def _read_png(path: Path, channels: int) -> Pixels:
    with path.open("rb") as file:
        content = file.read(MAX_PNG_BYTES + 1)
        if len(content) > MAX_PNG_BYTES:
            raise _bad(path, f"has more than {MAX_PNG_BYTES:,} bytes")
        if len(content) < 24 or not content.startswith(PNG_SIGNATURE):
            raise _bad(path, "is not a PNG file")
        # Read by hand: Pillow warns of giants or refuses them in its own way.
        size = struct.unpack(">II", content[16:24])
        if size != (SIDE, SIDE):
            raise _bad(path, f"is {size[0]}x{size[1]} pixels")
        file.seek(0)
        try:
            with Image.open(file, formats=["PNG"]) as image:
                mode, pixels = image.mode, np.asarray(image)
        except Exception as error:  # Pillow has SyntaxError, OSError, ValueError, zlib.error ... for broken files
            raise _bad(path, f"is a broken PNG file ({_words(error)})") from error
    if channels > 1:
        if mode != "RGB":
            raise _bad(path, f"is of mode {mode}, not RGB")
        return pixels
    if mode == "RGB" and (pixels == pixels[..., :1]).all():
        return pixels[..., 0]
    if mode != "L":
        raise _bad(path, f"is of mode {mode}, not 8-bit grey" if mode != "RGB" else "has colours")
    return pixels


def _bad(path: Path, problem: str) -> _Bad:
    return _Bad(f"{show(path)} {problem}")


def _words(error: Exception) -> str:
    return ascii(first_line(error))[1:-1][:100]

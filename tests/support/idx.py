"""Writes small data sets in the files that MNIST is published in."""

import gzip
import struct


def idx_files(images, labels, stem="train"):
    """{name: content} of images uint8 [N, 1, 28, 28] and labels [N] as a pair of raw IDX files."""
    return {
        f"{stem}-images-idx3-ubyte": struct.pack(">4I", 0x803, len(images), 28, 28) + images.numpy().tobytes(),
        f"{stem}-labels-idx1-ubyte": struct.pack(">2I", 0x801, len(labels)) + labels.byte().numpy().tobytes(),
    }


def write_idx(folder, images, labels, stem="train", end=""):
    """The same pair in `folder`, which it gives; packed where the names are to end in .gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in idx_files(images, labels, stem).items():
        (folder / f"{name}{end}").write_bytes(gzip.compress(content) if end else content)
    return folder

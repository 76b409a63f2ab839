"""Writes small data sets in the files that MNIST is published in."""

import struct


def write_idx(folder, images, labels, stem="train"):
    """Images uint8 [N, 1, 28, 28] and labels [N] as a pair of raw IDX files in `folder`, which it gives."""
    folder.mkdir(parents=True, exist_ok=True)
    header = struct.pack(">IIII", 0x803, len(images), 28, 28)
    (folder / f"{stem}-images-idx3-ubyte").write_bytes(header + images.contiguous().numpy().tobytes())
    header = struct.pack(">II", 0x801, len(labels))
    (folder / f"{stem}-labels-idx1-ubyte").write_bytes(header + labels.byte().numpy().tobytes())
    return folder

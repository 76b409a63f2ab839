"""The data room: real digits, from wherever they are, as one tensor and as seeded batches.

Takes a folder, the user's cache, the network or the embedded digits; gives a `Dataset` and `Batches` of it.
Must not know algorithms, metrics or the tracker.
"""

from __future__ import annotations

from bench.data.batches import Batches, as_given, to_uint8, to_unit
from bench.data.published import MNIST, PUBLISHED, Published, published
from bench.data.sources import Dataset, fingerprint, load, load_mnist, load_split, with_validation

__all__ = [
    "MNIST",
    "PUBLISHED",
    "Batches",
    "Dataset",
    "Published",
    "as_given",
    "fingerprint",
    "load",
    "load_mnist",
    "load_split",
    "published",
    "to_uint8",
    "to_unit",
    "with_validation",
]

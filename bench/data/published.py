"""The published sets of 28x28 grey images in ten classes that `--data` names, and how they are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import BenchError


@dataclass(frozen=True)
class Published:
    """One set, in IDX files."""

    name: str
    title: str
    kind: str
    """Its class in torchvision.datasets, and the folder that torchvision keeps its files in."""
    test_images: int = 10_000
    stems: Mapping[str, str] = field(default_factory=lambda: {"train": "train", "test": "t10k"})
    """What its files' names start with. Three sets share these."""
    transposed: bool = False
    """Whether rows and columns are swapped in its files."""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Of its pixels, where they are known."""


MNIST = Published("mnist", "MNIST", "MNIST", fingerprints={"train": "2949fe0883730f5c", "test": "103b0753fe4f34be"})
PUBLISHED = {
    published.name: published
    for published in (
        MNIST,
        Published("fashion_mnist", "Fashion-MNIST", "FashionMNIST"),
        Published("kmnist", "KMNIST", "KMNIST"),
        Published(
            "emnist_digits",
            "EMNIST's digits",
            "EMNIST",
            test_images=40_000,
            stems={"train": "emnist-digits-train", "test": "emnist-digits-test"},
            transposed=True,
        ),
    )
}


def published(name: str) -> Published:
    """The set of that name; BenchError for others."""
    if name not in PUBLISHED:
        raise BenchError(f"--data {name}: allowed is {', '.join(PUBLISHED)}")
    return PUBLISHED[name]

"""What an extractor says of the real images, kept so that scoring needs no data.

Takes real images, gives means, covariances and logits, to and from a file. Knows nothing of generated images.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.errors import BenchError
from bench.features.classifier import CLASSES
from bench.features.extractor import Space
from bench.features.metrics import Statistics, statistics
from bench.features.neighbours import Cloud, cloud
from bench.features.weights import FOLDER, RETRAIN, WEIGHTS, extractor_hash, pack, unpack

REFERENCE = "reference.safetensors"


@dataclass(frozen=True)
class Real:
    """One set of real images in the feature space."""

    statistics: Statistics
    logits: Tensor
    fingerprint: str
    classes: tuple[Statistics, ...] = ()
    """The statistics of each class by itself, 0 to 9, where they are kept; stored as float32."""
    features: Tensor = field(default_factory=lambda: torch.empty(0, 0))
    """Every image's features, float32 [N, F], where they are kept; stored as float16."""

    @cached_property
    def cloud(self) -> Cloud:
        """The features with their nearest neighbours' distances, computed once."""
        return cloud(self.features)


@dataclass(frozen=True)
class Reference:
    """`test` is what every set is compared with; `train` is the floor: the best that can be hoped for."""

    test: Real
    train: Real
    extractor: str


def train_subset(count: int) -> str:
    return f"the first {count:,} training images"


def real_of(space: Space, images: Tensor, fingerprint: str, labels: Tensor | None = None) -> Real:
    """Logits are kept as float32: as the network computes them, and half as large.

    With labels also each class's own statistics, and the features.
    """
    features, logits = space.extract(images)
    real = Real(statistics(features), logits.float(), fingerprint)
    if labels is None:
        return real
    classes = tuple(statistics(features[labels == digit]) for digit in range(CLASSES))
    return replace(real, classes=classes, features=features.half().float())


def pack_reference(reference: Reference) -> bytes:
    """The file's bytes; without classes and features of the test images it is marked as of statistics alone."""
    test = reference.test
    tensors: dict[str, Tensor] = {}
    subset = train_subset(len(reference.train.logits))
    about: dict[str, Any] = {"extractor": reference.extractor, "train_subset": subset}
    for name, real in (("test", test), ("train", reference.train)):
        for part, values in real.statistics.items():
            tensors[f"{name}_{part}"] = torch.from_numpy(values)
        tensors[f"{name}_logits"] = real.logits
        about[f"{name}_fingerprint"] = real.fingerprint
    if not test.classes:
        about["statistics_only"] = True
        return pack(tensors, about)
    for part in ("mu", "sigma"):
        stacked = np.stack([one[part] for one in test.classes])
        tensors[f"class_{part}"] = torch.from_numpy(stacked.astype(np.float32))
    tensors["test_features"] = test.features.half()
    return pack(tensors, about)


def load_reference(folder: Path = FOLDER) -> Reference:
    """Refuses statistics that other weights made: a distance between two feature spaces means nothing."""
    path = folder / REFERENCE
    tensors, about = unpack(path)
    expected = extractor_hash(folder / WEIGHTS)
    if about.get("extractor") != expected:
        found = about.get("extractor", "unknown")
        raise BenchError(f"{path} is of extractor {found}, but {WEIGHTS} beside it is {expected}: {RETRAIN}")

    def real(name: str) -> Real:
        stats = {part: tensors[f"{name}_{part}"].numpy() for part in ("mu", "sigma")}
        return Real(stats, tensors[f"{name}_logits"], about[f"{name}_fingerprint"])

    try:
        test, train = real("test"), real("train")
        if not about.get("statistics_only"):
            means, covariances = (tensors[f"class_{part}"].double().numpy() for part in ("mu", "sigma"))
            classes = tuple({"mu": mu, "sigma": sigma} for mu, sigma in zip(means, covariances, strict=True))
            test = replace(test, classes=classes, features=tensors["test_features"].float())
        return Reference(test, train, expected)
    except KeyError as error:
        raise BenchError(f"{path} lacks {error}: {RETRAIN}") from error

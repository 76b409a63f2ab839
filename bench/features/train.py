"""Trains a data set's classifiers on its real images and writes their files: weights, reference, model card.

Takes both splits, gives files. Knows nothing of GANs. The test images are looked at once, after training.
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.data import Dataset, to_unit
from bench.errors import BenchError
from bench.features.card import CARD, model_card
from bench.features.classifier import MAIN, NETWORKS, SECOND, Classifier
from bench.features.extractor import classifier_space
from bench.features.metrics import fid, inception_score
from bench.features.reference import REFERENCE, Reference, pack_reference, real_of, train_subset
from bench.features.weights import SECOND_FOLDER, WEIGHTS, extractor_hash, pack
from bench.files import save

EPOCHS = 8
SEED = 0
BATCH_SIZE = 128
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 1e-2
# Of handwriting's own size: larger ones blur the classes and cost accuracy.
DEGREES, SCALE, SHIFT = 12.0, 0.12, 2.0
UNIT_IMAGES = 10_000
"""Training images over which the features' average variance is made 1."""


def train_extractors(
    train: Dataset, test: Dataset, out: Path, *, epochs: int = EPOCHS, seed: int = SEED, report: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Trains the extractor into `out` and the second one, from another seed, below it; gives what was measured of each.

    On the CPU, where results repeat to the bit. BenchError for no epochs, and where a folder cannot be written.
    """
    if epochs < 1:
        raise BenchError(f"--epochs {epochs}: give at least 1 (the shipped extractor has {EPOCHS})")
    second = out / SECOND_FOLDER
    try:
        second.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchError(f"cannot make {second} ({error.strerror}): name a writable folder with --out") from error
    return [
        _train(train, test, out, MAIN, epochs, seed, report),
        _train(train, test, second, SECOND, epochs, seed + 1, report),
    ]


def _train(
    train: Dataset, test: Dataset, out: Path, architecture: str, epochs: int, seed: int, report: Callable[[str], None]
) -> dict[str, Any]:
    started = time.perf_counter()
    classifier = fit(train.images, train.labels, architecture=architecture, epochs=epochs, seed=seed, report=report)
    set_unit(classifier, train.images[:UNIT_IMAGES])
    seconds = time.perf_counter() - started
    about = {"architecture": architecture, "epochs": epochs, "seed": seed}
    save(out / WEIGHTS, pack(classifier.state_dict(), about))
    measured = {
        **about,
        "data": train.name,
        **_write_reference(out, train, test, whole=architecture == MAIN),
        **{"learning_rate": LEARNING_RATE, "weight_decay": WEIGHT_DECAY, "batch_size": BATCH_SIZE},
        **{"degrees": DEGREES, "scale": SCALE, "shift": SHIFT},
        "features": classifier.features,
        "train_seconds": seconds,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    save(out / CARD, model_card(measured).encode())
    report(f"accuracy {measured['accuracy']:.2%} on {len(test):,} test images")
    report(f"wrote {WEIGHTS}, {REFERENCE} and {CARD} of extractor {measured['extractor']} to {out}")
    return measured


def fit(
    images: Tensor,
    labels: Tensor,
    *,
    architecture: str = MAIN,
    epochs: int,
    seed: int,
    report: Callable[[str], None],
) -> Classifier:
    """images uint8 [N, 1, 28, 28], labels int64 [N] -> the trained classifier, by one-cycle AdamW."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = NETWORKS[architecture]()
    classifier.to(memory_format=torch.channels_last)
    batch_size = min(BATCH_SIZE, len(images))
    steps = len(images) // batch_size
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=epochs * steps)
    classifier.train()
    for epoch in range(1, epochs + 1):
        total = 0.0
        order = torch.randperm(len(images), generator=generator)
        for index in order[: steps * batch_size].split(batch_size):
            batch = augment(to_unit(images[index]), generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(classifier(batch)[1], labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        report(f"epoch {epoch}/{epochs}: loss {total / steps:.4f}")
    return classifier.eval()


@torch.no_grad()
def set_unit(classifier: Classifier, images: Tensor) -> None:
    """Scales the features so that their variance over uint8 [N, 1, 28, 28] is 1 on average; logits stay.

    Training leaves the scale of a ReLU layer to chance, and FID grows with its square: this gives FID a unit,
    the average variance of a feature over real digits.
    """
    features = torch.cat([classifier(to_unit(part))[0] for part in images.split(500)]).double()
    scale = features.var(0).mean().rsqrt().item()
    last = classifier.trunk[-2]
    assert isinstance(last, nn.Linear)
    last.weight.mul_(scale)
    last.bias.mul_(scale)
    classifier.head.weight.div_(scale)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image [N, 1, 28, 28] in [-1, 1] turned, scaled and shifted by its own random small amount."""

    def draw(limit: float) -> Tensor:
        return torch.empty(len(images)).uniform_(-limit, limit, generator=generator)

    angle, scale = draw(math.radians(DEGREES)), 1 + draw(SCALE)
    right, down = draw(2 * SHIFT / 28), draw(2 * SHIFT / 28)
    cos, sin = angle.cos() / scale, angle.sin() / scale
    matrix = torch.stack([cos, -sin, right, sin, cos, down], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    # What comes in from outside is 0, which must be the background's black.
    return F.grid_sample(images + 1, grid, align_corners=False) - 1


def _write_reference(out: Path, train: Dataset, test: Dataset, *, whole: bool) -> dict[str, Any]:
    """The floor is measured on as many train images as there are test images, the first ones."""
    space = classifier_space(torch.device("cpu"), out / WEIGHTS)
    floor = real_of(space, train.images[: len(test)], train.fingerprint)
    real = real_of(space, test.images, test.fingerprint, test.labels if whole else None)
    name = extractor_hash(out / WEIGHTS)
    save(out / REFERENCE, pack_reference(Reference(real, floor, name)))
    return {
        "extractor": name,
        "parameters": sum(weight.numel() for weight in space.extractor.parameters()),
        "accuracy": (real.logits.argmax(1) == test.labels).double().mean().item(),
        "train_images": len(train),
        "train_fingerprint": train.fingerprint,
        "train_subset": train_subset(len(floor.logits)),
        "test_images": len(test),
        "test_fingerprint": test.fingerprint,
        "floor_fid": fid(floor.statistics, real.statistics),
        "floor_is": inception_score(floor.logits),
        "test_is": inception_score(real.logits),
    }

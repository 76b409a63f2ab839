"""Training on few digits: reproducible to the bit, written whole, and bad input is one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.data import Dataset, to_unit
from bench.errors import BenchError
from bench.features import train
from bench.features.card import CARD
from bench.features.reference import REFERENCE, load_reference
from bench.features.train import augment, fit, train_extractors
from bench.features.weights import SECOND_FOLDER, WEIGHTS, extractor_hash, pack, unpack
from bench.files import save

FEW = 256


def fitted(data: Dataset, seed: int) -> bytes:
    few = data.images[:FEW], data.labels[:FEW]
    return pack(fit(*few, epochs=1, seed=seed, report=lambda line: None).state_dict(), {})


@pytest.fixture
def splits(embedded: Dataset) -> tuple[Dataset, Dataset]:
    """300 train and 200 other test digits."""
    rows = torch.arange(500)
    return embedded.rows(rows[:300]), embedded.rows(rows[300:])


def test_a_seed_gives_the_same_bytes_and_another_seed_others(embedded: Dataset) -> None:
    once = fitted(embedded, seed=0)
    torch.manual_seed(123)  # the surroundings' generator must not matter
    assert fitted(embedded, seed=0) == once
    assert fitted(embedded, seed=1) != once


def test_training_leaves_the_callers_random_numbers_alone(embedded: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fitted(embedded, seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_training_learns(embedded: Dataset) -> None:
    classifier = fit(embedded.images[:1000], embedded.labels[:1000], epochs=3, seed=0, report=lambda line: None)
    with torch.inference_mode():
        logits = classifier(to_unit(embedded.images[4500:]))[1]
    right = (logits.argmax(1) == embedded.labels[4500:]).double().mean()
    # Chance is 0.1; 21 steps reach 0.6 (BN's running statistics are still young).
    assert right > 0.4, right


def test_the_unit_of_features_is_their_average_variance_and_logits_stay(embedded: Dataset) -> None:
    images = embedded.images[:FEW]
    classifier = fit(images, embedded.labels[:FEW], epochs=1, seed=0, report=lambda line: None)
    with torch.inference_mode():
        before = classifier(to_unit(images))[1]
    train.set_unit(classifier, images)
    with torch.inference_mode():
        features, logits = classifier(to_unit(images))
    assert features.double().var(0).mean().item() == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(logits, before, rtol=1e-4, atol=1e-4)


def test_both_extractors_are_written_with_files_that_agree(splits: tuple[Dataset, Dataset], tmp_path: Path) -> None:
    lines: list[str] = []
    first, again = (
        train_extractors(*splits, tmp_path / out, epochs=1, seed=3, report=lines.append) for out in ("a", "b")
    )
    for card, twin, folder, seed in zip(first, again, (".", SECOND_FOLDER), (3, 4), strict=True):
        here, there = (tmp_path / out / folder for out in ("a", "b"))
        assert sorted(path.name for path in here.iterdir() if path.is_file()) == sorted([WEIGHTS, REFERENCE, CARD])
        for name in (WEIGHTS, REFERENCE):
            assert (here / name).read_bytes() == (there / name).read_bytes()
        reference = load_reference(here)
        assert card["extractor"] == twin["extractor"] == reference.extractor == extractor_hash(here / WEIGHTS)
        assert unpack(here / WEIGHTS)[1]["seed"] == seed
        assert len(reference.train.logits) == len(reference.test.logits) == 200
        # The unit is taken over all 300 train images, of which these are 200.
        assert np.trace(reference.train.statistics["sigma"]) / card["features"] == pytest.approx(1, rel=0.15)
        text = (here / CARD).read_text()
        assert f"{card['accuracy']:.2%}" in text
        # One command makes both.
        assert "--data mnist5k --data-dir DIR --epochs 1 --seed 3" in text
    assert first[0]["architecture"] != first[1]["architecture"]
    assert any("epoch 1/1" in line for line in lines)


def test_augmentation_of_no_size_changes_nothing(monkeypatch: pytest.MonkeyPatch, embedded: Dataset) -> None:
    for name in ("DEGREES", "SCALE", "SHIFT"):
        monkeypatch.setattr(train, name, 0.0)
    images = to_unit(embedded.images[:5])
    torch.testing.assert_close(augment(images, torch.Generator()), images, rtol=0, atol=1e-5)


def test_augmentation_moves_digits_on_a_black_ground(embedded: Dataset) -> None:
    images = to_unit(embedded.images[:50])
    moved = augment(images, torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    assert moved.min() >= -1 - 1e-5
    assert moved.max() <= 1 + 1e-5
    assert (moved[..., 0, 0] == -1).all()
    assert not any(torch.allclose(one, other, atol=0.1) for one, other in zip(images, moved, strict=True))


def test_no_epochs_is_refused(splits: tuple[Dataset, Dataset], tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="--epochs 0: give at least 1"):
        train_extractors(*splits, tmp_path, epochs=0, report=lambda line: None)


def test_a_folder_that_cannot_be_made_is_refused_before_training(
    splits: tuple[Dataset, Dataset], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BenchError, match=r"cannot make .*file/out"):
        train_extractors(*splits, tmp_path / "file" / "out", epochs=1, report=lambda line: pytest.fail(line))


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "card"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("bench.files.os.fsync", full)
    with pytest.raises(BenchError, match=r"cannot write .*card .No space left"):
        save(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

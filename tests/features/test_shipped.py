"""The files in the package are what they say: hash, accuracy, statistics, card."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.data import Dataset, load_mnist
from bench.errors import BenchError
from bench.features import FOLDER, extractor_hash, load_classifier
from bench.features.card import CARD
from bench.features.classifier import MAIN, SECOND
from bench.features.extractor import Space, classifier_space
from bench.features.reference import REFERENCE, Real, load_reference, real_of
from bench.features.weights import SECOND_FOLDER, WEIGHTS, pack, unpack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may break."""
    for name in (WEIGHTS, REFERENCE):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def measured_test(space: Space, real_test: Dataset) -> Real:
    return real_of(space, real_test.images, real_test.fingerprint)


def assert_same(measured: Real, shipped: Real) -> None:
    # Another machine sums float32 in another order: features of size 1 differ by 1e-6.
    np.testing.assert_allclose(measured.statistics["mu"], shipped.statistics["mu"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(measured.statistics["sigma"], shipped.statistics["sigma"], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(measured.logits, shipped.logits, rtol=1e-3, atol=1e-3)
    assert measured.fingerprint == shipped.fingerprint


def test_the_shipped_statistics_of_each_digit_are_those_of_its_test_images(space: Space, real_test: Dataset) -> None:
    measured = real_of(space, real_test.images, "", real_test.labels).classes
    shipped = load_reference().test.classes
    assert len(shipped) == 10
    for mine, theirs in zip(measured, shipped, strict=True):
        np.testing.assert_allclose(mine["mu"], theirs["mu"], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(mine["sigma"], theirs["sigma"], rtol=1e-2, atol=1e-3)


def test_the_statistics_of_digits_mix_to_those_of_all(real_test: Dataset) -> None:
    """The law of total covariance, with nothing but the shipped numbers and the counts of labels."""
    test = load_reference().test
    counts = real_test.labels.bincount().double().numpy()
    share = counts / counts.sum()
    means = np.stack([digit["mu"] for digit in test.classes]).astype(np.float64)
    np.testing.assert_allclose(share @ means, test.statistics["mu"], rtol=1e-4, atol=1e-4)
    within = sum(
        (n - 1) / (counts.sum() - 1) * d["sigma"].astype(np.float64) for n, d in zip(counts, test.classes, strict=True)
    )
    centred = means - share @ means
    between = (centred.T * counts) @ centred / (counts.sum() - 1)
    np.testing.assert_allclose(within + between, test.statistics["sigma"], rtol=1e-3, atol=1e-3)


def test_the_files_are_small() -> None:
    assert (FOLDER / WEIGHTS).stat().st_size < 1e6
    assert sum((FOLDER / name).stat().st_size for name in (WEIGHTS, REFERENCE, CARD)) < 5.5e6


def test_the_hash_is_of_the_weights_file() -> None:
    assert extractor_hash() == hashlib.sha256((FOLDER / WEIGHTS).read_bytes()).hexdigest()[:12]


def test_the_classifier_reads_at_least_995_of_1000_test_digits(measured_test: Real, real_test: Dataset) -> None:
    accuracy = (measured_test.logits.argmax(1) == real_test.labels).double().mean().item()
    assert accuracy >= 0.995
    assert f"{accuracy:.2%}" in (FOLDER / CARD).read_text()


def test_the_shipped_logits_agree_with_the_embedded_digits(space: Space, embedded: Dataset) -> None:
    """Needs no files of MNIST; these digits are among those that the weights were trained on."""
    assert (space.extract(embedded.images)[1].argmax(1) == embedded.labels).double().mean() >= 0.995


def test_the_test_reference_is_what_the_extractor_says_of_the_test_images(measured_test: Real) -> None:
    assert_same(measured_test, load_reference().test)


def test_the_train_reference_is_of_the_first_10000_training_images(space: Space, real_mnist: Path) -> None:
    train = load_mnist("train", data_dir=real_mnist)
    assert_same(real_of(space, train.images[:10_000], train.fingerprint), load_reference().train)
    assert unpack(FOLDER / REFERENCE)[1]["train_subset"] == "the first 10,000 training images"


def test_features_vary_by_1_over_real_digits_which_gives_fid_its_unit() -> None:
    # float32 weights hold a scale to 1e-7; the sum of 128 variances then is 128 to 1e-6.
    assert np.trace(load_reference().train.statistics["sigma"]) / 128 == pytest.approx(1, rel=1e-4)


def test_the_card_and_the_metadata_agree() -> None:
    card, reference = (FOLDER / CARD).read_text(), load_reference()
    about = unpack(FOLDER / WEIGHTS)[1]
    assert about["architecture"] == MAIN
    for said in (
        extractor_hash(),
        MAIN,
        reference.train.fingerprint,
        reference.test.fingerprint,
        f"--epochs {about['epochs']} --seed {about['seed']}",
    ):
        assert said in card
    assert "{" not in card


def test_a_reference_of_other_weights_is_refused(folder: Path) -> None:
    tensors, about = unpack(folder / WEIGHTS)
    (folder / WEIGHTS).write_bytes(pack(tensors, about | {"seed": 99}))
    with pytest.raises(BenchError, match=r"reference.safetensors is of extractor \w{12}, but .* is \w{12}") as caught:
        load_reference(folder)
    assert "\n" not in str(caught.value)


def test_a_reference_without_its_statistics_is_refused(folder: Path) -> None:
    tensors, about = unpack(folder / REFERENCE)
    del tensors["test_sigma"]
    (folder / REFERENCE).write_bytes(pack(tensors, about))
    with pytest.raises(BenchError, match="lacks 'test_sigma'"):
        load_reference(folder)


@pytest.mark.parametrize("name", [WEIGHTS, REFERENCE])
def test_missing_and_broken_files_are_one_line(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for content, expected in (
        (whole[:1000], "not a readable"),
        (b"", "not a readable"),
        (None, "missing|cannot read"),
    ):
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        with pytest.raises(BenchError, match=expected) as caught:
            unpack(folder / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)


def test_other_tensors_are_not_taken_for_the_classifier(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(pack({"weight": torch.zeros(3)}, {}))
    with pytest.raises(BenchError, match="does not hold the weights") as caught:
        load_classifier(torch.device("cpu"), path)
    assert "\n" not in str(caught.value)


def test_the_second_extractor_is_another_smaller_and_as_good_a_reader(real_test: Dataset) -> None:
    folder = FOLDER / SECOND_FOLDER
    about = unpack(folder / WEIGHTS)[1]
    assert about["architecture"] == SECOND
    assert about["seed"] != unpack(FOLDER / WEIGHTS)[1]["seed"]
    assert (folder / WEIGHTS).stat().st_size < (FOLDER / WEIGHTS).stat().st_size / 2
    assert extractor_hash(folder / WEIGHTS) != extractor_hash()
    space = classifier_space(torch.device("cpu"), folder / WEIGHTS)
    measured = real_of(space, real_test.images, real_test.fingerprint)
    accuracy = (measured.logits.argmax(1) == real_test.labels).double().mean().item()
    assert accuracy >= 0.99
    assert f"{accuracy:.2%}" in (folder / CARD).read_text()
    shipped = load_reference(folder)
    assert_same(measured, shipped.test)
    assert shipped.test.classes == ()
    assert np.trace(shipped.train.statistics["sigma"]) / 64 == pytest.approx(1, rel=1e-4)

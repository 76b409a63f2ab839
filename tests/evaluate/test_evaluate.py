"""Scores mean what they say: worse images score worse, and torch-fidelity called the ordinary way agrees.

Where MNIST's own files are not at hand, the 5,000 embedded digits stand in: the reference is shipped anyway.
"""

from __future__ import annotations

import math

import pytest
import torch
import torch_fidelity
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset
from torchvision.transforms.functional import gaussian_blur

from bench.data import Dataset
from bench.errors import BenchError
from bench.evaluate import DURING, Evaluator
from bench.features import FOLDER, extractor_hash
from bench.features.extractor import Space, extractor_name
from bench.features.metrics import one_order
from bench.features.reference import Reference, real_of
from bench.features.restored import squared_error
from bench.features.weights import SECOND_FOLDER, WEIGHTS
from bench.protocol import MIN_SAMPLES

CPU = torch.device("cpu")
N = 1000


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    return Evaluator(CPU, metrics=DURING)


@pytest.fixture(scope="module")
def digits(embedded: Dataset) -> Tensor:
    return embedded.images[:N]


@pytest.fixture(scope="module")
def scores(evaluator: Evaluator, digits: Tensor, embedded: Dataset) -> dict[str, tuple[float, float]]:
    """(FID, IS) of the real digits and of what was done to them."""
    random = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, digits.shape, generator=random, dtype=torch.uint8)
    pixels = digits.float()
    grain = pixels + torch.randn(digits.shape, generator=random) * 0.1 * 255
    first_of_class = torch.stack([embedded.images[embedded.labels == label][0] for label in range(10)])
    sets = {
        "real": digits,
        "grain": grain.clamp(0, 255).byte(),
        "shifted": digits.roll(2, dims=-1),
        "slightly blurred": gaussian_blur(digits, [3, 3], [0.7, 0.7]),
        "blurred": gaussian_blur(digits, [5, 5], [1.5, 1.5]),
        "noise": noise,
        "black": torch.zeros_like(digits),
        "five classes": embedded.images[embedded.labels < 5][:N],
        "one image": digits[:1].repeat(N, 1, 1, 1),
        "one per class": first_of_class.repeat(N // 10, 1, 1, 1),
    }
    return {name: pair(evaluator.score(images)) for name, images in sets.items()}


def pair(scores: dict[str, float], n: str = "1k") -> tuple[float, float]:
    assert set(scores) == {f"mnist_fid_{n}", f"mnist_is_{n}"}
    return scores[f"mnist_fid_{n}"], scores[f"mnist_is_{n}"]


def test_every_score_is_a_number(scores: dict[str, tuple[float, float]]) -> None:
    for name, (fid, inception_score) in scores.items():
        assert math.isfinite(fid), name
        assert fid >= 0, name
        assert 1 - 1e-9 <= inception_score <= 10, name


def test_fid_orders_real_then_blurred_then_noise(scores: dict[str, tuple[float, float]]) -> None:
    order = ["real", "slightly blurred", "blurred", "noise"]
    values = [scores[name][0] for name in order]
    assert values == sorted(values)
    # Orders of magnitude, as the ranges measured with an independent extractor: 0.6, 10, 52, 276.
    assert values[0] < 2
    assert values[2] > 5 * values[0]
    assert values[3] > 100


@pytest.mark.parametrize("name", ["grain", "shifted", "five classes", "black"])
def test_what_is_unlike_mnist_raises_fid(scores: dict[str, tuple[float, float]], name: str) -> None:
    assert scores[name][0] > 2 * scores["real"][0]


def test_one_repeated_image_raises_fid_and_has_the_lowest_is(scores: dict[str, tuple[float, float]]) -> None:
    assert scores["one image"][0] > 50
    assert scores["one image"][1] == pytest.approx(1, abs=1e-6)
    assert scores["real"][1] > 9


def test_missing_classes_lower_is(scores: dict[str, tuple[float, float]]) -> None:
    assert scores["five classes"][1] < 5.1


def test_is_is_blind_to_one_image_per_class_but_fid_is_not(scores: dict[str, tuple[float, float]]) -> None:
    fid, inception_score = scores["one per class"]
    assert inception_score > 9
    assert fid > 10 * scores["real"][0]


def test_the_floor_is_low_and_comes_from_shipped_statistics(evaluator: Evaluator) -> None:
    fid, inception_score = pair(evaluator.reference_real(), "10k")
    # Measured with an independent extractor: 0.14 to 0.15, and 9.82.
    assert 0.05 < fid < 0.3
    assert 9.7 < inception_score < 9.95


def test_the_floor_is_below_anything_else(evaluator: Evaluator, scores: dict[str, tuple[float, float]]) -> None:
    assert all(evaluator.reference_real()["mnist_fid_10k"] < fid for fid, _ in scores.values())


def test_the_real_test_images_score_zero_against_themselves(evaluator: Evaluator, real_test: Dataset) -> None:
    fid, inception_score = pair(evaluator.score(real_test.images), "10k")
    # Zero up to rounding: float32 features of another machine than the one that made the reference.
    assert fid < 1e-3
    assert inception_score == pytest.approx(9.81, abs=0.1)


class Bare(TorchDataset[Tensor]):
    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def test_torch_fidelity_called_the_ordinary_way_gives_the_same(
    embedded: Dataset, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, real = gaussian_blur(embedded.images[:N], [3, 3]), embedded.images[N : 3 * N]
    evaluator = Evaluator(CPU, metrics=DURING)
    reference = real_of(space, real, "")
    monkeypatch.setattr(evaluator, "_reference", Reference(reference, reference, extractor_hash()))
    # IS is of the images in one order, whatever order they come in.
    logits = space.extract(fake)[1]
    fake = fake[one_order(logits - logits.amax(1, keepdim=True))]
    expected = torch_fidelity.calculate_metrics(
        input1=Bare(fake),
        input2=Bare(real),
        feature_extractor=extractor_name(),
        fid=True,
        isc=True,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    fid, inception_score = pair(evaluator.score(fake))
    # Ours takes the mean of features in float64, torch-fidelity in float32: 1e-6 of a mean.
    assert fid == pytest.approx(expected["frechet_inception_distance"], rel=1e-4)
    assert inception_score == pytest.approx(expected["inception_score_mean"], rel=1e-6)


def test_the_first_set_is_the_generated_one(embedded: Dataset, evaluator: Evaluator) -> None:
    """IS is of the generated images: digits of one class have IS near 1, whatever the reference holds."""
    ones = embedded.images[embedded.labels == 1][:400]
    assert pair(evaluator.score(ones), "400")[1] < 1.2


@pytest.mark.parametrize("batch_size", [64, 999])
def test_batch_size_does_not_move_scores(evaluator: Evaluator, digits: Tensor, batch_size: int) -> None:
    # float32 convolutions of another batch size round otherwise: 1e-6 of a feature.
    expected = pytest.approx(evaluator.score(digits), rel=1e-4)
    assert Evaluator(CPU, metrics=DURING, batch_size=batch_size).score(digits) == expected


def test_the_order_of_images_moves_neither_fid_nor_is(evaluator: Evaluator, embedded: Dataset) -> None:
    images = embedded.images
    fid, inception_score = pair(evaluator.score(images), "5k")
    turned_fid, turned_is = pair(evaluator.score(images.flip(0)), "5k")
    assert turned_fid == pytest.approx(fid, rel=1e-4)
    assert turned_is == pytest.approx(inception_score, rel=1e-4)


def test_scores_repeat_and_leave_random_numbers_alone(evaluator: Evaluator, digits: Tensor) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    once = evaluator.score(digits[:300])
    assert torch.equal(torch.rand(3), expected)
    assert evaluator.score(digits[:300]) == once


def test_labels_add_accuracy_and_wrong_ones_lower_it(evaluator: Evaluator, embedded: Dataset) -> None:
    images, labels = embedded.images[:N], embedded.labels[:N]
    right = evaluator.score(images, labels=labels)[f"mnist_accuracy_{N // 1000}k"]
    wrong = evaluator.score(images, labels=(labels + 1) % 10)[f"mnist_accuracy_{N // 1000}k"]
    assert right > 0.99
    assert wrong < 0.01
    assert right == (evaluator.read(images) == labels).double().mean().item()


def test_intra_fid_needs_enough_images_of_each_digit_and_sees_swapped_labels(
    evaluator: Evaluator, embedded: Dataset
) -> None:
    order = embedded.labels.argsort(stable=True)
    few = torch.cat([order[embedded.labels[order] == digit][:30] for digit in range(10)])
    assert "mnist_intra_fid_300" not in evaluator.score(embedded.images[few], labels=embedded.labels[few])
    one_lacks = torch.cat([order[embedded.labels[order] == digit][: 200 if digit else 30] for digit in range(10)])
    found = evaluator.score(embedded.images[one_lacks], labels=embedded.labels[one_lacks])
    assert not any("intra_fid" in name for name in found)
    enough = torch.cat([order[embedded.labels[order] == digit][:200] for digit in range(10)])
    images, labels = embedded.images[enough], embedded.labels[enough]
    right = evaluator.score(images, labels=labels)
    swapped = evaluator.score(images, labels=torch.where(labels == 3, 5, torch.where(labels == 5, 3, labels)))
    assert swapped["mnist_intra_fid_2k"] > 2 * right["mnist_intra_fid_2k"]
    assert swapped["mnist_fid_2k"] == right["mnist_fid_2k"]


def test_clusters_add_their_accuracy_whatever_their_names(evaluator: Evaluator, embedded: Dataset) -> None:
    images, labels = embedded.images[:N], embedded.labels[:N]
    renamed = torch.tensor([4, 2, 0, 9, 8, 7, 1, 3, 5, 6])[labels]
    name = f"mnist_cluster_accuracy_{N // 1000}k"
    assert evaluator.score(images, clusters=renamed)[name] > 0.99
    assert evaluator.score(images, clusters=torch.zeros_like(labels))[name] < 0.2


def test_squared_error_is_in_units_of_the_range_from_minus_one_to_one() -> None:
    black, white = torch.zeros(2, 1, 28, 28, dtype=torch.uint8), torch.full((2, 1, 28, 28), 255, dtype=torch.uint8)
    assert squared_error(black, white) == pytest.approx(4)
    assert squared_error(white, white) == 0


def test_names_carry_the_number_of_images(evaluator: Evaluator, digits: Tensor) -> None:
    assert set(evaluator.score(digits[:MIN_SAMPLES])) == {"mnist_fid_200", "mnist_is_200"}


def test_the_evaluator_names_its_extractor(evaluator: Evaluator) -> None:
    second = extractor_hash(FOLDER / SECOND_FOLDER / WEIGHTS)
    assert evaluator.extractor_hash == f"{extractor_hash()}+{second}"
    assert evaluator.inception_hash == ""


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (
            torch.zeros(MIN_SAMPLES - 1, 1, 28, 28, dtype=torch.uint8),
            "199 images are too few to score; give 200",
        ),
        (torch.zeros(0, 1, 28, 28, dtype=torch.uint8), "0 images are too few"),
        (torch.zeros(300, 1, 28, 28), "images of float32 [300, 1, 28, 28] cannot be scored"),
        (torch.zeros(300, 28, 28, dtype=torch.uint8), "uint8 [300, 28, 28] cannot be scored"),
        (torch.zeros(300, 3, 28, 28, dtype=torch.uint8), "uint8 [300, 3, 28, 28] cannot be scored"),
        (torch.zeros(300, 1, 32, 32, dtype=torch.uint8), "uint8 [300, 1, 32, 32] cannot be scored"),
    ],
)
def test_images_that_cannot_be_scored_are_one_line(evaluator: Evaluator, images: Tensor, said: str) -> None:
    with pytest.raises(BenchError) as caught:
        evaluator.score(images)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_same_scores(evaluator: Evaluator, digits: Tensor) -> None:
    there = Evaluator(torch.device("cuda"), metrics=DURING).score(digits.cuda())
    assert there == pytest.approx(evaluator.score(digits), rel=2e-3)

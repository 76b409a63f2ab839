"""How near an image is to its target, against naive loops; and what scores image-to-image tasks.

PSNR and SSIM are torchmetrics', so the expected values here are numpy's and scipy's.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import linalg, ndimage
from torch import Tensor

from bench.data import Dataset, as_given
from bench.data.pairs import made_small, with_holes
from bench.features import extractor_hash
from bench.features.extractor import Space
from bench.features.reference import load_reference
from bench.features.restored import absolute_error, hole_error, psnr, ssim
from bench.features.yardsticks import ImageYardstick
from bench.samples import Samples
from gans import Batch

CPU = torch.device("cpu")


def noise(n: int, seed: int = 0) -> Tensor:
    return torch.randint(256, (n, 1, 28, 28), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def constant(value: int, n: int = 3) -> Tensor:
    return torch.full((n, 1, 28, 28), value, dtype=torch.uint8)


def grained(images: Tensor, sd: float) -> Tensor:
    """The images under normal noise of `sd` grey levels."""
    grain = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    return (images + sd * grain).round().clamp(0, 255).to(torch.uint8)


@pytest.fixture(scope="module")
def pictures(embedded: Dataset) -> Tensor:
    return embedded.images[:60]


def naive_ssim(image: NDArray[np.uint8], target: NDArray[np.uint8]) -> float:
    """Wang et al. 2004, eq. 13, in a window at every pixel: Gaussian weights of 11x11, sigma 1.5, mirrored edges."""
    weights = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(weights, weights) / weights.sum() ** 2

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        averaged: NDArray[np.float64] = ndimage.correlate(values, window, mode="mirror")
        return averaged

    x, y = image / 255.0, target / 255.0
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def test_the_error_in_holes_is_the_mean_over_their_pixels_alone() -> None:
    images, targets = noise(4, 1), noise(4, 2)
    known = with_holes(Batch(as_given(targets), torch.zeros(4)), torch.Generator().manual_seed(3)).known
    assert known is not None
    total, count = 0.0, 0
    for i in range(4):
        for row in range(28):
            for column in range(28):
                if known[i, 0, row, column] == 0:
                    x, y = images[i, 0, row, column].item(), targets[i, 0, row, column].item()
                    total += abs((x / 127.5 - 1) - (y / 127.5 - 1))
                    count += 1
    assert hole_error(images, targets, known) == pytest.approx(total / count, rel=1e-6)
    everywhere = torch.where(known == 1, images, targets)
    assert hole_error(everywhere, targets, known) == 0, "what is known does not count"


def test_the_absolute_error_is_in_units_of_the_range_from_minus_one_to_one() -> None:
    assert absolute_error(constant(0), constant(255)) == pytest.approx(2)
    assert absolute_error(constant(90), constant(90)) == 0
    one, other = noise(5, 1), noise(5, 2)
    expected = np.abs(one.numpy().astype(float) - other.numpy().astype(float)).mean() / 127.5
    assert absolute_error(one, other) == pytest.approx(expected, rel=1e-6)
    assert absolute_error(other, one) == absolute_error(one, other)


def test_psnr_of_a_constant_offset_is_the_closed_form() -> None:
    assert psnr(constant(100), constant(151)) == pytest.approx(20 * math.log10(5))  # 51 = 255 / 5
    assert psnr(constant(0), constant(255)) == pytest.approx(0)
    assert psnr(constant(101), constant(100)) == pytest.approx(48.1308036)  # as textbooks have it for 8 bits


def test_psnr_is_of_the_squared_error_of_all_images_together() -> None:
    images, targets = noise(6, 1), noise(6, 2)
    images[0] = targets[0]
    error = ((images.numpy() / 255 - targets.numpy() / 255) ** 2).mean()
    # torchmetrics has 10 / ln 10 in float32.
    assert psnr(images, targets) == pytest.approx(10 * math.log10(1 / error), rel=1e-6)


def test_psnr_of_equal_sets_is_infinite() -> None:
    assert psnr(noise(3), noise(3)) == math.inf


def test_ssim_is_wang_et_als(pictures: Tensor) -> None:
    for images in (grained(pictures, 40), pictures.flip(0), 255 - pictures, noise(60)):
        each = [naive_ssim(x[0].numpy(), y[0].numpy()) for x, y in zip(images, pictures, strict=True)]
        # Variances are differences of float32 squares: 1e-7 of 1 beside the constant 9e-4.
        assert ssim(images, pictures) == pytest.approx(np.mean(each), abs=1e-4)


def test_ssim_of_two_flat_greys_is_the_closed_form() -> None:
    """Of dark ones, where the constant counts."""
    x, y, c1 = 5 / 255, 12 / 255, 1e-4
    assert ssim(constant(5), constant(12)) == pytest.approx((2 * x * y + c1) / (x * x + y * y + c1), abs=1e-4)


def test_ssim_is_one_for_equal_images_symmetric_and_falls_with_noise(pictures: Tensor) -> None:
    assert ssim(pictures, pictures) == pytest.approx(1, abs=1e-6)
    values = [ssim(grained(pictures, sd), pictures) for sd in (0, 10, 40, 120)]
    assert values == sorted(values, reverse=True)
    assert values[1] < 0.95
    assert ssim(noise(60), pictures) == pytest.approx(ssim(pictures, noise(60)), abs=1e-6)
    assert abs(ssim(noise(60), pictures)) < 0.1


def test_every_image_weighs_the_same_however_many_there_are(embedded: Dataset) -> None:
    """More than are computed together, with a last part that is smaller and worse."""
    targets = embedded.images[:1100]
    images = torch.cat([targets[:1000], noise(100)])
    apart = [ssim(images[start : start + 100], targets[start : start + 100]) for start in range(0, 1100, 100)]
    assert ssim(images, targets) == pytest.approx(np.mean(apart), abs=1e-6)
    assert ssim(images[1099:], targets[1099:]) == pytest.approx(
        naive_ssim(images[1099, 0].numpy(), targets[1099, 0].numpy()), abs=1e-4
    )


# Of the yardstick from here on.


@pytest.fixture(scope="module")
def yardstick() -> ImageYardstick:
    return ImageYardstick(CPU, "inpainting")


@pytest.fixture(scope="module")
def sixes_to_nines() -> ImageYardstick:
    yardstick = ImageYardstick(CPU, "translation")
    yardstick.kinds = 6, 9
    return yardstick


def asked_for(data: Dataset, n: int, holes: bool = True) -> Batch:
    batch = Batch(as_given(data.images[:n]), data.labels[:n])
    return (with_holes if holes else made_small)(batch, torch.Generator().manual_seed(0))


def naive_fid(space: Space, images: Tensor, mu: NDArray[np.float64], sigma: NDArray[np.float64]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of the frozen classifier's features."""
    features = space.extract(images)[0].numpy()
    m, c = features.mean(0), np.cov(features.T)
    # The eigenvalues of a product of covariances are real and not negative, up to rounding.
    roots = np.sqrt(np.abs(linalg.eigvals(c @ sigma)))
    return float(((m - mu) ** 2).sum() + np.trace(c) + np.trace(sigma) - 2 * roots.sum())


def test_a_perfect_restoration_has_the_scores_of_real_digits(yardstick: ImageYardstick, embedded: Dataset) -> None:
    asked = asked_for(embedded, 1000)
    scores = yardstick.judge(Samples(embedded.images[:1000], asked))
    assert set(scores) == {f"inpainting_{name}_1k" for name in ("fid", "accuracy", "psnr", "ssim", "hole_l1")}
    # Measured: 1.0 of 1,000 real training digits.
    assert scores["inpainting_fid_1k"] < 2
    assert scores["inpainting_accuracy_1k"] > 0.99
    assert scores["inpainting_psnr_1k"] == math.inf
    assert scores["inpainting_ssim_1k"] == pytest.approx(1, abs=1e-6)
    assert scores["inpainting_hole_l1_1k"] == 0


def test_the_test_images_as_they_are_score_zero(
    yardstick: ImageYardstick, real_test: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SSIM, which takes longer for so many images than all else, and is 1 for fewer as well."""
    monkeypatch.setattr("bench.features.yardsticks.ssim", lambda *_: 1.0)
    asked = asked_for(real_test, 10_000)
    scores = yardstick.judge(Samples(real_test.images, asked))
    assert scores["inpainting_fid_10k"] < 1e-3
    assert scores["inpainting_accuracy_10k"] == pytest.approx(0.9966, abs=5e-4)  # what the model card says


def test_each_number_compares_images_with_what_they_were_to_be(
    yardstick: ImageYardstick, space: Space, embedded: Dataset
) -> None:
    """Half of the digits left as holes, against numpy and the frozen classifier."""
    asked = asked_for(embedded, 300)
    assert asked.known is not None
    images = embedded.images[:300].clone()
    images[:150] = torch.where(asked.known[:150] == 1, images[:150], 128)
    scores = yardstick.judge(Samples(images, asked))
    hole = asked.known.numpy() == 0
    difference = np.abs(images.numpy().astype(float) - embedded.images[:300].numpy())
    assert scores["inpainting_hole_l1_300"] == pytest.approx(difference[hole].mean() / 127.5, rel=1e-6)
    error = ((difference / 255) ** 2).mean()
    assert scores["inpainting_psnr_300"] == pytest.approx(-10 * math.log10(error), rel=1e-6)
    each = [naive_ssim(x[0].numpy(), y[0].numpy()) for x, y in zip(images, embedded.images[:300], strict=True)]
    assert scores["inpainting_ssim_300"] == pytest.approx(np.mean(each), abs=1e-4)
    read = space.extract(images)[1].argmax(1)
    assert scores["inpainting_accuracy_300"] == pytest.approx(np.mean((read == embedded.labels[:300]).numpy()))
    test = load_reference().test.statistics
    assert scores["inpainting_fid_300"] == pytest.approx(naive_fid(space, images, test["mu"], test["sigma"]), rel=1e-4)


def test_without_holes_there_is_no_error_in_them(embedded: Dataset) -> None:
    samples = Samples(embedded.images[:200], asked_for(embedded, 200, holes=False))
    scores = ImageYardstick(CPU, "super_resolution").judge(samples)
    assert set(scores) == {f"super_resolution_{name}_200" for name in ("fid", "accuracy", "psnr", "ssim")}


def kind(data: Dataset, digit: int, n: int = 400) -> Tensor:
    return data.images[data.labels == digit][:n]


def test_a_translation_is_scored_as_digits_of_its_own_kind(
    sixes_to_nines: ImageYardstick, space: Space, embedded: Dataset
) -> None:
    """Real 9s for 6s, both ways: compared with the test images of that digit alone."""
    sixes, nines = kind(embedded, 6), kind(embedded, 9)
    asked = Batch(as_given(nines), torch.full((400,), 9), as_given(sixes))
    scores = sixes_to_nines.judge(Samples(nines, asked, back=sixes, cycled=sixes))
    names = ("fid", "accuracy", "back_fid", "back_accuracy", "cycle_l1")
    assert set(scores) == {f"translation_{name}_400" for name in names}
    assert scores["translation_accuracy_400"] > 0.98
    assert scores["translation_back_accuracy_400"] > 0.98
    assert scores["translation_cycle_l1_400"] == 0
    for name, images, digit in (("fid", nines, 9), ("back_fid", sixes, 6)):
        of_digit = load_reference().test.classes[digit]
        expected = naive_fid(space, images, of_digit["mu"], of_digit["sigma"])
        # The reference of a digit is stored as float32.
        assert scores[f"translation_{name}_400"] == pytest.approx(expected, abs=1e-2)
        assert expected < 2


def test_a_translation_that_does_nothing_is_seen_through(sixes_to_nines: ImageYardstick, embedded: Dataset) -> None:
    sixes, nines = kind(embedded, 6), kind(embedded, 9)
    asked = Batch(as_given(nines), torch.full((400,), 9), as_given(sixes))
    scores = sixes_to_nines.judge(Samples(sixes, asked, back=nines, cycled=sixes))
    assert scores["translation_accuracy_400"] < 0.02
    assert scores["translation_back_accuracy_400"] < 0.02
    assert scores["translation_cycle_l1_400"] == 0
    assert min(scores["translation_fid_400"], scores["translation_back_fid_400"]) > 100


def test_the_cycles_error_is_from_the_source(sixes_to_nines: ImageYardstick, embedded: Dataset) -> None:
    sixes, nines = kind(embedded, 6, 200), kind(embedded, 9, 200)
    asked = Batch(as_given(nines), torch.full((200,), 9), as_given(sixes))
    cycled = grained(sixes, 30)
    expected = np.abs(cycled.numpy().astype(float) - sixes.numpy()).mean() / 127.5
    scores = sixes_to_nines.judge(Samples(nines, asked, back=sixes, cycled=cycled))
    assert scores["translation_cycle_l1_200"] == pytest.approx(expected, rel=1e-6)


def test_a_translator_without_a_way_back_has_the_other_scores(
    sixes_to_nines: ImageYardstick, embedded: Dataset
) -> None:
    sixes, nines = kind(embedded, 6, 200), kind(embedded, 9, 200)
    asked = Batch(as_given(nines), torch.full((200,), 9), as_given(sixes))
    scores = sixes_to_nines.judge(Samples(nines, asked))
    assert set(scores) == {"translation_fid_200", "translation_accuracy_200"}


def test_the_floor_is_the_fid_of_real_training_images(
    yardstick: ImageYardstick, sixes_to_nines: ImageYardstick, space: Space, embedded: Dataset
) -> None:
    test = load_reference().test
    expected = naive_fid(space, embedded.images[:300], test.statistics["mu"], test.statistics["sigma"])
    floor = yardstick.floor(embedded.images[:500], 300)
    assert floor == {"inpainting_fid_300": pytest.approx(expected, rel=1e-4)}
    assert yardstick.floor(embedded.images[:299], 300) == {}
    nines = kind(embedded, 9, 300)
    expected = naive_fid(space, nines, test.classes[9]["mu"], test.classes[9]["sigma"])
    assert sixes_to_nines.floor(nines, 300) == {"translation_fid_300": pytest.approx(expected, abs=1e-2)}


def test_the_floor_of_10_000_digits_is_shipped_but_that_of_one_digit_is_not(
    yardstick: ImageYardstick, sixes_to_nines: ImageYardstick, embedded: Dataset
) -> None:
    (floor,) = yardstick.floor(embedded.images[:1], 10_000).values()
    assert 0.05 < floor < 0.3  # measured with an independent extractor: 0.14 to 0.15
    assert sixes_to_nines.floor(embedded.images[:1], 10_000) == {}


def test_the_yardstick_names_its_extractor_and_knows_no_inception(yardstick: ImageYardstick) -> None:
    assert yardstick.extractor_hash == extractor_hash()
    assert yardstick.inception_hash == ""
    assert yardstick.notice is None

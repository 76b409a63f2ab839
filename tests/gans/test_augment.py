"""Shifts, cuts and affine maps against loops over pixels and complex numbers: where each comes from, and how often."""

import cmath
import math

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from gans.augment import affine, diffaugment, random_affine, random_cutout, random_shift


def naive_shift(image, down, right):
    """Pixel by pixel; -1 where nothing comes from."""
    height, width = image.shape
    moved = np.full_like(image, -1.0)
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                moved[i, j] = image[i - down, j - right]
    return moved


def digits(n, size=28):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def offsets(images, moved, pixels):
    """The offset of every image, or an error where none fits."""
    found = []
    for image, other in zip(images[:, 0].numpy(), moved[:, 0].numpy(), strict=True):
        fits = [
            (down, right)
            for down in range(-pixels, pixels + 1)
            for right in range(-pixels, pixels + 1)
            if np.array_equal(naive_shift(image, down, right), other)
        ]
        assert len(fits) == 1, "the image is no shift of the original"
        found += fits
    return found


def test_every_image_moves_by_its_own_offset_and_the_corners_of_the_range_occur():
    images = digits(150, size=6)
    found = offsets(images, random_shift(images, 2, torch.Generator().manual_seed(0)), 2)
    # 150 draws of 25 offsets: each one is missed with probability 0.2 %
    assert len(set(found)) >= 22
    for axis in range(2):
        assert {offset[axis] for offset in found} == {-2, -1, 0, 1, 2}


def test_sides_of_an_image_need_not_be_equal_and_channels_move_together():
    images = torch.stack([torch.arange(20.0).view(4, 5), torch.arange(20.0).view(4, 5) + 100]).expand(8, 2, 4, 5)
    moved = random_shift(images, 1, torch.Generator().manual_seed(0))
    inside = moved[:, 0] >= 0
    torch.testing.assert_close(moved[:, 1][inside], moved[:, 0][inside] + 100)
    assert (moved[:, 1][~inside] == -1).all()


def test_zero_pixels_change_nothing():
    images = digits(3)
    assert torch.equal(random_shift(images, 0), images)


def test_gradient_goes_to_the_pixels_that_are_still_seen():
    images = digits(4).requires_grad_()
    moved = random_shift(images, 4, torch.Generator().manual_seed(2))
    moved.sum().backward()
    seen = [(28 - abs(down)) * (28 - abs(right)) for down, right in offsets(images.detach(), moved.detach(), 4)]
    assert set(images.grad.unique().tolist()) <= {0.0, 1.0}
    assert images.grad.sum((1, 2, 3)).tolist() == seen


def test_only_the_given_generator_is_drawn_from():
    images, state = digits(5), torch.get_rng_state()
    first = random_shift(images, 3, torch.Generator().manual_seed(5))
    assert torch.equal(first, random_shift(images, 3, torch.Generator().manual_seed(5)))
    assert not torch.equal(first, random_shift(images, 3, torch.Generator().manual_seed(6)))
    assert torch.equal(state, torch.get_rng_state())


def cut_places(images, cutout, side):
    """Rows and columns that are cut of each image, as pairs of ranges; everything else must be unchanged."""
    found = []
    for image, other in zip(images.numpy(), cutout.numpy(), strict=True):
        rows, columns = np.nonzero((image != other).any(0))
        rows, columns = range(rows.min(), rows.max() + 1), range(columns.min(), columns.max() + 1)
        expected = image.copy()
        for i in rows:
            for j in columns:
                expected[:, i, j] = -1
        assert np.array_equal(other, expected), "more or less than a rectangle is cut"
        for places, length in ((rows, image.shape[1]), (columns, image.shape[2])):
            at_the_edge = places[0] == 0 or places[-1] == length - 1
            assert len(places) == side or (at_the_edge and len(places) < side)
        found.append((rows, columns))
    return found


@pytest.mark.parametrize("side", [5, 6])
def test_cut_is_a_square_of_background_and_the_rest_stays(side):
    images = torch.cat([digits(100, size=12), digits(100, size=12).flip(0)], 1)
    places = cut_places(images, random_cutout(images, side, torch.Generator().manual_seed(0)), side)
    # 100 draws of 144 places or 169 have 70 different ones or more on average.
    assert len(set(places)) > 50
    assert any(len(rows) == len(columns) == side for rows, columns in places), "none lies wholly inside"
    for edge in ("first", "last"):
        reaching = [r for r, _ in places if (r[0] == 0 if edge == "first" else r[-1] == 11) and len(r) < side]
        assert reaching, f"none reaches over the {edge} row"


def test_sides_of_an_image_to_cut_need_not_be_equal():
    images = digits(100, size=12)[:, :, :, :7]
    places = cut_places(images, random_cutout(images, 3, torch.Generator().manual_seed(0)), 3)
    # A centre in the last row or column reaches it, as does one beside it.
    assert {rows[-1] for rows, _ in places} == set(range(1, 12))
    assert {columns[-1] for _, columns in places} == set(range(1, 7))


@pytest.mark.parametrize(("side", "centres"), [(13, 28), (14, 29)])
def test_centres_of_cuts_are_uniform_on_both_axes_and_independent(side, centres):
    """A centre is a pixel of the image for an odd side and a corner of one, of which there is one more, for an even."""
    images, n = torch.zeros(2900, 1, 28, 28), 2900
    cut = random_cutout(images, side, torch.Generator().manual_seed(0))[:, 0] == -1
    found = []
    for inside in (cut.any(2), cut.any(1)):
        first = inside.int().argmax(1)
        last = 27 - inside.flip(1).int().argmax(1)
        # The edge that lies in the image tells the centre.
        found.append(torch.where(first > 0, first + side // 2, last + 1 - side + side // 2))
    for centre in found:
        counts = torch.bincount(centre)
        assert len(counts) == centres
        # chi squared of k - 1 degrees of freedom has the mean k - 1 and the variance 2 (k - 1)
        expected = n / centres
        chi2 = ((counts - expected) ** 2 / expected).sum().item()
        assert abs(chi2 - (centres - 1)) < 4 * (2 * (centres - 1)) ** 0.5
    # the correlation of n independent pairs has the standard deviation n^-1/2
    assert abs(np.corrcoef(found[0], found[1])[0, 1]) < 4 / n**0.5


def test_gradient_of_a_cut_is_one_outside_and_zero_inside():
    images = digits(6).requires_grad_()
    cutout = random_cutout(images, 14, torch.Generator().manual_seed(0))
    cutout.sum().backward()
    assert torch.equal(images.grad, (cutout == images).float())
    assert (images.grad == 0).any((1, 2, 3)).all()


def test_diffaugment_moves_by_an_eighth_and_then_cuts_a_half():
    """round(28 / 8) is 4 and the cut 14 wide, as int(28 * ratio + 0.5) of the official code."""
    images = digits(40)
    augmented = diffaugment(images, torch.Generator().manual_seed(0))
    found = []
    for image, other in zip(images[:, 0].numpy(), augmented[:, 0].numpy(), strict=True):
        fits = []
        for down in range(-5, 6):
            for right in range(-5, 6):
                moved = naive_shift(image, down, right)
                rows, columns = np.nonzero(moved != other)
                if np.ptp(rows) < 14 and np.ptp(columns) < 14 and (other[rows, columns] == -1).all():
                    fits.append((down, right))
        assert len(fits) == 1, "no shift and cut of the original"
        found += fits
    # 40 draws of nine values: one of the four ends is missed with probability 4 %
    for axis in range(2):
        assert {offset[axis] for offset in found} <= set(range(-4, 5))
        assert {-4, 4} <= {offset[axis] for offset in found}
    assert len(set(found)) > 20


def test_diffaugment_follows_its_generator_and_is_each_images_own():
    images, state = digits(1).expand(10, 1, 28, 28), torch.get_rng_state()
    first = diffaugment(images, torch.Generator().manual_seed(5))
    assert torch.equal(first, diffaugment(images, torch.Generator().manual_seed(5)))
    assert not torch.equal(first, diffaugment(images, torch.Generator().manual_seed(6)))
    assert all(not torch.equal(first[i], first[j]) for i in range(10) for j in range(i))
    assert torch.equal(state, torch.get_rng_state())


def test_diffaugment_is_twice_differentiable():
    images = digits(3, size=8).double().requires_grad_()

    def cubes(images):
        return diffaugment(images, torch.Generator().manual_seed(0)) ** 3

    assert torch.autograd.gradgradcheck(cubes, (images,))
    (gradient,) = torch.autograd.grad(cubes(images).sum(), images, create_graph=True)
    (second,) = torch.autograd.grad(gradient.sum(), images)
    # of x^3 where x is seen at all: 3 x^2 and 6 x
    torch.testing.assert_close(second, 6 * images * (gradient != 0))
    assert 0 < (second != 0).float().mean() < 1


def of_each(n, angle=0.0, scale=1.0, shift=(0.0, 0.0)):
    """The same parameters for n images, in double precision."""
    return (
        torch.full((n,), angle, dtype=torch.float64),
        torch.full((n,), scale, dtype=torch.float64),
        torch.tensor([shift] * n, dtype=torch.float64),
    )


def complex_affine(image, angle, scale, right, down):
    """An image as a function on the complex plane, its centre 0 and i upwards: z goes to s e^(i angle) z + t."""
    centre = (len(image) - 1) / 2
    rows, columns = np.indices(image.shape)
    to = (columns - centre) + 1j * (centre - rows)
    source = (to - (right - 1j * down)) * cmath.exp(-1j * angle) / scale
    at = [centre - source.imag, centre + source.real]
    return map_coordinates(image, at, order=1, mode="grid-constant", cval=-1.0)


def test_affine_is_the_bilinear_image_of_the_map_on_the_complex_plane():
    """Each image by its own angle, scale and shift, all at once and one at a time; even and odd sides."""
    cases = [(0.2, 1.0, 0, 0), (-0.2, 1.0, 0, 0), (0.0, 1.3, 0, 0), (0.0, 0.8, 0, 0), (0.0, 1.0, 2.5, -1.25),
             (0.26, 1.2, 3, -2), (-0.1, 0.7, -3, 1), (2.0, 1.1, 0.3, 4)]  # fmt: skip
    for size in (28, 9):
        images = digits(len(cases), size=size).double()
        angle, scale, right, down = torch.tensor(cases, dtype=torch.float64).unbind(1)
        found = affine(images, angle, scale, torch.stack([right, down], 1))[:, 0].numpy()
        expected = [complex_affine(image, *case) for image, case in zip(images[:, 0].numpy(), cases, strict=True)]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_affine_that_does_nothing():
    images = digits(4)
    same = affine(images.double(), *of_each(4))
    torch.testing.assert_close(same, images.double(), rtol=0, atol=1e-12)
    # Places up to 28 are rounded to 2e-6 in float32, and neighbours differ by up to 2.
    same = affine(images, *(value.float() for value in of_each(4)))
    torch.testing.assert_close(same, images, rtol=0, atol=1e-5)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_positive_angles_turn_counterclockwise(quarters):
    images = digits(2).double()
    turned = affine(images, *of_each(2, angle=quarters * math.pi / 2))
    torch.testing.assert_close(turned, torch.rot90(images, quarters, (2, 3)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 2), (-4, 1), (2, -3)])
def test_shift_by_whole_pixels_is_right_and_down(right, down):
    images = digits(2).double()
    moved = affine(images, *of_each(2, shift=(right, down)))[:, 0].numpy()
    expected = [naive_shift(image, down, right) for image in images[:, 0].numpy()]
    np.testing.assert_allclose(moved, expected, atol=1e-12)


def test_shift_is_of_the_turned_and_enlarged_image():
    """The last of the three: a shift in pixels means the same whatever the other two."""
    images = digits(2).double()
    turned = affine(images, *of_each(2, angle=0.2, scale=0.5))[:, 0].numpy()
    moved = affine(images, *of_each(2, angle=0.2, scale=0.5, shift=(3, 2)))[:, 0].numpy()
    np.testing.assert_allclose(moved, [naive_shift(image, 2, 3) for image in turned], atol=1e-12)


@pytest.mark.parametrize("scale", [0.5, 1.5, 2.0])
def test_scale_enlarges_about_the_centre_and_background_comes_in(scale):
    images = torch.full((1, 1, 28, 28), -1.0, dtype=torch.float64)
    images[:, :, 10:18, 10:18] = 1
    ink = (affine(images, *of_each(1, scale=scale)) + 1)[0, 0] / 2
    # The edge is a ramp of one old pixel, symmetric about where it is sharp: the area is nearly scale^2 times the old.
    assert ink.sum().item() == pytest.approx((8 * scale) ** 2, rel=0.01)
    torch.testing.assert_close(ink, torch.rot90(ink, 1), rtol=0, atol=1e-12)
    white = affine(torch.ones_like(images), *of_each(1, scale=scale))
    assert white[0, 0, 0, 0].item() == (pytest.approx(1.0) if scale > 1 else -1)
    assert white[0, 0, 14, 14].item() == pytest.approx(1.0)


def test_affine_passes_the_gradient():
    images = digits(2, size=6).double().requires_grad_()
    parameters = of_each(2, angle=0.3, scale=1.2, shift=(1.0, -0.5))
    assert torch.autograd.gradcheck(lambda images: affine(images, *parameters), (images,))


def drawn(monkeypatch, probability, n=4000, seed=0):
    """What random_affine asks affine for: angle and scale [n], shift [n, 2]."""
    asked = []

    def record(images, *parameters):
        asked.append(parameters)
        return images

    monkeypatch.setattr("gans.augment.affine", record)
    random_affine(torch.zeros(n, 1, 28, 28), torch.tensor(probability), torch.Generator().manual_seed(seed))
    return asked[0]


def test_random_affine_at_probability_zero_changes_nothing(monkeypatch):
    images = digits(50).double()
    torch.testing.assert_close(random_affine(images, torch.tensor(0.0)), images, rtol=0, atol=1e-12)
    angle, scale, shift = drawn(monkeypatch, 0.0)
    assert not angle.any()
    assert (scale == 1).all()
    assert not shift.any()


def test_random_affine_at_probability_one_changes_every_image_in_its_own_way():
    images, state = digits(1).expand(50, 1, 28, 28), torch.get_rng_state()
    changed = random_affine(images, torch.tensor(1.0), torch.Generator().manual_seed(5))
    assert ((changed - images).abs().amax((1, 2, 3)) > 0.1).all()
    assert len(changed.flatten(1).unique(dim=0)) == 50
    assert torch.equal(changed, random_affine(images, torch.tensor(1.0), torch.Generator().manual_seed(5)))
    assert not torch.equal(changed, random_affine(images, torch.tensor(1.0), torch.Generator().manual_seed(6)))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("probability", [0.2, 0.5])
def test_each_transformation_has_the_probability_and_is_independent(monkeypatch, probability):
    angle, scale, shift = drawn(monkeypatch, probability)
    happened = [angle != 0, scale != 1, shift.any(1)]
    # One shift of 49 is by nothing.
    chances = [probability, probability, probability * 48 / 49]
    for subset in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        share = torch.stack([happened[i] for i in subset]).all(0).float().mean().item()
        chance = math.prod(chances[i] for i in subset)
        assert share == pytest.approx(chance, abs=4 * (chance * (1 - chance) / 4000) ** 0.5), subset


def test_strengths_of_the_transformations(monkeypatch):
    angle, scale, shift = drawn(monkeypatch, 1.0)
    degrees = angle.double() * 180 / math.pi
    assert 14.9 < degrees.abs().max() <= 15.0001
    # of U(-15, 15): standard deviations 15 / sqrt 3 and, of its mean, that / sqrt 4000
    assert degrees.mean().item() == pytest.approx(0, abs=4 * 8.66 / 4000**0.5)
    assert degrees.std().item() == pytest.approx(15 / 3**0.5, rel=0.03)
    # of N(0, 0.2^2): relative error of the deviation 1 / sqrt 8000
    log2 = scale.double().log2()
    assert log2.mean().item() == pytest.approx(0, abs=4 * 0.2 / 4000**0.5)
    assert log2.std().item() == pytest.approx(0.2, rel=4 / 8000**0.5)
    assert (log2.abs() < 0.2).double().mean().item() == pytest.approx(0.683, abs=4 * (0.683 * 0.317 / 4000) ** 0.5)
    # 28 / 8 is 3.5: whole pixels within it are -3 to 3, each of the seven as often
    for axis in shift.unbind(1):
        values, counts = axis.unique(return_counts=True)
        assert values.tolist() == [-3, -2, -1, 0, 1, 2, 3]
        assert counts.tolist() == pytest.approx([4000 / 7] * 7, abs=4 * (4000 / 7 * 6 / 7) ** 0.5)
    assert abs(np.corrcoef(shift[:, 0], shift[:, 1])[0, 1]) < 4 / 4000**0.5

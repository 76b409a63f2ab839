"""Shifts move whole images by whole pixels, bring in background, and pass the gradient."""

import numpy as np
import torch

from gans.augment import random_shift


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

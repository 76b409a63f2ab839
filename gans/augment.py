"""Random changes of images that leave them valid digits, differentiable in the images: [N, C, H, W] -> [N, C, H, W].

No flips and no quarter turns: they make other digits, or none. What comes in from outside is background (-1), not 0,
which is mid-grey in [-1, 1].
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad

BACKGROUND = -1.0
SHIFT = 1 / 8
"""Largest translation as a share of the side; DiffAugment and ADA."""
CUTOUT = 1 / 2
"""Side of the square that is cut out as a share of the image's; DiffAugment."""
ROTATION = math.radians(15)
"""Largest rotation; ADA turns without limit, which makes a 6 a 9."""
LOG2_SCALE = 0.2
"""Standard deviation of the logarithm, base 2, of ADA's isotropic scale."""


def random_shift(images: Tensor, pixels: int, rng: torch.Generator | None = None) -> Tensor:
    """Moves each image by whole pixels, uniform in [-pixels, pixels] on each axis; background comes in.

    One offset an image and axis, drawn from `rng` on the images' device.
    """
    n, channels, height, width = images.shape
    padded = pad(images, (pixels, pixels, pixels, pixels), value=BACKGROUND)
    start = torch.randint(2 * pixels + 1, (2, n, 1), device=images.device, generator=rng)
    rows = start[0] + torch.arange(height, device=images.device)
    columns = start[1] + torch.arange(width, device=images.device)
    moved = padded.gather(2, rows[:, None, :, None].expand(n, channels, height, padded.shape[3]))
    return moved.gather(3, columns[:, None, None, :].expand(n, channels, height, width))


def random_cutout(images: Tensor, side: int, rng: torch.Generator | None = None) -> Tensor:
    """Sets a square of `side` pixels to background, its centre uniform over the image; it may reach over the edge."""
    n, _, height, width = images.shape

    def inside(length: int) -> Tensor:
        centre = torch.randint(length + 1 - side % 2, (n, 1), device=images.device, generator=rng)
        place = torch.arange(length, device=images.device) - (centre - side // 2)
        return (place >= 0) & (place < side)

    cut = inside(height)[:, :, None] & inside(width)[:, None, :]
    return torch.where(cut[:, None], BACKGROUND, images)


def diffaugment(images: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Translation and cutout of every image. Zhao et al. 2020, arXiv:2006.10738.

    Without its colour policy, of which saturation does nothing to grey images.
    """
    side = images.shape[-1]
    return random_cutout(random_shift(images, round(side * SHIFT), rng), round(side * CUTOUT), rng)


def affine(images: Tensor, angle: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Turns each image counterclockwise about its centre, enlarges it and moves it; bilinear, background comes in.

    `angle` in radians [N], `scale` [N], `shift` in pixels right and down [N, 2].
    """
    n, side = len(images), images.shape[-1]
    # affine_grid maps where a pixel goes to where it comes from, in coordinates that span 2 over the side.
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2) / scale[:, None, None]
    offset = -turn @ (shift[:, :, None] * 2 / side)
    grid = affine_grid(torch.cat([turn, offset], 2), list(images.shape), align_corners=False)
    return grid_sample(images - BACKGROUND, grid, padding_mode="zeros", align_corners=False) + BACKGROUND


def random_affine(images: Tensor, probability: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """Rotation, isotropic scale and translation, each of an image with `probability` (a scalar): ADA's geometry.

    Rotations uniform within 15 degrees, scales 2^N(0, 0.2^2), translations by whole pixels up to an eighth of the side.
    Karras et al. 2020, arXiv:2006.06676, appendix B, of whose pipeline this is the part that keeps digits.
    """
    n, side = len(images), images.shape[-1]
    uniform = torch.rand(6, n, device=images.device, dtype=images.dtype, generator=rng)
    normal = torch.randn(n, device=images.device, dtype=images.dtype, generator=rng)
    chosen = uniform[:3] < probability
    turned, scaled, moved = chosen.to(images.dtype)
    angle = turned * (2 * uniform[3] - 1) * ROTATION
    scale = torch.exp2(scaled * LOG2_SCALE * normal)
    shift = moved * (SHIFT * side * (2 * uniform[4:] - 1)).round()
    # Bilinear sampling rounds, even where nothing moves.
    return torch.where(chosen.any(0)[:, None, None, None], affine(images, angle, scale, shift.T), images)

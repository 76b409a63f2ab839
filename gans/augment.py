"""Random changes of images that leave them valid digits, differentiable in the images: [N, C, H, W] -> [N, C, H, W].

No flips and no quarter turns: they make other digits, or none.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

BACKGROUND = -1.0


def random_shift(images: Tensor, pixels: int, rng: torch.Generator | None = None) -> Tensor:
    """Moves each image by whole pixels, uniform in [-pixels, pixels] on each axis; background (-1) comes in.

    One offset an image and axis, drawn from `rng` on the images' device.
    """
    n, channels, height, width = images.shape
    padded = pad(images, (pixels, pixels, pixels, pixels), value=BACKGROUND)
    start = torch.randint(2 * pixels + 1, (2, n, 1), device=images.device, generator=rng)
    rows = start[0] + torch.arange(height, device=images.device)
    columns = start[1] + torch.arange(width, device=images.device)
    moved = padded.gather(2, rows[:, None, :, None].expand(n, channels, height, padded.shape[3]))
    return moved.gather(3, columns[:, None, None, :].expand(n, channels, height, width))

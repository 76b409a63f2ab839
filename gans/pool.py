"""The pool of earlier fakes that D is shown beside new ones, so that G cannot win by going round in circles."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Up to `size` earlier images. Shrivastava et al. 2017, arXiv:1612.07828, section 2.3, as in CycleGAN's code.

    Until it is full it keeps every image and gives it back. From the next batch on each image is, with probability 1/2,
    kept while an earlier one is given out in its place. Its places are drawn without repetition, so that two images of
    a batch never share one. Size 0 gives back what it gets. Nothing in it waits for the device.
    """

    images: Tensor
    filled: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        # One place more, into which goes what is not kept.
        self.register_buffer("images", torch.zeros(size + 1, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """images [N, C, H, W], N at most the size -> as many, some of them earlier ones."""
        if not self.size:
            return images
        n, device = len(images), images.device
        if n > self.size:
            raise ValueError(f"a pool of {self.size} images cannot take {n} at once")
        new_places = self.filled + torch.arange(n, device=device)
        is_new = new_places < self.size
        old_places = torch.randperm(self.size, device=device, generator=rng)[:n]
        swapped = ~is_new & (self.filled == self.size) & (torch.rand(n, device=device, generator=rng) < 0.5)
        given = torch.where(swapped[:, None, None, None], self.images[old_places], images)
        places = torch.where(is_new, new_places, torch.where(swapped, old_places, self.size))
        self.images.index_copy_(0, places, images.detach())
        self.filled.add_(n).clamp_(max=self.size)
        return given

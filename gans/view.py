"""What D sees of images: augmented, noisy, packed, as the factors say. Reals and fakes pass the same way."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gans.augment import diffaugment, random_affine
from gans.factors import Factors

ADA_INTERVAL = 4
"""D turns between two moves of ADA's probability; source: its paper."""


class AdaptiveProbability(nn.Module):
    """ADA's probability p of a change, which follows how surely D tells reals. Karras et al. 2020, arXiv:2006.06676.

    Every 4 D turns p moves by (reals seen in them) / `images` towards more changes where r_t = E sign D(x) is above
    `target` and towards fewer where it is below; clamped to [0, 1]. It never leaves the device.
    """

    p: Tensor
    signs: Tensor

    def __init__(self, target: float, images: int) -> None:
        super().__init__()
        self.target, self.images = target, images
        self.register_buffer("p", torch.zeros(()))
        self.register_buffer("signs", torch.zeros(2))

    @torch.no_grad()
    def observe(self, real_scores: Tensor, reals: int) -> None:
        """Counts one D turn on `reals` images, scored [N]."""
        self.signs += torch.stack([real_scores.sign().mean(), torch.ones_like(self.p)])
        total, turns = self.signs.unbind()
        due = turns == ADA_INTERVAL
        step = torch.sign(total / turns - self.target) * turns * reals / self.images
        self.p = torch.where(due, (self.p + step).clamp(0, 1), self.p)
        self.signs = torch.where(due, torch.zeros_like(self.signs), self.signs)


class View(nn.Module):
    """images [N, C, H, W] -> what D is asked about [N / pack, pack * C, H, W]."""

    def __init__(self, factors: Factors) -> None:
        super().__init__()
        self.factors = factors
        self.ada = AdaptiveProbability(factors.ada_target, factors.ada_images) if factors.augment == "ada" else None

    def forward(self, images: Tensor, progress: float, rng: torch.Generator | None) -> Tensor:
        """`progress` is the share of the training that is done; noise comes from `rng` on the images' device."""
        if self.ada is not None:
            images = random_affine(images, self.ada.p, rng)
        elif self.factors.augment == "diffaugment":
            images = diffaugment(images, rng)
        if self.factors.instance_noise:
            sigma = self.factors.instance_noise * (1 - progress)
            images = images + sigma * torch.randn(images.shape, device=images.device, generator=rng)
        if self.factors.pack > 1:
            images = images.reshape(-1, self.factors.pack * images.shape[1], *images.shape[2:])
        return images

    def observe(self, real_scores: Tensor) -> dict[str, Tensor]:
        """Lets ADA see a D turn's scores [N] of reals; gives the scalars to log."""
        if self.ada is None:
            return {}
        self.ada.observe(real_scores.detach(), len(real_scores) * self.factors.pack)
        return {"ada_p": self.ada.p}

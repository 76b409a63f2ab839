"""MAGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gans.autoencoder.base import AutoencoderGAN, energy_margin
from gans.base import Batch, Scalars, Turn
from gans.config import option
from gans.registry import register


@register(
    "magan",
    family="autoencoder",
    year=2017,
    paper="Wang et al.: MAGAN: Margin Adaptation for Generative Adversarial Networks, arXiv:1704.03817",
)
class MAGAN(AutoencoderGAN):
    """EBGAN whose margin follows the energy of the reals down, once an epoch, when the fakes' energy has grown.

    Losses:
        * e(x) = mean over pixels of (AE(x) - x)^2
        * L_D = E e(x) + E [m - e(G(z))]_+, the hinge on each fake
        * L_G = E e(G(z))
        * after each `epoch_images` reals, with the epoch's mean energies: if e_real < m, e_real < e_fake and e_fake is
          above that of the epoch before, then m <- e_real; not after the first epoch, which has none before it

    Deviations:
        * nets: D is the uniform trunk, a linear code and the uniform generator's layers without batch norm: 1,557,509
          parameters, 11 times the 138,561 of other rows.
        * paper: D is not pre-trained as an autoencoder for two epochs to find the first margin, since G takes every
          turn here; that margin is a setting. An epoch is 6,400 reals, not all. The fakes' energy is that of D's turns,
          not of G's. Adam 2e-4.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(AutoencoderGAN.Config):
        margin: float = option(
            0.1,
            "first margin, squared error a pixel in [-1, 1]",
            source="upper end of a trained autoencoder's 0.02 to 0.1 on digits; the rule only lowers it",
            low=0,
        )
        epoch_images: int = option(
            6_400,
            "reals between two looks at the margin",
            source="no search; the paper's epoch, 60,000 on MNIST, would let the quick preset lower it once",
            low=1,
        )

    config: Config
    margin: Tensor
    previous_fake_energy: Tensor
    totals: Tensor

    def prepare(self) -> None:
        self.register_buffer("margin", torch.tensor(self.config.margin))
        self.register_buffer("previous_fake_energy", torch.tensor(torch.inf))
        self.register_buffer("totals", torch.zeros(3))
        self._latest = torch.zeros(3)

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return energy_margin(-real_scores, -fake_scores, self.margin)

    def d_turn(self, batch: Batch) -> Scalars:
        scalars = super().d_turn(batch)
        score = scalars["real_score"].detach()
        # per image: energies of reals and fakes, and the count, so that batches of any size add up
        self._latest = len(batch) * torch.stack([-score, -scalars["fake_score"].detach(), torch.ones_like(score)])
        return scalars | {"margin": self.margin}

    @torch.no_grad()
    def adapt_margin(self) -> None:
        """Adds the last turn of D to the epoch and, at its end, looks at the margin; all on the device."""
        totals = self.totals + self._latest
        real, fake, images = totals.unbind()
        real, fake = real / images, fake / images
        due = images >= self.config.epoch_images
        lower = due & (real < self.margin) & (real < fake) & (self.previous_fake_energy < fake)
        self.margin = torch.where(lower, real, self.margin)
        self.previous_fake_energy = torch.where(due, fake, self.previous_fake_energy)
        self.totals = torch.where(due, torch.zeros_like(totals), totals)

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [replace(d, after=self.adapt_margin), g]

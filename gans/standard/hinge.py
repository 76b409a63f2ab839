"""Geometric GAN: the hinge loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gans import losses
from gans.base import GAN
from gans.registry import register


@register("hinge", family="standard", year=2017, paper="Lim, Ye: Geometric GAN, arXiv:1705.02894")
class Hinge(GAN):
    """GAN whose D separates with a margin, as a support vector machine does.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+
        * L_G = -E D(G(z)), no hinge

    Deviations:
        * paper: the uniform nets and Adam 2e-4; the norm of the separating weights, which a support vector machine
          minimises too, is left out.
        * tutorial: its sagan.py gives G a hinge of its own, [1 - 2 D(G(z))]_+, which stops training G at 1/2.
    """

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        losses.check_scores(real_scores)
        losses.check_scores(fake_scores)
        return torch.relu(1 - real_scores).mean() + torch.relu(1 + fake_scores).mean()

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return losses.wasserstein_g(fake_scores)

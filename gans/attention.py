"""Self-attention over the positions of a feature map: [N, C, H, W] -> [N, C, H, W]."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gans.networks import initialise


class SelfAttention(nn.Module):
    """gamma o + x, o_j = v(sum_i b_ji h(x_i)), b_j = softmax over i of f(x_i) . g(x_j), gamma learned and 0 at first.

    Zhang et al. 2018, arXiv:1805.08318, section 3. f, g, h and v are 1x1 convolutions; f and g have C/8 channels and h
    has C/2, as in the official code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.f = nn.Conv2d(channels, channels // 8, 1)
        self.g = nn.Conv2d(channels, channels // 8, 1)
        self.h = nn.Conv2d(channels, channels // 2, 1)
        self.v = nn.Conv2d(channels // 2, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(()))
        initialise(self)

    def forward(self, features: Tensor) -> Tensor:
        """features [N, C, H, W], any side."""
        f, g, h = (layer(features).flatten(2) for layer in (self.f, self.g, self.h))
        # Not torch's fused attention: its fast kernels have no second derivative, which unrolling takes.
        weights = (g.transpose(1, 2) @ f).softmax(2)
        mixed = (h @ weights.transpose(1, 2)).unflatten(2, features.shape[2:])
        attended: Tensor = self.gamma * self.v(mixed) + features
        return attended

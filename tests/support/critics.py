"""Critics whose gradients are known in closed form."""

import torch
from torch import nn


class LinearCritic(nn.Module):
    """D(x) = w x on images, whose gradient is w everywhere; `scale`: standard deviation of w's entries."""

    def __init__(self, scale=0.05):
        super().__init__()
        torch.manual_seed(3)
        self.weight = nn.Parameter(torch.randn(784) * scale)

    def forward(self, images):
        return images.flatten(1) @ self.weight


class QuadraticCritic(nn.Module):
    """D(x) = |x|^2 / 2, whose gradient is x."""

    def forward(self, images):
        return images.flatten(1).square().sum(1) / 2

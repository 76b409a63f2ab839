"""Statistics of the batch that D's head may see beside an image's features: [N, F] -> [N, F + more].

They couple the images of a batch on purpose, so that D notices fakes that are all alike. Reals and fakes never meet in
one batch here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gans.factors import STDDEV_GROUP


class MinibatchDiscrimination(nn.Module):
    """o_b(x_i) = sum_{j != i} exp(-||M_ib - M_jb||_1), M = T phi(x), beside phi(x). Salimans et al. 2016, section 3.2.

    100 kernels of 5 dimensions as in the official code (arXiv:1606.03498).
    """

    KERNELS, DIMENSIONS = 100, 5

    def __init__(self, features: int) -> None:
        super().__init__()
        self.tensor = nn.Linear(features, self.KERNELS * self.DIMENSIONS, bias=False)
        self.features = features + self.KERNELS

    def forward(self, features: Tensor) -> Tensor:
        """phi [N, F] -> [N, F + 100]."""
        m = self.tensor(features).view(-1, self.KERNELS, self.DIMENSIONS).transpose(0, 1)
        distances = (m[:, :, None] - m[:, None]).abs().sum(3)
        # The image itself, at distance 0, adds 1.
        closeness = torch.exp(-distances).sum(2) - 1
        return torch.cat([features, closeness.T], 1)


class MinibatchStddev(nn.Module):
    """The standard deviation over groups of 4 images, averaged over the features, beside phi(x). Karras et al. 2018.

    arXiv:1710.10196, section 3, where it is one more channel before the last convolution; the group and the 1e-8 under
    the root are the official code's.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features + 1

    def forward(self, features: Tensor) -> Tensor:
        """phi [N, F] -> [N, F + 1], N a multiple of 4; image i is in the group of i + N/4, i + N/2, i + 3N/4."""
        groups = features.view(STDDEV_GROUP, -1, features.shape[1])
        deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean(1)
        return torch.cat([features, deviation.repeat(STDDEV_GROUP)[:, None]], 1)


STATISTICS: dict[str, type[MinibatchDiscrimination | MinibatchStddev]] = {
    "discrimination": MinibatchDiscrimination,
    "stddev": MinibatchStddev,
}

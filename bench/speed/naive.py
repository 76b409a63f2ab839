"""DCGAN as a PyTorch tutorial would write it: what a step of ours is measured against.

Knows nothing of the harness. It has the shapes, constants and losses of the uniform field and so computes what ours
does (a test says so), in the plain way: contiguous tensors, `nn.Dropout`, a DataLoader, label tensors,
`loss.backward()` through D in G's turn, whose gradients of D are thrown away, Adam as it comes, and `.item()` in every
step. Like PyTorch's own DCGAN tutorial it detaches D's fakes; unlike it, and as here, it makes fresh ones for G's turn.
Images are converted to floats beforehand, which spares it a transform of each.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

PEER = "dcgan"
"""The algorithm that this script is of, by its name in the registry."""
LATENT = 100


def generator() -> nn.Sequential:
    """latent [N, 100] -> images [N, 1, 28, 28] in [-1, 1]."""
    return nn.Sequential(
        nn.Linear(LATENT, 128 * 7 * 7),
        nn.BatchNorm1d(128 * 7 * 7, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1),
        nn.BatchNorm2d(64, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),
        nn.BatchNorm2d(32, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.ZeroPad2d((1, 2, 1, 2)),
        nn.Conv2d(32, 1, 4),
        nn.Tanh(),
    )


def discriminator(dropout: float = 0.3) -> nn.Sequential:
    """images [N, 1, 28, 28] -> scores [N, 1]."""
    return nn.Sequential(
        nn.Conv2d(1, 64, 4, stride=2, padding=1),
        nn.BatchNorm2d(64, eps=1e-3, momentum=0.01),
        nn.LeakyReLU(0.3),
        nn.Dropout(dropout),
        nn.Conv2d(64, 128, 4, stride=2, padding=1),
        nn.BatchNorm2d(128, eps=1e-3, momentum=0.01),
        nn.LeakyReLU(0.3),
        nn.Dropout(dropout),
        nn.Flatten(),
        nn.Linear(128 * 7 * 7, 1),
    )


class NaiveScript:
    """The script's state between two steps; images float32 [N, 1, 28, 28] in [-1, 1] lie in the main memory."""

    def __init__(self, images: Tensor, batch_size: int, device: torch.device, dropout: float = 0.3) -> None:
        self.device = device
        self.g, self.d = generator().to(device), discriminator(dropout).to(device)
        self.adam_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.5, 0.999), eps=1e-7)
        self.adam_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.5, 0.999), eps=1e-7)
        self.criterion = nn.BCEWithLogitsLoss()
        self.loader = DataLoader(TensorDataset(images), batch_size, shuffle=True, drop_last=True)
        self._batches: Iterator[list[Tensor]] = iter(self.loader)

    def _next(self) -> Tensor:
        try:
            (real,) = next(self._batches)
        except StopIteration:
            self._batches = iter(self.loader)
            (real,) = next(self._batches)
        return real.to(self.device)

    def latent(self, n: int) -> Tensor:
        """z ~ N(0, I): [n, 100]."""
        return torch.randn(n, LATENT, device=self.device)

    def step(self) -> tuple[float, float]:
        """One update of D and one of G; the losses of both."""
        real = self._next()
        ones = torch.ones(len(real), 1, device=self.device)
        zeros = torch.zeros(len(real), 1, device=self.device)

        self.adam_d.zero_grad()
        fake = self.g(self.latent(len(real))).detach()
        loss_d = self.criterion(self.d(real), ones) + self.criterion(self.d(fake), zeros)
        loss_d.backward()
        self.adam_d.step()

        self.adam_g.zero_grad()
        loss_g = self.criterion(self.d(self.g(self.latent(len(real)))), ones)
        loss_g.backward()
        self.adam_g.step()
        return loss_d.item(), loss_g.item()

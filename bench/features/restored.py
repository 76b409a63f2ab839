"""How near images came to the ones they were to be: absolute and squared error, PSNR and SSIM by torchmetrics.

Takes uint8 images of equal shape [N, 1, H, W], gives numbers. Knows no network.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

_CHUNK = 1_000


def hole_error(images: Tensor, targets: Tensor, known: Tensor) -> float:
    """The mean absolute difference of a pixel in [-1, 1] over the holes, where `known` [N, 1, H, W] is 0."""
    hole = known == 0
    return absolute_error(images[hole], targets[hole])


def absolute_error(images: Tensor, targets: Tensor) -> float:
    """The mean absolute difference of a pixel in [-1, 1]."""
    return ((images.float() - targets.float()) / 127.5).abs().mean(dtype=torch.float64).item()


def squared_error(images: Tensor, targets: Tensor) -> float:
    """The mean squared difference of a pixel in [-1, 1]."""
    return ((images.float() - targets.float()) / 127.5).square().mean().item()


def psnr(images: Tensor, targets: Tensor) -> float:
    """10 log10(1 / E (x - y)^2) in dB, pixels in [0, 1]; higher is better, infinite for equal sets.

    Of the squared error of all images together: that of single images would be infinite where one is met exactly.
    """
    return float(peak_signal_noise_ratio(images.double() / 255, targets.double() / 255, data_range=1.0))


def ssim(images: Tensor, targets: Tensor) -> float:
    """The mean structural similarity, 1 for equal images. Wang et al. 2004: windows of 11 pixels, sigma 1.5."""
    parts = [
        structural_similarity_index_measure(x.double() / 255, y.double() / 255, data_range=1.0, reduction="none")
        for x, y in zip(images.split(_CHUNK), targets.split(_CHUNK), strict=True)
    ]
    return torch.cat([torch.as_tensor(part).reshape(-1) for part in parts]).double().mean().item()

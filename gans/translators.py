"""Networks from image to image: those of the tutorial, in Keras's constants like the uniform ones.

Every one gives images [N, 1, 28, 28] in [-1, 1] and runs in channels_last memory.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gans.networks import (
    SLOPE,
    FeatureTrunk,
    UpConvolution,
    at_least_single,
    batch_norm,
    image_layers,
    in_full,
    initialise,
)


def _norm(kind: str, channels: int) -> nn.Module:
    """Batch norm, or instance norm with the tutorial's eps and a learned affine map."""
    return batch_norm(channels) if kind == "batch" else nn.InstanceNorm2d(channels, eps=1e-6, affine=True)


def _down(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    """Half the side: convolution, norm, LeakyReLU."""
    convolution = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
    return nn.Sequential(convolution, _norm(norm, outputs), nn.LeakyReLU(SLOPE, inplace=True))


def _up(inputs: int, outputs: int, norm: str, kernel: int = 4) -> nn.Sequential:
    """Twice the side: transposed convolution, norm, ReLU."""
    return nn.Sequential(UpConvolution(inputs, outputs, kernel), _norm(norm, outputs), nn.ReLU(inplace=True))


class ImageToImage(nn.Sequential):
    """The tutorial's plain translator: 28x28 -> 14x14x64 -> 7x7x128 -> 14x14x64 -> 28x28x32 -> 28x28x1.

    `norm` is "batch" or "instance".
    """

    def __init__(self, norm: str) -> None:
        down = (_down(1, 64, norm), _down(64, 128, norm))
        super().__init__(*down, _up(128, 64, norm), _up(64, 32, norm), nn.Sequential(*image_layers(32)))
        initialise(self)
        self.to(memory_format=torch.channels_last)


class BothWays(nn.Module):
    """Two plain translators: from source to image, which is the module's own way, and `back`."""

    def __init__(self, norm: str) -> None:
        super().__init__()
        self.forth, self.back = ImageToImage(norm), ImageToImage(norm)

    def forward(self, source: Tensor) -> Tensor:
        """source [N, 1, 28, 28] -> images [N, 1, 28, 28]."""
        images: Tensor = self.forth(source)
        return images


class UNet(nn.Module):
    """The same with skip connections: each upward layer also sees what its size looked like on the way down."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = _down(1, 64, "batch"), _down(64, 128, "batch")
        self.up1, self.up2 = _up(128, 64, "batch"), _up(64 + 64, 32, "batch")
        self.image = nn.Sequential(*image_layers(32 + 1))
        initialise(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, source: Tensor) -> Tensor:
        """source [N, 1, 28, 28] -> images [N, 1, 28, 28]."""
        half = self.down1(source)
        up = torch.cat([self.up1(self.down2(half)), half], 1)
        images: Tensor = self.image(torch.cat([self.up2(up), source], 1))
        return images


class SuperResolution(nn.Module):
    """7x7 -> 28x28: features, residual blocks of two convolutions at 7x7x64, then 14x14x64 and 28x28x32."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.enter = self._same(1)
        self.blocks = nn.ModuleList(nn.Sequential(self._same(64), self._same(64)) for _ in range(blocks))
        self.leave = nn.Sequential(
            _up(64, 64, "batch", kernel=3), _up(64, 32, "batch", kernel=3), nn.Conv2d(32, 1, 3, padding=1)
        )
        self.squash = nn.Tanh()
        initialise(self)
        self.to(memory_format=torch.channels_last)

    @staticmethod
    def _same(inputs: int) -> nn.Sequential:
        convolution = nn.Conv2d(inputs, 64, 3, padding=1)
        return nn.Sequential(convolution, batch_norm(64), nn.LeakyReLU(SLOPE, inplace=True))

    def forward(self, source: Tensor) -> Tensor:
        """source [N, 1, 7, 7] -> images [N, 1, 28, 28]."""
        features = self.enter(source)
        for block in self.blocks:
            features = features + block(features)
        images: Tensor = self.squash(at_least_single(self.leave(features)))
        return images


class PatchDiscriminator(nn.Module):
    """The uniform trunk without its flattening, and a convolution that scores each of 4x4 overlapping patches.

    images [N, channels, 28, 28] -> scores [16 N], those of one image beside each other.
    """

    def __init__(self, trunk: FeatureTrunk) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Conv2d(128, 1, 4)
        initialise(self.head)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> scores [16 N]."""
        maps = self.trunk(images).view(len(images), 7, 7, 128).permute(0, 3, 1, 2)
        return in_full(self.head, maps).flatten()

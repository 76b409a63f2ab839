"""Networks that grow: progressive GAN's layers, generator and discriminator for 7x7, 14x14 and 28x28 images.

At every stage G gives and D takes images of 28x28: the smaller ones enlarged, each pixel a square. Karras et al. 2018,
arXiv:1710.10196, sections 2 to 4. How far the nets have grown, `growth`, is set by the algorithm.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, linear

from gans.heads import MinibatchStddev
from gans.networks import at_least_single, in_full

SIDE = 28
SIDES = (7, 14, 28)
CHANNELS = (128, 64, 32)
"""Of the features at either side: the uniform generator's."""
SLOPE = 0.2
GAIN = 2**0.5
"""He's gain, by which a rectified layer keeps the scale of its inputs."""


class Growth(NamedTuple):
    """How far the nets have grown: the index of the largest side, and the weight of its layers, 0 to 1."""

    stage: int
    alpha: float


GROWN = Growth(len(SIDES) - 1, 1.0)


def pixel_norm(features: Tensor) -> Tensor:
    """Features [N, C, ...] over the root of their mean square over the channels."""
    return features * (features.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def enlarge(images: Tensor, times: int) -> Tensor:
    """Each pixel of [N, C, H, W] as a square of `times` pixels."""
    return interpolate(images, scale_factor=times, mode="nearest") if times > 1 else images


def shrink(images: Tensor, times: int) -> Tensor:
    """Each square of `times` pixels of [N, C, H, W] as their mean."""
    return avg_pool2d(images, times) if times > 1 else images


def faded(images: Tensor, growth: Growth) -> Tensor:
    """Images [N, C, 28, 28] as sharp as those that G makes: averaged to its side, and the fainter its layers are."""
    stage, alpha = growth
    sharp = shrink(images, SIDE // SIDES[stage])
    if alpha < 1:
        sharp = torch.lerp(enlarge(shrink(sharp, 2), 2), sharp, alpha)
    return enlarge(sharp, SIDE // SIDES[stage])


def at_rest(module: nn.Module) -> Tensor:
    """0, by which parameters that the stage leaves alone get a gradient, of zero, as in the official code."""
    return 0 * torch.stack([p.sum() for p in module.parameters()]).sum()


class EqualisedLinear(nn.Linear):
    """A linear layer that stores weights ~ N(0, 1 / multiplier^2) and scales them when it is used, so that Adam, whose
    steps do not depend on the scale, moves every layer alike; `multiplier` slows it down further.
    """

    def __init__(self, inputs: int, outputs: int, gain: float = GAIN, multiplier: float = 1.0) -> None:
        super().__init__(inputs, outputs)
        self.multiplier = multiplier
        self.scale = multiplier * gain / inputs**0.5
        nn.init.normal_(self.weight, std=1 / multiplier)
        nn.init.zeros_(self.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """[N, inputs] -> [N, outputs]."""
        return linear(inputs, self.weight * self.scale, self.bias * self.multiplier)


class EqualisedConv2d(nn.Conv2d):
    """A convolution of odd size, zero-padded to keep the side, with weights ~ N(0, 1) scaled when it is used."""

    def __init__(self, inputs: int, outputs: int, size: int = 3, gain: float = GAIN) -> None:
        super().__init__(inputs, outputs, size, padding=size // 2)
        self.scale = gain / (inputs * size**2) ** 0.5
        nn.init.normal_(self.weight)
        assert self.bias is not None
        nn.init.zeros_(self.bias)

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]."""
        outputs: Tensor = self._conv_forward(features, self.weight * self.scale, self.bias)
        return outputs


class PixelNorm(nn.Module):
    """`pixel_norm` as a layer."""

    def forward(self, features: Tensor) -> Tensor:
        """features [N, C, H, W]."""
        return pixel_norm(features)


class ProgressiveGenerator(nn.Module):
    """latent [N, L] -> images [N, 1, 28, 28] in [-1, 1].

    latent -> 7x7x128 -> 14x14x64 -> 28x28x32, two layers at each side, and a 1x1 convolution from each to an image.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.growth = GROWN
        self.project = EqualisedLinear(inputs, SIDES[0] ** 2 * CHANNELS[0])
        first = self.layers(CHANNELS[0], CHANNELS[0])
        blocks = [nn.Sequential(*self.layers(a, b), *self.layers(b, b)) for a, b in pairwise(CHANNELS)]
        self.blocks = nn.ModuleList([nn.Sequential(*first), *blocks])
        self.to_image = nn.ModuleList(EqualisedConv2d(channels, 1, 1, gain=1) for channels in CHANNELS)
        self.to(memory_format=torch.channels_last)

    @staticmethod
    def layers(inputs: int, outputs: int) -> list[nn.Module]:
        """A convolution and what follows it."""
        return [EqualisedConv2d(inputs, outputs), nn.LeakyReLU(SLOPE), PixelNorm()]

    def image(self, features: Tensor, stage: int) -> Tensor:
        """An image of the side that the features have."""
        image: Tensor = self.to_image[stage](features)
        return at_least_single(image).tanh()

    def forward(self, latent: Tensor) -> Tensor:
        """latent [N, inputs] -> images [N, 1, 28, 28] of the stage's sharpness."""
        stage, alpha = self.growth
        first = self.project(pixel_norm(latent)).view(-1, SIDES[0], SIDES[0], CHANNELS[0]).permute(0, 3, 1, 2)
        features = self.blocks[0](pixel_norm(leaky_relu(first, SLOPE)))
        for block in self.blocks[1 : stage + 1]:
            smaller = features
            features = block(enlarge(smaller, 2))
        images = self.image(features, stage)
        if alpha < 1:
            images = torch.lerp(enlarge(self.image(smaller, stage - 1), 2), images, alpha)
        return enlarge(images, SIDE // SIDES[stage])


class ProgressiveTrunk(nn.Module):
    """images [N, channels, 28, 28] -> features [N, 6272]: the generator's mirror image.

    Before the last convolution, `stddev` adds a channel: the batch's standard deviation.
    """

    def __init__(self, channels: int = 1, stddev: bool = True) -> None:
        super().__init__()
        self.features = SIDES[0] ** 2 * CHANNELS[0]
        self.growth = GROWN
        self.from_image = nn.ModuleList(EqualisedConv2d(channels, width, 1) for width in CHANNELS)
        blocks = [
            nn.Sequential(
                *(EqualisedConv2d(own, own), nn.LeakyReLU(SLOPE)),
                *(EqualisedConv2d(own, smaller), nn.LeakyReLU(SLOPE), nn.AvgPool2d(2)),
            )
            for smaller, own in pairwise(CHANNELS)
        ]
        self.blocks = nn.ModuleList([nn.Identity(), *blocks])
        self.statistic = MinibatchStddev(self.features) if stddev else None
        self.last = EqualisedConv2d(CHANNELS[0] + stddev, CHANNELS[0])
        self.to(memory_format=torch.channels_last)

    def read(self, images: Tensor, stage: int) -> Tensor:
        """Features of images of the stage's side."""
        return leaky_relu(self.from_image[stage](images), SLOPE)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> features [N, 6272]."""
        stage, alpha = self.growth
        images = shrink(images, SIDE // SIDES[stage])
        features: Tensor = self.blocks[stage](self.read(images, stage))
        if alpha < 1:
            features = torch.lerp(self.read(shrink(images, 2), stage - 1), features, alpha)
        for smaller in range(stage - 1, 0, -1):
            features = self.blocks[smaller](features)
        if self.statistic is not None:
            deviation = self.statistic(features.flatten(1))[:, -1, None, None, None]
            features = torch.cat([features, deviation.expand(-1, 1, *features.shape[2:])], 1)
        return leaky_relu(self.last(features), SLOPE).permute(0, 2, 3, 1).flatten(1)


class ProgressiveDiscriminator(nn.Module):
    """images [N, channels, 28, 28] -> scores [N]."""

    def __init__(self, channels: int = 1, stddev: bool = True) -> None:
        super().__init__()
        self.trunk = ProgressiveTrunk(channels, stddev)
        self.head = EqualisedLinear(self.trunk.features, 1, gain=1)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> scores [N]."""
        return in_full(self.head, self.trunk(images)).squeeze(1)

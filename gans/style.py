"""StyleGAN's generator: a mapping from latents to styles, and a synthesis that styles and noise steer layer by layer.

Karras, Laine, Aila 2018, arXiv:1812.04948, section 2, with the tutorial's widths. Noise is an argument, so that the
caller's seed fixes it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, interpolate, leaky_relu

from gans.networks import at_least_single
from gans.progressive import GAIN, SLOPE, EqualisedConv2d, EqualisedLinear, pixel_norm

STYLE = 128
"""Length of a style w."""
DEPTH = 8
"""Layers of the mapping; paper."""
MAPPING_RATE = 0.01
"""Learning rate of the mapping, as a multiple of G's; paper, appendix C."""
SIDES = (7, 7, 14, 28)
"""Of the layers' features: the constant's, and those of three convolutions."""


def adain(features: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Features [N, C, H, W] moved to the mean `shift` and standard deviation `scale` [N, C] in each channel; eq. 1."""
    normalised = instance_norm(features, eps=1e-8)
    return scale[:, :, None, None] * normalised + shift[:, :, None, None]


def mixed(first: Tensor, second: Tensor, cut: Tensor, layers: int = len(SIDES)) -> Tensor:
    """Each layer's style [N, layers, W]: `first` [N, W] in those before the layer `cut` [N], `second` from it on."""
    early = torch.arange(layers, device=cut.device) < cut[:, None]
    return torch.where(early[:, :, None], first[:, None], second[:, None])


class Mapping(nn.Module):
    """latents [N, L] -> styles w [N, 128]: eight layers with LeakyReLU, the latents' scale removed first."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in [inputs, *[STYLE] * (DEPTH - 1)]:
            layers += [EqualisedLinear(width, STYLE, GAIN, MAPPING_RATE), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        """latents [N, L] -> styles [N, 128]."""
        styles: Tensor = self.layers(pixel_norm(latent))
        return styles


class Styled(nn.Module):
    """What follows a convolution: noise, LeakyReLU, and AdaIN with a scale and a shift that are affine in the style."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(channels, 1, 1))
        self.affine = EqualisedLinear(STYLE, 2 * channels, gain=1)

    def forward(self, features: Tensor, style: Tensor, noise: Tensor) -> Tensor:
        """features [N, C, H, W], style [N, 128], noise [N, 1, H, W]."""
        scale, shift = self.affine(style).chunk(2, 1)
        return adain(leaky_relu(features + self.strength * noise, SLOPE), 1 + scale, shift)


class Synthesis(nn.Module):
    """styles [N, 4, 128] and noise -> images [N, 1, 28, 28] in [-1, 1].

    constant 7x7x128 -> 7x7x64 -> 14x14x64 -> 28x28x64 -> tanh of a 5x5 convolution; bilinear enlargement.
    """

    def __init__(self) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(1, 128, SIDES[0], SIDES[0]))
        self.convolutions = nn.ModuleList(EqualisedConv2d(inputs, 64) for inputs in (128, 64, 64))
        self.styled = nn.ModuleList(Styled(channels) for channels in (128, 64, 64, 64))
        self.to_image = EqualisedConv2d(64, 1, 5, gain=1)

    def forward(self, styles: Tensor, noise: list[Tensor]) -> Tensor:
        """styles [N, 4, 128]; for each layer noise [N, 1, H, W] of its side."""
        features = self.styled[0](self.constant.expand(len(styles), -1, -1, -1), styles[:, 0], noise[0])
        for i, convolution in enumerate(self.convolutions, start=1):
            if SIDES[i] > SIDES[i - 1]:
                features = interpolate(features, scale_factor=2, mode="bilinear")
            features = self.styled[i](convolution(features), styles[:, i], noise[i])
        image: Tensor = self.to_image(features)
        return at_least_single(image).tanh()


class StyleGenerator(nn.Module):
    """Mapping and synthesis; what comes between them, mixing and noise, is the algorithm's."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.mapping = Mapping(inputs)
        self.synthesis = Synthesis()
        self.to(memory_format=torch.channels_last)


def path_lengths(images: Tensor, styles: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """||J^T y|| of each image [N, 1, H, W], J its derivative by the styles [N, layers, W] it was made of: [N].

    y ~ N(0, I) / sqrt(H W); the mean over layers is under the root, as in StyleGAN2's code. Differentiable. Karras et
    al. 2020, arXiv:1912.04958, section 3.2.
    """
    y = torch.randn(images.shape, device=images.device, dtype=images.dtype, generator=rng)
    y = y / (images.shape[2] * images.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((images * y).sum(), styles, create_graph=True)
    return (gradient.square().sum(2).mean(1) + 1e-12).sqrt()

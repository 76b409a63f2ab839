"""Fields: the uniform nets that every algorithm plays with on a task.

The field of digits is that of `gans.networks`. The field of curves is the tutorial's gan.py: fully connected nets for
16 points, one hidden layer of 32 units with ReLU. On image-to-image fields images are made from a source, by nets that
each algorithm brings (`gans.translators` has the tutorial's); the discriminator's trunk is the uniform one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from gans.networks import Dropout, FeatureTrunk, Generator, Trunk, batch_norm, initialise

POINTS = 16
HIDDEN = 32


class CurveGenerator(nn.Module):
    """inputs [N, L] -> curves [N, 1, 1, 16], not squashed."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.layers = nn.Sequential(nn.Linear(inputs, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, POINTS))
        initialise(self)

    def forward(self, latent: Tensor) -> Tensor:
        """latent [N, inputs] -> curves [N, 1, 1, 16]."""
        curves: Tensor = self.layers(latent)
        return curves.view(-1, 1, 1, POINTS)


class CurveTrunk(FeatureTrunk):
    """curves [N, channels, 1, 16] -> features [N, 32]; batch norm and dropout stand where they do on digits."""

    features = HIDDEN

    def __init__(self, bn: bool, dropout: float, channels: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten(), nn.Linear(channels * POINTS, HIDDEN)]
        if bn:
            layers.append(batch_norm(HIDDEN, dims=1))
        layers.append(nn.ReLU(inplace=True))
        if dropout:
            layers.append(Dropout(dropout))
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, curves: Tensor) -> Tensor:
        """curves [N, channels, 1, 16] -> features [N, 32]."""
        features: Tensor = self.layers(curves)
        return features


@dataclass(frozen=True)
class Field:
    """The nets of one kind of data."""

    name: str
    shape: tuple[int, int, int]
    """Of one element: channels, height, width."""
    generator: Callable[[int], nn.Module]
    """Length of the inputs -> network from [N, inputs] to [N, *shape]."""
    trunk: Callable[[bool, float, int], FeatureTrunk]
    """Batch norm, dropout, elements judged together -> network to features."""
    pixels: bool
    """Whether the elements are images in [-1, 1]."""
    conflicts: dict[str, str]
    """Factors that make no sense on this data: conditions -> reason."""

    source: tuple[int, int, int] | None = None
    """Shape of what an element is made from; None where it is made from noise."""
    holes: bool = False
    """Whether the source is the element itself with a hole."""
    content: Callable[[], nn.Module] | None = None
    """Makes a frozen network from images to features [N, ...], in which alike images are near; the harness gives it."""

    def blank(self, n: int, device: torch.device | None = None) -> Tensor:
        """n elements of zeros: [n, *shape]."""
        return torch.zeros(n, *self.shape, device=device)


def _stacked_trunk(bn: bool, dropout: float, pack: int = 1) -> Trunk:
    return Trunk(bn, dropout, 3 * pack)


DIGITS = Field("digits", (1, 28, 28), Generator, Trunk, True, {})
CURVES = Field(
    "curves",
    (1, 1, POINTS),
    CurveGenerator,
    CurveTrunk,
    False,
    {"augment": "augmentations are of images, not of curves"},
)
STACKED = Field("stacked", (3, 28, 28), partial(Generator, channels=3), _stacked_trunk, True, {})
"""Three digits as the channels of one image; the uniform nets with as many channels outside."""


def _from_images(name: str, source: tuple[int, int, int], holes: bool = False) -> Field:
    return Field(name, (1, 28, 28), Generator, Trunk, True, {}, source, holes)


INPAINTING = _from_images("inpainting", (1, 28, 28), holes=True)
SUPER_RESOLUTION = _from_images("super_resolution", (1, 7, 7))
TRANSLATION = _from_images("translation", (1, 28, 28))
"""Source and image are unpaired: a batch's source is of one kind, its images are of another."""
FIELDS = {field.name: field for field in (DIGITS, CURVES, STACKED, INPAINTING, TRANSLATION, SUPER_RESOLUTION)}

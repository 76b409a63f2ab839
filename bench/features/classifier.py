"""The MNIST classifier whose penultimate layer is the feature space of every score.

Takes images, gives features and logits. Knows neither where weights come from nor what features are for.
"""

from __future__ import annotations

from torch import Tensor, nn

FEATURES = 128
CLASSES = 10
ARCHITECTURE = "conv32-conv32-pool-conv64-conv64-pool-conv64-pool-fc128-fc10, 3x3, each conv with BN and ReLU"


def _block(fan_in: int, fan_out: int) -> list[nn.Module]:
    return [nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False), nn.BatchNorm2d(fan_out), nn.ReLU()]


class Classifier(nn.Module):
    """About 180,000 parameters; a larger one gains nothing on MNIST and every score waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            *_block(1, 32), *_block(32, 32), nn.MaxPool2d(2),
            *_block(32, 64), *_block(64, 64), nn.MaxPool2d(2),
            *_block(64, 64), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 3 * 3, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images [N, 1, 28, 28] in [-1, 1] -> features [N, 128] (not negative), logits [N, 10]."""
        features: Tensor = self.trunk(images)
        return features, self.head(features)

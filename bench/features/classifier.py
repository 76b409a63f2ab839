"""The classifiers whose penultimate layer is the feature space of every score.

Take images, give features and logits. Know neither where weights come from nor what features are for.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CLASSES = 10


def _block(fan_in: int, fan_out: int) -> list[nn.Module]:
    return [nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False), nn.BatchNorm2d(fan_out), nn.ReLU()]


class Classifier(nn.Module):
    """A trunk that ends in `features` not negative features, and a linear head."""

    def __init__(self, trunk: list[nn.Module], features: int) -> None:
        super().__init__()
        self.features = features
        self.trunk = nn.Sequential(*trunk)
        self.head = nn.Linear(features, CLASSES)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images [N, 1, 28, 28] in [-1, 1] -> features [N, F] (not negative), logits [N, 10]."""
        features: Tensor = self.trunk(images)
        return features, self.head(features)


def six_layers() -> Classifier:
    """About 180,000 parameters; a larger one gains nothing on MNIST and every score waits for it."""
    return Classifier(
        [
            *_block(1, 32), *_block(32, 32), nn.MaxPool2d(2),
            *_block(32, 64), *_block(64, 64), nn.MaxPool2d(2),
            *_block(64, 64), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 3 * 3, 128), nn.ReLU(),
        ],
        128,
    )  # fmt: skip


def lenet() -> Classifier:
    """About 47,000 parameters, made otherwise on purpose: large kernels, no padding, no batch norm.

    After LeCun et al. 1998, Gradient-based learning applied to document recognition, with ReLU and max pooling.
    """
    return Classifier(
        [
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(),
        ],
        64,
    )  # fmt: skip


def fused(classifier: Classifier) -> Classifier:
    """The same function in eval mode with each batch norm folded into the convolution before it, which saves a quarter.

    Features agree to float32's rounding.
    """
    layers: list[nn.Module] = []
    for layer in classifier.eval().trunk:
        if isinstance(layer, nn.BatchNorm2d) and isinstance(layers[-1], nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(nn.ReLU(inplace=True) if isinstance(layer, nn.ReLU) else layer)
    classifier.trunk = nn.Sequential(*layers)
    return classifier


MAIN = "conv32-conv32-pool-conv64-conv64-pool-conv64-pool-fc128-fc10, 3x3, each conv with BN and ReLU"
SECOND = "conv16-pool-conv32-pool-fc64-fc10, 5x5, each conv with ReLU"
NETWORKS: dict[str, Callable[[], Classifier]] = {MAIN: six_layers, SECOND: lenet}
"""By what weights files call them."""

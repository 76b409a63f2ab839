"""The uniform field: one generator and one discriminator trunk for 28x28 grey images, heads outside.

Layer shapes, initial weights, batch-norm constants, LeakyReLU slope and dropout are those of the mnistGANs tutorial
(Keras): Glorot-uniform weights and zero biases, BN momentum 0.99 kept and eps 1e-3, slope 0.3, dropout 0.3.
Everything runs in channels_last memory, which is faster on CPU and GPU; shapes stay [N, C, H, W]. The one place where
the order shows, flattening 128 x 7 x 7 features, takes Keras's [H, W, C] order, so no copy is made there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gans.heads import STATISTICS

SLOPE = 0.3
TRUNK_FEATURES = 7 * 7 * 128


def batch_norm(channels: int, dims: int = 2) -> nn.Module:
    """Keras's BatchNormalization defaults; torch's momentum is the share of the new value."""
    cls = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[dims]
    return cls(channels, eps=1e-3, momentum=0.01)


class Dropout(nn.Module):
    """Elementwise dropout whose CPU mask is cut from raw random words.

    `nn.Dropout` draws its mask with a serial Bernoulli sampler, a fifth of a whole training step on a CPU. Sixteen
    random bits an element give the same distribution with p rounded to 1/65536; the draw comes from torch's global
    generator. `inplace` spares a copy where no backward pass needs what is given, as after a convolution or batch norm.
    """

    def __init__(self, p: float, inplace: bool = False) -> None:
        super().__init__()
        self.p, self.inplace = p, inplace
        self.threshold = round(p * 65536) - 32768
        self.keep_probability = 1 - round(p * 65536) / 65536

    def extra_repr(self) -> str:
        return f"p={self.p}"

    def forward(self, features: Tensor) -> Tensor:
        """Zeroes elements with probability p and scales the others, in train mode only; any shape."""
        if not self.training or self.p == 0:
            return features
        if features.device.type != "cpu":
            return F.dropout(features, self.p, inplace=self.inplace)
        words = torch.empty((features.numel() + 3) // 4, dtype=torch.int64)
        bits = words.random_(-(2**63), None).view(torch.int16)
        # In place, so that zeros and ones stay 16 bits wide: converting booleans takes five times as long.
        keep = bits.as_strided(features.size(), features.stride()).ge_(self.threshold)
        factors = keep.to(features.dtype).mul_(1 / self.keep_probability)
        return features.mul_(factors) if self.inplace else features * factors


def initialise(module: nn.Module) -> None:
    """Keras's default initial weights, Glorot uniform with zero biases, for every layer below `module`."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class UpConvolution(nn.ConvTranspose2d):
    """A transposed convolution, 4x4 or 3x3, that doubles the side: [N, inputs, H, W] -> [N, outputs, 2H, 2W].

    The bias is added afterwards: with it inside, oneDNN's convolution takes up to twice as long, forwards or backwards.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 4) -> None:
        super().__init__(inputs, outputs, kernel, stride=2, padding=1, output_padding=4 - kernel)

    def forward(self, features: Tensor) -> Tensor:  # type: ignore[override]
        """features [N, inputs, H, W] -> [N, outputs, 2H, 2W]."""
        assert self.bias is not None
        raised = F.conv_transpose2d(features, self.weight, None, 2, 1, self.output_padding)
        # In the features' precision: under autocast, a float32 summand would make float32 copies on the way.
        return raised.add_(self.bias.to(raised.dtype)[:, None, None])


class ImageConvolution(nn.Conv2d):
    """The convolution to images: 4x4, features [N, inputs, H, W] -> [N, channels, H, W], padded like Keras's 'same'.

    Keras pads one more on the right and below. One output channel would leave a CPU's vector units idle: so every pixel
    is multiplied with the 16 taps in one matrix product, and `fold` adds up what falls on one pixel of the image. The
    same sums in another order, in half the time. Under autocast the fastest order is that of a transposed convolution
    with the kernel turned about, whose images are rounded once, at the end.
    """

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__(inputs, channels, 4)

    def forward(self, features: Tensor) -> Tensor:
        """features [N, inputs, H, W] -> [N, channels, H, W], in the weights' precision also under autocast."""
        assert self.bias is not None
        turned = self.weight.flip(2, 3).transpose(0, 1)
        if torch.is_autocast_enabled(features.device.type):
            return F.conv_transpose2d(features, turned, self.bias, padding=1)[:, :, 1:, 1:].to(self.bias.dtype)
        height, width = features.shape[2:]
        products = features.flatten(2).transpose(1, 2) @ turned.flatten(1)
        sums = F.fold(products.transpose(1, 2), (height + 3, width + 3), 4)
        return sums[:, :, 2:-1, 2:-1] + self.bias[:, None, None]


def image_layers(inputs: int, channels: int = 1) -> list[nn.Module]:
    """The last layers of a generator: features [N, inputs, H, W] -> images [N, channels, H, W] in [-1, 1]."""
    # The first stands where padding once was a layer, so that weights keep their names.
    return [nn.Identity(), ImageConvolution(inputs, channels), nn.Tanh()]


class Generator(nn.Module):
    """The uniform generator: inputs [N, latent] -> images [N, channels, 28, 28] in [-1, 1].

    latent -> 7x7x128 -> 14x14x64 -> 28x28x32 -> 28x28x channels, tanh; batch norm and ReLU after all but the last.
    """

    def __init__(self, inputs: int, channels: int = 1) -> None:
        super().__init__()
        self.inputs = inputs
        self.project = nn.Sequential(
            nn.Linear(inputs, TRUNK_FEATURES), batch_norm(TRUNK_FEATURES, dims=1), nn.ReLU(inplace=True)
        )
        self.upsample = nn.Sequential(
            UpConvolution(128, 64),
            batch_norm(64),
            nn.ReLU(inplace=True),
            UpConvolution(64, 32),
            batch_norm(32),
            nn.ReLU(inplace=True),
            *image_layers(32, channels),
        )
        initialise(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, latent: Tensor) -> Tensor:
        """latent [N, inputs] -> images [N, channels, 28, 28] in [-1, 1]."""
        images: Tensor = self.upsample(self.project(latent).view(-1, 7, 7, 128).permute(0, 3, 1, 2))
        return images


class FeatureTrunk(nn.Module):
    """The body of a discriminator, whose heads are outside: [N, channels, H, W] -> [N, features]."""

    features: int


class Trunk(FeatureTrunk):
    """The uniform discriminator trunk: images [N, channels, 28, 28] -> features [N, 6272]; the BN switch is here.

    28x28x1 -> 14x14x64 -> 7x7x128, each a stride-2 convolution, [batch norm], LeakyReLU, dropout. The first convolution
    has batch norm too, as in the tutorial and unlike the DCGAN paper. `kernel` is 4, but 5 in the tutorial's srgan.
    Dropout multiplies by what is never negative, so it gives the same before LeakyReLU, where it can work in place.
    """

    features = TRUNK_FEATURES

    def __init__(self, bn: bool, dropout: float, channels: int = 1, kernel: int = 4) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((channels, 64), (64, 128)):
            layers.append(nn.Conv2d(inputs, outputs, kernel, stride=2, padding=(kernel - 1) // 2))
            if bn:
                layers.append(batch_norm(outputs))
            if dropout:
                layers.append(Dropout(dropout, inplace=True))
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers)
        initialise(self)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> features [N, 6272]."""
        features: Tensor = self.layers(images)
        return features.permute(0, 2, 3, 1).flatten(1)


class Body(nn.Module):
    """What a discriminator has below its heads: a trunk and, where asked for, a statistic of the batch beside it."""

    def __init__(self, trunk: FeatureTrunk, minibatch: str) -> None:
        super().__init__()
        self.trunk = trunk
        self.statistic = STATISTICS[minibatch](trunk.features) if minibatch != "none" else None
        self.width = trunk.features if self.statistic is None else self.statistic.features

    def features(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> what heads see [N, width]."""
        features: Tensor = self.trunk(images)
        if self.statistic is not None:
            features = self.statistic(features)
        return features


def at_least_single(values: Tensor) -> Tensor:
    """`values` in float32 where autocast left them in less, so that what follows is computed in full."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def in_full(head: nn.Module, features: Tensor) -> Tensor:
    """head(features) in the weights' precision, also under autocast: losses are made of small differences."""
    # Not `head.weight.dtype`: to read a weight that is normalised spectrally is a power iteration.
    dtype = next(head.parameters()).dtype
    with torch.autocast(features.device.type, enabled=False):
        outputs: Tensor = head(features.to(dtype))
    return outputs


class Discriminator(Body):
    """Trunk and head: images [N, channels, 28, 28] -> scores [N] for a head of one output, else [N, outputs].

    Scores are raw: no sigmoid anywhere. One output is squeezed here, once, since `[N, 1] - [N]` would broadcast to
    `[N, N]`. With a `minibatch` statistic (`gans.heads`) the head sees it beside the features.
    """

    def __init__(self, trunk: FeatureTrunk, outputs: int = 1, minibatch: str = "none") -> None:
        super().__init__(trunk, minibatch)
        self.head = nn.Linear(self.width, outputs)
        initialise(self.head)
        if self.statistic is not None:
            initialise(self.statistic)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, channels, 28, 28] -> scores [N] or [N, outputs]."""
        scores = in_full(self.head, self.features(images))
        return scores.squeeze(1) if scores.shape[1] == 1 else scores


class TwoHeads(Discriminator):
    """The uniform discriminator with a second head: images [N, 1, 28, 28] -> [N, 1 + outputs], the score first."""

    def __init__(self, trunk: FeatureTrunk, outputs: int, minibatch: str, bias: bool = True) -> None:
        super().__init__(trunk, 1, minibatch)
        self.codes = nn.Linear(self.width, outputs, bias)
        initialise(self.codes)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, 1, 28, 28] -> the score and the codes [N, 1 + outputs]."""
        features = self.features(images)
        return torch.cat([in_full(self.head, features), in_full(self.codes, features)], 1)


def normalise_spectrally(module: nn.Module) -> None:
    """Divides every weight below `module` by its largest singular value, estimated by one power iteration a pass."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(layer)


def parameter_count(module: nn.Module) -> int:
    """The number of trainable parameters."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)

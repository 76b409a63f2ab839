"""The autoencoder as a discriminator, and what its GANs share.

An image's energy is its mean reconstruction error a pixel, low for real; the score is the negative energy, so that the
harness's convention holds. No error is detached anywhere: in G's turn the gradient passes through the reconstruction
and through its target, which is the image itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from gans.base import GAN
from gans.config import option
from gans.factors import NO_SIGN
from gans.losses import check_scores
from gans.networks import FeatureTrunk, Generator, in_full, initialise


def energy_margin(real_energy: Tensor, fake_energy: Tensor, margin: float | Tensor) -> Tensor:
    """E e(x) + E [m - e(x~)]_+ with the hinge on each image, energies [N]. Zhao et al. 2016, arXiv:1609.03126."""
    check_scores(real_energy)
    check_scores(fake_energy)
    return real_energy.mean() + relu(margin - fake_energy).mean()


def pulling_away(codes: Tensor) -> Tensor:
    """1/(N (N - 1)) sum_{i != j} cos^2(s_i, s_j) of codes [N, features]. Zhao et al. 2016, arXiv:1609.03126."""
    n = len(codes)
    directions = normalize(codes, dim=1)
    squares = (directions @ directions.T).square()
    return (squares.sum() - squares.diagonal().sum()) / (n * (n - 1))


class Decoder(Generator):
    """The uniform generator without its batch norms, which would couple the energies of a batch.

    With `squash` off also without its tanh.
    """

    def __init__(self, inputs: int, squash: bool = True) -> None:
        super().__init__(inputs)
        for layers in (self.project, self.upsample):
            for i, layer in enumerate(layers):
                if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) or (isinstance(layer, nn.Tanh) and not squash):
                    layers[i] = nn.Identity()


class AutoencoderDiscriminator(nn.Module):
    """Uniform trunk, linear code, decoder: images [N, 1, 28, 28] -> scores [N], the negative energies.

    `power` is that of the error: 1 for absolute, 2 for squared; `squash` ends the decoder with tanh.
    """

    def __init__(self, trunk: FeatureTrunk, code_dim: int, power: int, squash: bool = True) -> None:
        super().__init__()
        self.trunk = trunk
        self.code = nn.Linear(trunk.features, code_dim)
        initialise(self.code)
        self.decoder = Decoder(code_dim, squash)
        self.power = power

    def encode(self, images: Tensor) -> Tensor:
        """images [N, 1, 28, 28] -> codes [N, code_dim]."""
        return in_full(self.code, self.trunk(images))

    def energy(self, images: Tensor, codes: Tensor) -> Tensor:
        """Mean error a pixel between the images [N, 1, 28, 28] and what their codes decode to: [N]."""
        error: Tensor = (self.decoder(codes) - images).abs() ** self.power
        return error.flatten(1).mean(1)

    def forward(self, images: Tensor) -> Tensor:
        """images [N, 1, 28, 28] -> scores [N]."""
        return -self.energy(images, self.encode(images))


class AutoencoderGAN(GAN):
    """A GAN whose D is an autoencoder and whose G lowers the energy of its fakes."""

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="an energy is to depend on its own image alone")
        dropout: float = option(0.0, source="it would add its noise to the reconstruction error")
        code_dim: int = option(100, "length of D's code", source="the latent's length, as in the BEGAN paper", low=1)

    config: Config
    fields = ("digits",)
    conflicts = (
        GAN.conflicts
        | NO_SIGN
        | {
            "bn": "batch norm in D couples the images of a batch, so the energy of one image is ill-defined",
            "minibatch": "an autoencoder has no head that could see a statistic",
            "pack": "its decoder makes one image of a code",
        }
    )
    discriminator: AutoencoderDiscriminator
    power = 2
    squash = True

    def build_discriminator(self) -> nn.Module:
        return AutoencoderDiscriminator(self.uniform_trunk(), self.config.code_dim, self.power, self.squash)

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        check_scores(fake_scores)
        return -fake_scores.mean()

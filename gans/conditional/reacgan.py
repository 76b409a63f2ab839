"""ReACGAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import class_losses
from gans.conditional.contragan import ContraGAN
from gans.config import option
from gans.registry import register


@register(
    "reacgan",
    family="conditional",
    year=2021,
    paper="Kang, Shim, Cho, Park: Rebooting ACGAN: Auxiliary Classifier GANs with Stable Training, arXiv:2111.01118",
    track="label-conditional",
    needs_labels=True,
)
class ReACGAN(ContraGAN):
    """ContraGAN's nets with the data-to-data cross-entropy: a softmax against images of other classes, with margins.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z, y))]_+ + lambda D2D(x, y)
        * L_G = -E D(G(z, y)) + lambda D2D(G(z, y), y)
        * D2D = E_i [q_i + log(e^-q_i + sum_{y_k != y_i} e^([s_ik + m - 1]_+ / t))], q_i = [m - p_i]_+ / t, p_i the
          cosine of an image's code and its label's proxy, s_ik that of two images' codes

    Deviations:
        * nets: as in `contragan`.
        * paper: as in `contragan`, and batch 64 with rate 2e-4, where the official code has 128 with 2.8e-4; the
          formula itself, where the official code takes the largest exponent of the sum out of the sum alone.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(ContraGAN.Config):
        lambda_class: float = option(0.5)
        temperature: float = option(0.5)
        margin: float = option(
            0.98,
            "cosine with the own proxy beyond which nothing is gained (m); with other classes' images below 1 - m",
            source="official code, CIFAR10",
            low=0,
            high=1,
        )

    config: Config

    def similarity_loss(self, codes: Tensor, proxies: Tensor, labels: Tensor) -> Tensor:
        return class_losses.data_to_data(codes, proxies, labels, self.config.temperature, self.config.margin)

"""ContraGAN and ReACGAN: D embeds images and labels on one sphere."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from gans import class_losses
from gans.conditional.base import ConditionalGAN, LabelEmbedding
from gans.config import option
from gans.networks import FeatureTrunk, TwoHeads
from gans.registry import register
from gans.regularised.sngan import SNGAN


class ContrastiveDiscriminator(TwoHeads):
    """The uniform discriminator with codes of images as its second head and proxies of labels beside it."""

    def __init__(self, trunk: FeatureTrunk, code_dim: int, minibatch: str) -> None:
        super().__init__(trunk, code_dim, minibatch)
        self.proxies = LabelEmbedding(code_dim)


@register(
    "contragan",
    family="conditional",
    year=2020,
    paper="Kang, Park: ContraGAN: Contrastive Learning for Conditional Image Generation, arXiv:2006.12681",
    track="label-conditional",
    needs_labels=True,
)
class ContraGAN(ConditionalGAN, SNGAN):
    """SNGAN whose D draws the codes of images of one class together, on reals, as G does on fakes.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z, y))]_+ + lambda 2C(x, y)
        * L_G = -E D(G(z, y)) + lambda 2C(G(z, y), y)
        * 2C = -E_i log [e^(p_i / t) + sum_{k != i, y_k = y_i} e^(s_ik / t)]
          / [e^(p_i / t) + sum_{k != i} e^(s_ik / t)], p_i the cosine of an image's code and its label's proxy,
          s_ik that of two images' codes; the proxy alone tells G which class is meant, so G may swap classes for good

    Deviations:
        * nets: G takes the one-hot label beside z, where the official code's has conditional batch norm, 873,377
          parameters, 62,720 more than the uniform G; D has codes and proxies, 942,785 parameters, 804,224 more.
        * paper: the uniform nets, spectral norm in D alone, codes of 128 numbers, no average of G's weights; fakes
          have the labels of the batch's reals.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(SNGAN.Config):
        n_d: int = option(5, source="official code, CIFAR10")
        code_dim: int = option(
            128,
            "length of the codes of images and labels",
            source="ours: the official code's 512 are of summed features; of 6,272 they would be 23 times the trunk",
            low=1,
        )
        lambda_class: float = option(
            1.0, "weight of the class term in D's and G's loss", source="official code, CIFAR10", low=0
        )
        temperature: float = option(1.0, "what cosines are divided by", source="official code, CIFAR10", low=0.01)

    config: Config
    conflicts = ConditionalGAN.conflicts | SNGAN.conflicts
    discriminator: ContrastiveDiscriminator

    def build_discriminator(self) -> nn.Module:
        return ContrastiveDiscriminator(self.uniform_trunk(), self.config.code_dim, self.config.minibatch)

    def similarity_loss(self, codes: Tensor, proxies: Tensor, labels: Tensor) -> Tensor:
        """The class term of codes and proxies [N, code_dim], not weighted."""
        return class_losses.contrastive(codes, proxies, labels, self.config.temperature)

    def g_class_loss(self, fake_codes: Tensor, labels: Tensor) -> Tensor:
        proxies = self.discriminator.proxies(labels)
        return self.config.lambda_class * self.similarity_loss(fake_codes, proxies, labels)

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.g_class_loss(real_codes, labels)

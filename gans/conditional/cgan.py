"""Conditional GAN."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gans.conditional.base import ConditionalGAN, LabelEmbedding
from gans.networks import Discriminator, FeatureTrunk, initialise
from gans.registry import register
from gans.standard.nsgan import NSGAN

EMBEDDING = 32
"""Length of D's embedding of a label; source: tutorial."""


class LabelChannelDiscriminator(nn.Module):
    """Images [N, 1, 28, 28] and labels [N] -> scores [N]; the label is an image beside the image."""

    def __init__(self, trunk: FeatureTrunk, minibatch: str) -> None:
        super().__init__()
        embedding, image = LabelEmbedding(EMBEDDING), nn.Linear(EMBEDDING, 28 * 28)
        initialise(image)
        # Keras's default for embeddings.
        nn.init.uniform_(embedding.weight, -0.05, 0.05)
        self.label_image = nn.Sequential(embedding, image, nn.ReLU(), nn.Unflatten(1, (1, 28, 28)))
        self.pair = Discriminator(trunk, 1, minibatch)

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """images [N, 1, 28, 28], labels int64 [N] -> scores [N]."""
        scores: Tensor = self.pair(torch.cat([images, self.label_image(labels)], 1))
        return scores


@register(
    "cgan",
    family="conditional",
    year=2014,
    paper="Mirza, Osindero: Conditional Generative Adversarial Nets, arXiv:1411.1784",
    track="label-conditional",
    needs_labels=True,
)
class CGAN(ConditionalGAN, NSGAN):
    """GAN whose G is given the label and whose D judges pairs of image and label.

    Losses:
        * L_D = -E log sig(D(x, y)) - E log(1 - sig(D(G(z, y), y)))
        * L_G = -E log sig(D(G(z, y), y))

    Deviations:
        * nets: G takes the one-hot label beside z, 873,377 parameters, 62,720 more than the uniform G; D embeds the
          label, makes an image of it and takes that as a second channel, 166,161 parameters, 27,216 more.
        * paper: those convolutional nets, not fully connected ones with maxout in D; G's loss does not saturate; Adam,
          not SGD with momentum.
        * tutorial: fakes have the labels of the batch's reals, where its G turn draws labels uniformly; D's turn comes
          first, with reals and fakes in separate passes; batch norm and dropout are active. D is its own.
    """

    def build_discriminator(self) -> nn.Module:
        trunk = self.field.trunk(self.config.bn, self.config.dropout, 2)
        return LabelChannelDiscriminator(trunk, self.config.minibatch)

    def judge(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.discriminator(images, labels)
        return scores, scores.new_empty(len(scores), 0)

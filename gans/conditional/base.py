"""The GAN whose G is told the class of each fake, and whose D judges images with their labels."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gans.base import GAN, Batch, Scalars
from gans.networks import initialise

CLASSES = 10
PER_LABEL = {"pack": "D judges several images together, and a label belongs to one"}
"""The conflict of every algorithm whose D has to do with labels."""


def one_hot(labels: Tensor) -> Tensor:
    """labels int64 [N] -> [N, 10] of torch's default type, float32."""
    return F.one_hot(labels, CLASSES).to(torch.get_default_dtype())


class LabelEmbedding(nn.Linear):
    """labels int64 [N] -> vectors [N, outputs]; linear in the one-hot label, so that spectral norm finds its weight."""

    def __init__(self, outputs: int) -> None:
        super().__init__(CLASSES, outputs, bias=False)
        initialise(self)

    def forward(self, labels: Tensor) -> Tensor:
        """labels int64 [N] -> vectors [N, outputs]."""
        return super().forward(one_hot(labels))


class ConditionalGAN(GAN):
    """A GAN whose fakes have the labels of the batch's reals, and whose D sees either with these.

    An algorithm fills in what D is, the losses of its scores and, where there are any, those of the class.
    """

    conditional = True
    fields = ("digits",)
    conflicts: ClassVar[dict[str, str]] = PER_LABEL | {
        "feature_matching": "it matches features of all classes together, so nothing tells G what its label asks for"
    }

    def build_generator(self) -> nn.Module:
        return self.uniform_generator(self.config.latent_dim + CLASSES)

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        latent = self.latent(len(batch)) if latent is None else latent
        images: Tensor = self.generator(torch.cat([latent, one_hot(batch.labels)], 1))
        return images

    def fakes(self, batch: Batch) -> Tensor:
        self._labels = batch.labels
        return super().fakes(batch)

    def scores(self, images: Tensor) -> Tensor:
        """D's scores [N] of what it sees of images that have the labels of the latest fakes; LOGAN asks for them."""
        return self.judge(self.see(images), self._labels)[0]

    def judge(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """What D says of what it sees, [N, 1, 28, 28], with labels [N]: scores [N], and codes [N, C] of the class."""
        outputs = self.discriminator(images)
        return outputs[:, 0], outputs[:, 1:]

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor | None:
        """A scalar added to D's loss, already weighted, or None; codes [N, C], and labels [N] of reals and fakes."""
        return None

    def g_class_loss(self, fake_codes: Tensor, labels: Tensor) -> Tensor | None:
        """A scalar added to G's loss, already weighted, or None; codes [N, C] of all fakes and their labels [N]."""
        return None

    def d_turn(self, batch: Batch) -> Scalars:
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        real_scores, real_codes = self.judge(real, batch.labels)
        fake_scores, fake_codes = self.judge(fake, batch.labels)
        loss = self.d_loss(real_scores, fake_scores)
        scalars = {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        class_loss = self.d_class_loss(real_codes, fake_codes, batch.labels)
        if class_loss is not None:
            scalars |= {"loss": loss + class_loss, "class_loss": class_loss}
        return scalars | self.view.observe(real_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        scores, codes = self.judge(self.see(self.fakes(batch)), batch.labels)
        loss = self.g_loss(self.best(scores))
        class_loss = self.g_class_loss(codes, batch.labels)
        return {"loss": loss} if class_loss is None else {"loss": loss + class_loss, "class_loss": class_loss}

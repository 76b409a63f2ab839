"""Semi-supervised GAN."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gans.base import Batch, Scalars
from gans.class_losses import known_cross_entropy
from gans.conditional.base import CLASSES, PER_LABEL
from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN

PRIME, BASE = 2**31 - 1, 48271
"""Modulus and multiplier of the Lehmer generator 'minstd', whose powers are the pixels' weights in `position`."""
WEIGHTS = torch.tensor([pow(BASE, i, PRIME) for i in range(1, 28 * 28 + 1)])


@functools.cache
def _weights(device: torch.device) -> Tensor:
    """On the device, copied once: a copy in each turn would let the host wait for a GPU."""
    return WEIGHTS.to(device)


def position(images: Tensor) -> Tensor:
    """A number in [0, 1) that is each image's own, float64 [N], of images [N, 1, 28, 28] in [-1, 1].

    sum_i BASE^i p_i mod PRIME of the pixels p_i in 0..255, over PRIME: in whole numbers, so that it is the same on
    every machine, and without order, for one pixel changed by one moves it by a number as good as random.
    """
    pixels = ((images + 1) * 127.5).round().long().flatten(1)
    return (pixels * _weights(images.device)).sum(1).remainder(PRIME).double() / PRIME


@register(
    "sgan",
    family="conditional",
    year=2016,
    paper="Salimans et al.: Improved Techniques for Training GANs, arXiv:1606.03498; Odena: Semi-Supervised Learning "
    "with Generative Adversarial Networks, arXiv:1606.01583",
    track="label-conditional",
    needs_labels=True,
)
class SGAN(NSGAN):
    """GAN whose D is a classifier with one class more, of fakes, and knows the labels of some reals.

    An image's label is known if the hash of its pixels (`position`) is below labelled_fraction: always or never, under
    every seed and in every batch, and a larger fraction only adds images. No image's label changes that.

    Losses:
        * l_1..l_K the logits of the classes, 0 that of fakes: D(x) = log sum_k e^l_k is the log odds of real to fake
        * L_D = mean CE(l(x), y) over the reals of known label + 1/2 (-E log sig(D(x)) - E log(1 - sig(D(G(z)))))
        * L_G = -E log sig(D(G(z))), as Odena has it
        * feature_matching=on, as Salimans et al. have it: L_G = ||E phi(x) - E phi(G(z))||^2, phi the features of D's
          trunk, phi(x) constant

    Deviations:
        * nets: D's head has 10 outputs, 195,402 parameters, 56,457 more than the uniform D.
        * paper: the uniform nets, where Salimans et al. have fully connected ones with Gaussian noise and weight norm;
          Adam 4e-4, not 3e-3; labels are known by chance, not ten a class, and their images come as often as all
          others, not in a batch of their own a step. Odena's head has a logit of fakes, which is one too many.
        * settings: with the uniform dropout 0.3 and 2e-4 either G loss failed: FID 78 and no digits after 2,000 steps
          of feature_matching=on; off, it fell to 128 by step 178 and rose to 340. Searched by FID of 2,000 samples
          against the 10,000 validation digits, 1,000 steps, one seed: `acgan`'s, without dropout and with 4e-4 for
          both players, gave 71 with feature_matching=on and 15 with it off, the default.
        * G is told no label: conditional accuracy has no meaning here.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        dropout: float = option(0.0, source="ours: searched")
        lr_g: float = option(4e-4, source="ours: searched")
        lr_d: float = option(4e-4, source="ours: searched")
        labelled_fraction: float = option(
            0.1,
            "share of the training images whose label D may know; 1 makes it a row with every label",
            source="ours: about six a batch; Salimans et al. have 100 images, 1/600",
            low=0,
            high=1,
        )

    config: Config
    conflicts = PER_LABEL
    fields = ("digits",)

    def build_discriminator(self) -> nn.Module:
        return self.uniform_discriminator(CLASSES)

    def scores(self, images: Tensor) -> Tensor:
        return super().scores(images).logsumexp(1)

    def known(self, images: Tensor) -> Tensor:
        """Which of these reals [N, 1, 28, 28] in [-1, 1] are labelled: bool [N]."""
        return position(images) < self.config.labelled_fraction

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return super().d_loss(real_scores, fake_scores) / 2

    def d_turn(self, batch: Batch) -> Scalars:
        logits, fake_scores = self.discriminator(self.see(batch.images)), self.scores(self.constant_fakes(batch))
        real_scores, known = logits.logsumexp(1), self.known(batch.images)
        class_loss = known_cross_entropy(logits, batch.labels, known)
        scalars = {"loss": self.d_loss(real_scores, fake_scores) + class_loss, "class_loss": class_loss}
        scalars |= {"real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        accuracy = (logits.argmax(1) == batch.labels).float().mean()
        return scalars | {"accuracy": accuracy, "labelled": known.float().mean()} | self.view.observe(real_scores)

"""CC-GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from gans import class_losses
from gans.base import Batch
from gans.conditional.base import CLASSES, PER_LABEL, ConditionalGAN
from gans.config import option
from gans.image_to_image.base import NO_LATENTS, Translator, required
from gans.registry import register
from gans.standard.nsgan import NSGAN
from gans.translators import ImageToImage


@register(
    "ccgan",
    family="image-to-image",
    year=2016,
    paper="Denton, Gross, Fergus: Semi-Supervised Learning with Context-Conditional Generative Adversarial Networks, "
    "arXiv:1611.06430",
    track="image-to-image",
    needs_labels=True,
)
class CCGAN(Translator, ConditionalGAN, NSGAN):
    """GAN that fills the hole of an image so that D takes the whole for real; D also learns the class of reals.

    With m = 1 where pixels are known and 0 in the hole, what is judged and given out is the composite
    x_I = m x + (1 - m) G(m x) (section 3.2): known pixels are never changed.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(x_I))) + lambda CE(C(x), y); reals and their classes, section 3.2
        * L_G = -E log sig(D(x_I)): no term compares x_I with x

    Deviations:
        * nets: G is the tutorial's, 14x14x64 -> 7x7x128 -> 14x14x64 -> 28x28x32, with batch norm; D is the uniform one
          with 11 outputs.
        * paper: G's loss does not saturate; every label is known to C, and lambda_class=0 leaves them all out; the
          reals of D are whole images of the same batch; CC-GAN2's view of the hole in low resolution is left out.
        * settings: G takes no latents, so `latent_dim` has no meaning.
        * tutorial: composites nothing, so its G may repaint what is known; one hole for a whole batch, always on the
          diagonal; G is also paid for the class of its images, and C learns of these; its D has 100 classes by mistake
          and Gaussian noise of 0.01 on its input (`instance_noise` is that, fading).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        lambda_class: float = option(1.0, "weight of the class term in D's loss", source="paper", low=0)

    config: Config
    fields = ("inpainting",)
    conditional = False
    conflicts: ClassVar[dict[str, str]] = NO_LATENTS | PER_LABEL

    def build_generator(self) -> nn.Module:
        return ImageToImage("batch")

    def build_discriminator(self) -> nn.Module:
        return self.uniform_discriminator(1 + CLASSES)

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        known = required(batch.known, "mask of known pixels")
        filled = super().generate(batch, latent)
        return known * required(batch.source, "source") + (1 - known) * filled

    def d_class_loss(self, real_codes: Tensor, fake_codes: Tensor, labels: Tensor) -> Tensor:
        return self.config.lambda_class * class_losses.class_cross_entropy(real_codes, labels)

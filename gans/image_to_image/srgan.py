"""SRGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import mse_loss

from gans.base import Batch, Scalars
from gans.config import option
from gans.image_to_image.base import NO_LATENTS, Translator
from gans.networks import Discriminator, Trunk
from gans.registry import register
from gans.standard.nsgan import NSGAN
from gans.translators import SuperResolution


class Frozen(nn.Module):
    """A network that stays as it is: in eval mode, without gradients of its own weights."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> Frozen:
        """Stays in eval mode."""
        return self

    def forward(self, images: Tensor) -> Tensor:
        """images [N, 1, 28, 28] -> the network's features of them."""
        features: Tensor = self.network(images)
        return features


@register(
    "srgan",
    family="image-to-image",
    year=2017,
    paper="Ledig et al.: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, "
    "arXiv:1609.04802",
    track="image-to-image",
)
class SRGAN(Translator, NSGAN):
    """GAN that enlarges images; its content loss compares features of a frozen classifier instead of pixels.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(s)))) (eq. 2)
        * L_G = E (phi(x) - phi(G(s)))^2 + lambda (-E log sig(D(G(s)))), the mean over phi's elements (eq. 3, 5 and 6)
        * content=pixels: phi(x) = x, the paper's SRGAN-MSE (eq. 4)

    Deviations:
        * nets: the tutorial's: G of one residual block at 7x7x64, where the paper has 16, and transposed convolutions,
          where it has pixel shuffles; D the uniform trunk with kernels of 5.
        * paper: phi is of the frozen classifier of digits (4th convolution, 14x14x64), not of VGG. The same network
          gives FID its features (of its last layer) and reads the digits, which favours this row there; PSNR and SSIM
          know nothing of it. Adam 2e-4 with beta1 0.5, not 1e-4 with 0.9; G is not pretrained on pixels.
        * settings: G takes no latents, so `latent_dim` has no meaning.
        * tutorial: phi is the live D's features, which G can shrink instead of matching; lambda 0.05.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        content: str = option(
            "classifier",
            "what the content loss compares: features of the frozen classifier, or pixels",
            source="paper, SRGAN-VGG",
            choices=("classifier", "pixels"),
        )
        lambda_adversarial: float = option(1e-3, "weight of D's verdict in G's loss", source="paper", low=0)
        blocks: int = option(1, "residual blocks of G", source="tutorial; 16 in the paper", low=0, high=64)

    config: Config
    fields = ("super_resolution",)
    conflicts: ClassVar[dict[str, str]] = NO_LATENTS | {
        "feature_matching": "it would take the place of the content loss, and nothing would tie images to their sources"
    }

    def prepare(self) -> None:
        self.phi: nn.Module = nn.Identity()
        if self.config.content == "classifier":
            if self.field.content is None:
                raise ValueError("this field has no frozen classifier for the content loss; set content=pixels")
            self.phi = Frozen(self.field.content())

    def build_generator(self) -> nn.Module:
        return SuperResolution(self.config.blocks)

    def build_discriminator(self) -> nn.Module:
        trunk = Trunk(self.config.bn, self.config.dropout, self.config.pack, kernel=5)
        return Discriminator(trunk, 1, self.config.minibatch)

    def g_turn(self, batch: Batch) -> Scalars:
        images = self.fakes(batch)
        content = mse_loss(self.phi(images), self.phi(batch.images))
        adversarial = self.g_loss(self.best(self.scores(images)))
        loss = content + self.config.lambda_adversarial * adversarial
        return {"loss": loss, "content": content, "adversarial": adversarial}

"""Progressive GAN."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor, nn

from gans.base import Batch, Scalars, Turn
from gans.config import option
from gans.progressive import Growth, ProgressiveDiscriminator, ProgressiveGenerator, at_rest, faded
from gans.registry import register
from gans.wasserstein.base import WassersteinGAN
from gans.wasserstein.wgan_gp import WGANGP


@register(
    "pggan",
    family="architecture",
    year=2017,
    paper="Karras, Aila, Laine, Lehtinen: Progressive Growing of GANs for Improved Quality, Stability, and Variation, "
    "arXiv:1710.10196",
    track="architecture",
)
class PGGAN(WGANGP):
    """WGAN-GP whose nets grow from 7x7 to 14x14 to 28x28, new layers fading in.

    Losses:
        * L_D = E D(G(z)) - E D(x) + lambda_gp E (||grad D(x^)||_2 - 1)^2 + drift E D(x)^2
        * L_G = -E D(G(z))
        * x is as sharp as G(z): averaged to the stage's side and, while its layers fade in, alpha x + (1 - alpha) x
          averaged to half the side; smaller images are enlarged to 28x28, each pixel a square

    Deviations:
        * nets: own ones, after the paper, with pixel norm in G, equalised learning rates in both, and the batch's
          standard deviation in D: G has 919,715 parameters, D 293,985 parameters. D ends in one linear layer, not two;
          images leave G through tanh, where the paper's are linear.
        * paper: stages 7, 14 and 28, from 4 on there; growing takes the first half of the training, its four phases of
          equal length as in the paper; batch 64 at each stage; 100 latents.
        * tutorial: the logistic loss and batch norm; no pixel norm, equalised rates, deviation of the batch or moving
          average; reals are resized, not averaged, and do not fade; new layers fade in beside projections of their own.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(WGANGP.Config):
        lr_g: float = option(1e-3, source="paper, appendix A.1")
        lr_d: float = option(1e-3, source="paper, appendix A.1")
        beta1: float = option(0.0, source="paper, appendix A.1")
        beta2: float = option(0.99, source="paper, appendix A.1")
        n_d: int = option(1, source="paper, appendix A.1")
        ema: float = option(0.999, source="paper, appendix A.1")
        minibatch: str = option("stddev", source="paper, section 3")
        drift: float = option(1e-3, "weight of the mean square of D(x)", source="paper, appendix A.1", low=0)
        growing: float = option(
            0.5,
            "share of the training in which the nets grow: 7x7 alone, to 14x14, 14x14 alone, to 28x28",
            source="ours: as long at full size",
            low=0.01,
            high=1,
        )

    config: Config
    fields = ("digits",)
    generator: ProgressiveGenerator
    discriminator: ProgressiveDiscriminator
    conflicts = WassersteinGAN.conflicts | {
        **dict.fromkeys(("bn", "dropout"), "its D has layers of its own, with neither, as in the paper"),
        "spectral_norm": "equalised layers scale the weights again that spectral norm has normalised",
        "minibatch=discrimination": "the statistic is a channel before D's last convolution",
    }

    def build_generator(self) -> nn.Module:
        return ProgressiveGenerator(self.config.latent_dim)

    def build_discriminator(self) -> nn.Module:
        return ProgressiveDiscriminator(self.config.pack, self.config.minibatch == "stddev")

    @property
    def phase(self) -> float:
        """0 to 1 at 7x7, to 2 fading in 14x14, to 3 at 14x14, to 4 fading in 28x28, and 4."""
        return min(4 * self.progress / self.config.growing, 4.0)

    @property
    def growth(self) -> Growth:
        """What this moment of the training asks of the nets."""
        stage = (int(self.phase) + 1) // 2
        return Growth(stage, min(self.phase - 2 * stage + 1, 1.0))

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        self.generator.growth = self.growth
        return super().generate(batch, latent)

    def see(self, images: Tensor) -> Tensor:
        self.discriminator.trunk.growth = self.growth
        return super().see(images)

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return super().d_loss(real_scores, fake_scores) + self.config.drift * real_scores.square().mean()

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor:
        return super().penalty(real_images, fake_images) + at_rest(self.discriminator)

    def g_turn(self, batch: Batch) -> Scalars:
        scalars = super().g_turn(batch)
        return scalars | {"loss": scalars["loss"] + at_rest(self.generator)}

    def in_phase(self, turn: Turn, batch: Batch) -> Scalars:
        """The turn's loss with reals of the stage; a new phase begins with a fresh Adam, as in the official code."""
        # The optimizer keeps the phase, so that its `state_dict` tells a resumed training of it.
        phase, group = int(self.phase), turn.optimizer.param_groups[0]
        if group.setdefault("phase", phase) != phase:
            turn.optimizer.state.clear()
            group["phase"] = phase
        return turn.loss(replace(batch, images=faded(batch.images, self.growth)))

    def turns(self) -> list[Turn]:
        return [replace(turn, loss=partial(self.in_phase, turn)) for turn in super().turns()]

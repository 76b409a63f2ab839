"""CycleGAN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from gans import losses
from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.image_to_image.base import NO_LATENTS, Translator, required
from gans.objectives import g_objective
from gans.pool import ImagePool
from gans.registry import register
from gans.translators import BothWays

TWO = "there are two discriminators, and this asks one"


@register(
    "cyclegan",
    family="image-to-image",
    year=2017,
    paper="Zhu, Park, Isola, Efros: Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, "
    "arXiv:1703.10593",
    track="image-to-image",
)
class CycleGAN(Translator):
    """GAN of two translators between kinds of images that are not paired; there and back must give the source again.

    G: s -> x and F: x -> s share a turn, and so do D_X and D_S. Fakes that D sees come from a pool of earlier ones.

    Losses:
        * L_D = 1/2 E (D_X(x) - 1)^2 + 1/2 E D_X(G(s))^2, and the same of D_S with F(x) (section 4)
        * L_G,F = E (D_X(G(s)) - 1)^2 + E (D_S(F(x)) - 1)^2 + lambda (E |F(G(s)) - s| + E |G(F(x)) - x|), the mean over
          pixels (eq. 1 to 3)
        * with lambda_identity: + lambda_identity (E |G(x) - x| + E |F(s) - s|) (section 5.2)

    Deviations:
        * nets: two Gs of the tutorial's shape, two uniform Ds: twice the parameters and the computation of one way.
        * paper: nets for 28x28; batches of 32, not 1; no decay of the learning rate; D scores images, not patches.
        * settings: G takes no latents, so `latent_dim` has no meaning.
        * tutorial: cross entropy, not least squares; no pool; its cycle loss is added to both directions, an effective
          lambda of 20; its identity term gives G the source, not an image of G's own kind; Gaussian noise of 0.01 on
          D's input (`instance_noise` is that, fading).
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        batch_size: int = option(32, source="tutorial; 1 in the paper")
        lambda_cycle: float = option(10.0, "weight of the cycle's absolute error", source="paper", low=0)
        lambda_identity: float = option(
            0.0, "weight of the error on images of the own kind", source="off; 5 for photos in the paper", low=0
        )
        pool: int = option(50, "earlier fakes that D may see instead of new ones; 0 is no pool", source="paper", low=0)

    config: Config
    fields = ("translation",)
    conflicts: ClassVar[dict[str, str]] = NO_LATENTS | {
        "augment=ada": "ada steers by the sign of D's score on reals, which this loss has at 1",
        "feature_matching": TWO,
        "unroll": TWO,
    }

    @classmethod
    def skip(cls, config: GAN.Config) -> str | None:
        assert isinstance(config, cls.Config)
        if 0 < config.pool < config.batch_size:
            return f"a pool of {config.pool} cannot take the fakes of a batch of {config.batch_size}"
        return super().skip(config)

    def prepare(self) -> None:
        self.source_discriminator = self.new_discriminator()
        shape = self.field.shape
        self.pool, self.source_pool = (ImagePool(self.config.pool, shape) for _ in range(2))

    def build_generator(self) -> nn.Module:
        return BothWays("instance")

    def back(self, images: Tensor) -> Tensor:
        """F(x): images [N, 1, 28, 28] translated to the kind of the source."""
        translated: Tensor = self.generator.back(images)  # type: ignore[operator]
        return translated

    def d_turn(self, batch: Batch) -> Scalars:
        source = required(batch.source, "source")
        with torch.no_grad():
            fakes = self.pool(self.fakes(batch), self.rng)
            source_fakes = self.source_pool(self.back(batch.images), self.rng)
        real_scores, fake_scores = (self.discriminator(self.see(i)) for i in (batch.images, fakes))
        of_source = [self.source_discriminator(self.see(i)) for i in (source, source_fakes)]
        label = 1 - self.config.label_smoothing
        d_loss = partial(losses.least_squares_d, a=0, b=label)
        loss = d_loss(real_scores, fake_scores) + d_loss(*of_source)
        return {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}

    def g_turn(self, batch: Batch) -> Scalars:
        source, images = required(batch.source, "source"), batch.images
        fakes, source_fakes = self.fakes(batch), self.back(images)
        scores = self.scores(fakes), self.source_discriminator(self.see(source_fakes))
        # The paper's E (D - 1)^2 is twice the loss that is shared with LSGAN.
        adversarial = 2 * sum(losses.least_squares_g(self.best(s), 1) for s in scores)
        cycle = (self.back(fakes) - source).abs().mean() + (self.generator(source_fakes) - images).abs().mean()
        loss = adversarial + self.config.lambda_cycle * cycle
        if self.config.lambda_identity:
            own = (self.generator(images) - images).abs().mean() + (self.back(source) - source).abs().mean()
            loss = loss + self.config.lambda_identity * own
        return {"loss": loss, "adversarial": adversarial, "cycle": cycle}

    def turns(self) -> list[Turn]:
        both = [*self.discriminator.parameters(), *self.source_discriminator.parameters()]
        d = Turn("d", self.d_turn, self.optimizer(both, self.config.lr_d))
        g = self.optimizer(self.generator.parameters(), self.config.lr_g)
        return [d, Turn("g", partial(g_objective, self), g, every=self.config.n_d)]

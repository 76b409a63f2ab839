"""BiGAN and ALI: a discriminator of pairs of an image and its latent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gans import losses
from gans.base import GAN, Batch, Scalars, Turn
from gans.config import option
from gans.inference.base import EncoderGAN, JointDiscriminator
from gans.registry import register


class PairGAN(EncoderGAN):
    """A GAN whose D tells (x, E(x)), called real, from (G(z), z), and whose G and E move together to confuse it."""

    conflicts = {
        "feature_matching": "D's features of images alone would not train E",
        "latent_step": "E is to match the prior, which latents that have risen no longer follow",
    }

    def build_discriminator(self) -> nn.Module:
        config = self.config
        latents = config.latent_dim * config.pack
        return JointDiscriminator(self.uniform_trunk(), latents, config.dropout, config.minibatch)

    def pair_scores(self, batch: Batch, *, constant: bool) -> tuple[Tensor, Tensor]:
        """D's scores [N] of (x, E(x)) and of (G(z), z); `constant` where the pairs need no gradient."""
        with torch.set_grad_enabled(not constant):
            code, latent = self.encode(batch.images), self.latent(len(batch))
            fake = self.generate(batch, latent)
        return self.discriminator(self.see(batch.images), code), self.discriminator(self.see(fake), latent)

    def d_turn(self, batch: Batch) -> Scalars:
        real_scores, fake_scores = self.pair_scores(batch, constant=not self.config.unroll)
        loss = losses.logistic_d(real_scores, fake_scores, self.config.label_smoothing)
        scalars = {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        return scalars | self.view.observe(real_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        real_scores, fake_scores = self.pair_scores(batch, constant=False)
        # D's loss with the roles exchanged, so that both terms flip.
        return {"loss": losses.logistic_d(self.best(fake_scores), real_scores)}

    def turns(self) -> list[Turn]:
        d, g = super().turns()
        return [d, replace(g, optimizer=self.autoencoder_optimizer())]


@register(
    "bigan",
    family="inference",
    year=2016,
    paper="Donahue, Kraehenbuehl, Darrell: Adversarial Feature Learning, arXiv:1605.09782",
    track="inference",
)
class BiGAN(PairGAN):
    """GAN with an encoder, whose D judges an image together with its latent.

    Losses:
        * L_D = -E log sig(D(x, E(x))) - E log(1 - sig(D(G(z), z)))
        * L_G,E = -E log(1 - sig(D(x, E(x)))) - E log sig(D(G(z), z)): both terms flip, for G and E at once

    Deviations:
        * nets: E is the uniform trunk and a linear layer, 759,972 parameters; D is the uniform trunk with an embedding
          of z and an MLP of 256 units, 1,830,209 parameters where other rows' D has 138,945 with batch norm.
        * paper: its MNIST nets are fully connected and its z is uniform in 50 dimensions; batch 64, not 128; no weight
          decay and no decay of the learning rate.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        dropout: float = option(0.0, source="authors' train_gan.py")

    config: Config
    gaussian = False


@register(
    "ali",
    family="inference",
    year=2016,
    paper="Dumoulin et al.: Adversarially Learned Inference, arXiv:1606.00704",
    track="inference",
)
class ALI(PairGAN):
    """GAN with a stochastic encoder, whose D judges an image together with its latent.

    Losses:
        * L_D = -E log sig(D(x, z^)) - E log(1 - sig(D(G(z), z))), z^ = mean(x) + sigma(x) e, e ~ N(0, I)
        * L_G,E = -E log(1 - sig(D(x, z^))) - E log sig(D(G(z), z)): both terms flip, for G and E at once

    Deviations:
        * nets: E is the uniform trunk and a linear layer to mean and log variance, 1,387,272 parameters; D as in
          `bigan`, 1,830,209 parameters, with dropout behind each layer but the last.
        * paper: one layer for z and one for the pair, of 256 units, where its nets have two of 512 and of 1024; no
          dropout on D's inputs; batch 64, not 100.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        dropout: float = option(0.2, source="authors' ali_svhn.py")
        lr_g: float = option(1e-4, source="authors' ali_svhn.py")
        lr_d: float = option(1e-4, source="authors' ali_svhn.py")

    config: Config

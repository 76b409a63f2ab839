"""InfoGAN."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gans import codes
from gans.base import Batch, Scalars, Turn
from gans.config import option
from gans.networks import SLOPE, TwoHeads, batch_norm, in_full, initialise
from gans.registry import register
from gans.standard.nsgan import NSGAN

HIDDEN = 128
"""Units of Q's layer."""


@register(
    "infogan",
    family="information",
    year=2016,
    paper="Chen et al.: InfoGAN: Interpretable Representation Learning by Information Maximizing Generative "
    "Adversarial Nets, arXiv:1606.03657",
)
class InfoGAN(NSGAN):
    """GAN whose latents hold codes that can be read off the image: a class of its own making and two numbers.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z, c)))) - lambda_info I, of D and Q at once
        * L_G = -E log sig(D(G(z, c))) - lambda_info I
        * I = E log Q(c|G(z, c)) + H(c), a lower bound of the mutual information of codes and image, in nats

    Deviations:
        * nets: G takes 12 codes beside 62 numbers of noise, 647,585 parameters; Q shares D's trunk and adds a layer of
          128 with batch norm, D and Q together 943,693 parameters.
        * paper: noise is normal, not uniform; the uniform nets, whose D has no fully connected layer; batch 64, not
          128. As in the official code lambda_info is 1 for all codes, and D's trunk and Q learn of I in one turn.
        * tutorial: noise of 8; D and Q share a layer of 32 on the trunk, and Q has one of 16; dropout; 2e-4 for all.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        latent_dim: int = option(62, "length of the noise, beside which the 12 codes stand", source="official code")
        lr_g: float = option(1e-3, source="official code")
        dropout: float = option(0.0, source="official code: none; with it a G so fast outruns D")
        lambda_info: float = option(
            1.0, "weight of the mutual information in D's and G's loss", source="official code", low=0
        )

    config: Config
    conflicts = NSGAN.conflicts | {
        "pack": "Q reads the codes of one image, and D would judge several together",
        "feature_matching": "it would replace G's loss and leave nothing that makes codes readable",
        "unroll": "D and Q are one player, of which only D would be looked ahead to",
        "latent_step": "latents that have risen no longer hold the codes that Q is to read",
    }

    def prepare(self) -> None:
        super().prepare()
        # Q's first layer is D's second head.
        self.q = nn.Sequential(batch_norm(HIDDEN, 1), nn.LeakyReLU(SLOPE), nn.Linear(HIDDEN, codes.CODES))
        initialise(self.q)

    def build_generator(self) -> nn.Module:
        return self.uniform_generator(self.config.latent_dim + codes.CODES)

    def build_discriminator(self) -> nn.Module:
        return TwoHeads(self.uniform_trunk(), HIDDEN, self.config.minibatch)

    def latent(self, n: int) -> Tensor:
        """Noise and codes: [n, latent_dim + 12]."""
        return torch.cat([super().latent(n), codes.draw(n, self.device, self.rng)], 1)

    def codes_in(self, latent: Tensor) -> Tensor:
        """The codes [N, 12] in latents [N, latent_dim + 12]."""
        return latent[:, self.config.latent_dim :]

    def clusters(self, latent: Tensor) -> Tensor:
        return self.codes_in(latent)[:, : codes.CLASSES].argmax(1)

    def sweeps(self, latent: Tensor) -> dict[str, Tensor]:
        noise = latent[:, None, : self.config.latent_dim]
        found = codes.sweeps(self.codes_in(latent))
        return {name: torch.cat([noise.expand(-1, sweep.shape[1], -1), sweep], 2) for name, sweep in found.items()}

    def fakes(self, batch: Batch) -> Tensor:
        latent = self.latent(len(batch))
        self._codes = self.codes_in(latent)
        return self.generate(batch, latent)

    def scores(self, images: Tensor) -> Tensor:
        return super().scores(images)[:, 0]

    def judge(self, fakes: Tensor) -> tuple[Tensor, Tensor]:
        """D's scores [N] of the latest fakes, and I."""
        outputs = self.discriminator(self.see(fakes))
        return outputs[:, 0], codes.log_likelihood(in_full(self.q, outputs[:, 1:]), self._codes).mean() + codes.ENTROPY

    def d_turn(self, batch: Batch) -> Scalars:
        real_scores = self.scores(batch.images)
        fake_scores, information = self.judge(self.constant_fakes(batch))
        loss = self.d_loss(real_scores, fake_scores) - self.config.lambda_info * information
        scalars = {"loss": loss, "information": information}
        scalars |= {"real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        return scalars | self.view.observe(real_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        scores, information = self.judge(self.fakes(batch))
        loss = self.g_loss(self.best(scores)) - self.config.lambda_info * information
        return {"loss": loss, "information": information}

    def turns(self) -> list[Turn]:
        parameters = [*self.discriminator.parameters(), *self.q.parameters()]
        d, g = super().turns()
        return [replace(d, optimizer=self.optimizer(parameters, self.config.lr_d)), g]

"""What a GAN is to the harness: players, their turns, and how to generate.

Three levels, of which an algorithm overrides the lowest that will do:
1. losses      `d_loss`, `g_loss`, `penalty`
2. turns       `generate`, `d_turn`, `g_turn`
3. schedule    `turns`
A turn's body asks D through `see` or `scores` and makes its fakes with `fakes` or `constant_fakes`, so that every
factor (`gans.factors`) composes with it; what does not compose stands in `conflicts`.

Scores are raw and large for real; losses are minimised. D sees reals and fakes in separate forward passes, so that
batch norm never mixes them. Both players stay in train mode in both turns, so batch norm's running statistics follow
every pass, also those of G's fakes for D's turns; `dcgan_tutorial` alone reads them before it is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gans.config import option
from gans.factors import Factors, conflict
from gans.fields import DIGITS, Field
from gans.networks import Discriminator, FeatureTrunk, normalise_spectrally
from gans.objectives import best, g_objective, risen_latents
from gans.turn import Batch, Scalars, Turn
from gans.view import View

if TYPE_CHECKING:
    from gans.registry import AlgorithmInfo

__all__ = ["GAN", "Batch", "Scalars", "Turn"]


class GAN(nn.Module):
    """A generator and a discriminator that play on the uniform field, by default one turn each a step."""

    @dataclass(frozen=True, kw_only=True)
    class Config(Factors):
        """Settings every algorithm has."""

        bn: bool = option(True, "batch normalisation in the discriminator's trunk", source="tutorial")
        dropout: float = option(
            0.3, "probability that an element of D's trunk is dropped", source="tutorial", low=0, high=0.9
        )
        latent_dim: int = option(100, "length of the latent vector", source="tutorial", low=1)
        batch_size: int = option(64, "real images in a step; D sees as many fakes", source="tutorial", low=2)
        lr_g: float = option(2e-4, "learning rate of G", source="DCGAN paper", low=0)
        lr_d: float = option(2e-4, "learning rate of D", source="DCGAN paper", low=0)
        beta1: float = option(0.5, "Adam's decay of the gradient's mean", source="DCGAN paper", low=0, high=0.9999)
        beta2: float = option(
            0.999, "Adam's decay of the squared gradient's mean", source="Adam paper", low=0, high=0.99999
        )
        n_d: int = option(1, "discriminator turns for each generator turn", source="Goodfellow et al.", low=1)
        ema: float = option(
            0.0,
            "decay, a G update, of the average of G's weights that is evaluated, less at first; 0 evaluates G itself",
            source="off, as in the tutorial",
            low=0,
            high=0.99999,
        )

    info: ClassVar[AlgorithmInfo]
    conflicts: ClassVar[dict[str, str]] = {"label_smoothing": "D's loss has no labels to smooth"}
    """What makes no sense with this algorithm and is skipped: conditions ('bn', 'augment=ada') -> reason."""
    fields: ClassVar[tuple[str, ...]] = ("digits", "curves", "stacked")
    """The fields that it can play on, its own first. One that brings nets of its own can play on theirs alone."""
    conditional: ClassVar[bool] = False
    """Whether `generate` makes what the batch's labels ask for."""
    config: Config
    transport: Tensor
    """Mean squared distance by which LOGAN moved the latents of the latest fakes; only where it is on."""

    def __init__(self, config: Config | None = None, field: Field = DIGITS) -> None:
        super().__init__()
        self.config = config if config is not None else self.Config()
        self.field = field
        self.rng: torch.Generator | None = None
        """Source of latents and other noise, on the model's device; None means torch's global generator."""
        self.progress = 0.0
        self.progress_was_read = False
        """Whether a turn asked for it, since this was last set to False: then no step is like another."""
        # G first: under one seed it starts equal in every algorithm, whatever D is.
        self.generator = self.build_generator()
        self.discriminator = self.new_discriminator()
        self.view = View(self.config)
        self.prepare()

    @classmethod
    def skip(cls, config: Config) -> str | None:
        """Why this configuration makes no sense and is not to be run, or None."""
        return conflict(config, cls.conflicts)

    def prepare(self) -> None:
        """Builds what the algorithm has beside G and D: buffers, further networks. Called once, after both."""

    def build_generator(self) -> nn.Module:
        """What `generate` gives it -> images [N, 1, 28, 28]."""
        return self.uniform_generator(self.config.latent_dim)

    def uniform_generator(self, inputs: int) -> nn.Module:
        """The field's generator for vectors of `inputs` numbers."""
        return self.field.generator(inputs)

    def build_discriminator(self) -> nn.Module:
        """What `see` gives [N, pack, 28, 28] -> scores [N]."""
        return self.uniform_discriminator()

    def new_discriminator(self) -> nn.Module:
        """A discriminator of this algorithm, spectrally normalised where the configuration asks for it."""
        discriminator = self.build_discriminator()
        if self.config.spectral_norm:
            normalise_spectrally(discriminator)
        return discriminator

    def uniform_trunk(self) -> FeatureTrunk:
        """The field's trunk under this configuration."""
        return self.field.trunk(self.config.bn, self.config.dropout, self.config.pack)

    def uniform_discriminator(self, outputs: int = 1) -> Discriminator:
        """That trunk with a head of `outputs`."""
        return Discriminator(self.uniform_trunk(), outputs, self.config.minibatch)

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0 to 1, for what is annealed; the trainer sets it before each step."""
        self.progress_was_read = True
        return self._progress

    @progress.setter
    def progress(self, share: float) -> None:
        self._progress = share

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return next(self.parameters()).device

    def latent(self, n: int) -> Tensor:
        """z ~ N(0, I): [n, latent_dim]."""
        return torch.randn(n, self.config.latent_dim, device=self.device, generator=self.rng)

    def generate(self, batch: Batch, latent: Tensor | None = None) -> Tensor:
        """One fake for each element of the batch: images [N, 1, 28, 28] in [-1, 1], from fresh latents if none given.

        The way to sample; a turn calls `fakes`.
        """
        images: Tensor = self.generator(self.latent(len(batch)) if latent is None else latent)
        return images

    def reconstruct(self, images: Tensor) -> Tensor | None:
        """What the model makes of images [N, 1, 28, 28] by way of their own latents; None where it has no encoder."""
        return None

    def back(self, images: Tensor) -> Tensor | None:
        """Images [N, 1, 28, 28] translated to what they might have been made from; None where there is no way back."""
        return None

    def clusters(self, latent: Tensor) -> Tensor | None:
        """The class of its own that each latent [N, L] asks for, int64 [N]; None where none was to be discovered."""
        return None

    def sweeps(self, latent: Tensor) -> dict[str, Tensor]:
        """For each code that was to be discovered its sweep: latents [N, steps, L] made of latents [N, L]."""
        return {}

    def fakes(self, batch: Batch) -> Tensor:
        """Fakes to train on: those of `generate`, from latents that LOGAN has moved where it is on."""
        if not self.config.latent_step:
            return self.generate(batch)
        latent, self.transport = risen_latents(self, batch)
        return self.generate(batch, latent)

    def constant_fakes(self, batch: Batch) -> Tensor:
        """Fakes for D's turn, whose gradient is wanted only by LOGAN and by a G that looks ahead."""
        with torch.set_grad_enabled(bool(self.config.latent_step or self.config.unroll)):
            return self.fakes(batch)

    def see(self, images: Tensor) -> Tensor:
        """What D sees of images: augmented, noisy and packed [N / pack, pack, 28, 28] where factors say so."""
        progress = self.progress if self.config.instance_noise else 0.0  # not read in vain: see `progress_was_read`
        seen: Tensor = self.view(images, progress, self.rng)
        return seen

    def scores(self, images: Tensor) -> Tensor:
        """D's scores of what it sees of images [N, 1, 28, 28]: [N / pack], or what another head gives."""
        scores: Tensor = self.discriminator(self.see(images))
        return scores

    def best(self, scores: Tensor) -> Tensor:
        """The scores [N] of fakes that count in G's loss: all, or the top k."""
        top_k = self.config.top_k
        return scores if top_k == 1 else best(scores, 1 - (1 - top_k) * self.progress)

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        """Scores [N] of reals and fakes -> the scalar that D minimises."""
        raise NotImplementedError(f"{type(self).__name__} defines neither d_loss nor d_turn")

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        """Scores [N] of fakes -> the scalar that G minimises."""
        raise NotImplementedError(f"{type(self).__name__} defines neither g_loss nor g_turn")

    def penalty(self, real_images: Tensor, fake_images: Tensor) -> Tensor | None:
        """A scalar added to D's loss, already weighted, or None; images as D sees them [N, pack, 28, 28]."""
        return None

    def d_turn(self, batch: Batch) -> Scalars:
        """D's loss on the batch and as many fakes."""
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        real_scores, fake_scores = self.discriminator(real), self.discriminator(fake)
        loss = self.d_loss(real_scores, fake_scores)
        scalars = {"loss": loss, "real_score": real_scores.mean(), "fake_score": fake_scores.mean()}
        penalty = self.penalty(real, fake)
        if penalty is not None:
            scalars |= {"loss": loss + penalty, "penalty": penalty}
        return scalars | self.view.observe(real_scores)

    def g_turn(self, batch: Batch) -> Scalars:
        """G's loss on fresh fakes."""
        return {"loss": self.g_loss(self.best(self.scores(self.fakes(batch))))}

    def forward(self, turn: Callable[[Batch], Scalars], batch: Batch) -> Scalars:
        """`turn(batch)`, so that `torch.func.functional_call` can evaluate a turn with other weights."""
        return turn(batch)

    def optimizer(self, parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
        """Adam with this configuration's betas; eps is Keras's 1e-7, as in the tutorial."""
        betas = (self.config.beta1, self.config.beta2)
        return torch.optim.Adam(parameters, lr, betas=betas, eps=1e-7, fused=True)

    def turns(self) -> list[Turn]:
        """The turns of a step in order, with fresh optimizers; called once, when the model is on its device."""
        return [
            Turn("d", self.d_turn, self.optimizer(self.discriminator.parameters(), self.config.lr_d)),
            Turn(
                "g",
                partial(g_objective, self),
                self.optimizer(self.generator.parameters(), self.config.lr_g),
                every=self.config.n_d,
            ),
        ]

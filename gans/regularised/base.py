"""The GAN that penalties on D's gradient are added to."""

from __future__ import annotations

from dataclasses import dataclass

from gans import penalties
from gans.config import option
from gans.standard.nsgan import NSGAN


class PenalisedGAN(NSGAN):
    """A non-saturating GAN whose D has neither batch norm nor dropout; the algorithm adds its `penalty`."""

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        bn: bool = option(False, source="it would couple the images of a batch")
        dropout: float = option(0.0, source="its noise would enter the gradients that are penalised")

    config: Config
    conflicts = penalties.PER_IMAGE

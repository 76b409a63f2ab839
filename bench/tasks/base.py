"""What a task is: data, the field that is played on, the yardstick, and how its pictures look.

Algorithms and tasks are orthogonal: an algorithm says which fields it can play on, a task which it has; a pair that
does not fit is a reported skip. Knows nothing of trials and stores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from bench.data import Dataset
from bench.pictures import Picture
from bench.protocol import Preset
from gans import GAN
from gans.factors import conflict
from gans.fields import Field


class Yardstick(Protocol):
    """What scores generated elements; metrics are named by `bench.protocol.metric_name`."""

    @property
    def extractor_hash(self) -> str: ...

    @property
    def inception_hash(self) -> str | None: ...

    @property
    def notice(self) -> str | None: ...

    def score(
        self,
        images: Tensor,
        *,
        labels: Tensor | None = None,
        clusters: Tensor | None = None,
        inception: bool = True,
    ) -> dict[str, float]: ...

    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """Scores of `n` of the real elements, what generated ones may hope for; {} where there are fewer."""


class Task(ABC):
    """One kind of data with everything that depends on it."""

    name: str
    field: Field
    prefix: str
    """First part of its metrics' names."""
    track: str | None = None
    """The track of every row here; None leaves it to the algorithm."""
    reference: str
    """What samples are compared with, in words."""
    real: str
    """Name of the row of real data."""
    labelled = True
    """Whether the data's labels mean something."""

    def preset(self, preset: Preset) -> Preset:
        """The preset with this task's own budget, where the general one would not suit it."""
        return preset

    @abstractmethod
    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        """The training data."""

    @abstractmethod
    def yardstick(self, device: torch.device, inception_weights: str | None, data_dir: Path | None) -> Yardstick:
        """The one scorer of a run."""

    @abstractmethod
    def picture(self, images: Tensor, columns: int) -> Picture:
        """Stored elements as one grey picture."""

    def latent_pictures(self, gan: GAN, data: Dataset, yardstick: Yardstick) -> dict[str, Picture]:
        """Pictures of the latent space by name, none where they would say nothing; called within `frozen`."""
        return {}

    def misfit(self, algorithm: type[GAN], config: GAN.Config) -> str | None:
        """Why the algorithm, so configured, cannot play here, or None."""
        if algorithm.info.needs_labels and not self.labelled:
            return f"{algorithm.info.name} needs labels, which the task {self.name} has not"
        if self.field.name not in algorithm.fields:
            return f"{algorithm.info.name} is made for {', '.join(algorithm.fields)} only, not for {self.field.name}"
        return conflict(config, self.field.conflicts)

"""What a task is: data, the field that is played on, the yardstick, and how its pictures look.

Algorithms and tasks are orthogonal: an algorithm says which fields it can play on, a task which it has; a pair that
does not fit is a reported skip. Knows nothing of trials and stores.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from bench.data import Batches, Dataset, as_given
from bench.errors import BenchError
from bench.pictures import Picture
from bench.protocol import Preset
from bench.samples import Samples
from bench.yardstick import Yardstick
from gans import GAN, Batch
from gans.factors import conflict
from gans.fields import Field


@dataclass(frozen=True)
class Scoring:
    """How samples are to be scored."""

    samples: int
    metrics: str | None = None
    """Names with commas, as `bench.metrics.choose` takes them; None is the task's default."""
    inception_weights: str | None = None
    """A file, or "download"; None leaves Inception's scores out."""
    data_dir: Path | None = None
    offline: bool = False


class Stream(Protocol):
    """An endless stream of seeded batches, whose position can be saved."""

    @property
    def per_epoch(self) -> int:
        """Images of one pass over the data."""
        ...

    def next(self) -> Batch: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


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
    """Name of the row of real data; reports know it by its first word, "real"."""
    labelled = True
    """Whether the data's labels mean something."""
    lines = 1
    """Lines that an example takes in a picture."""

    @property
    def shown(self) -> int:
        """Examples in the picture of a row of reference."""
        return 10 * max(10 // self.lines, 1)

    def preset(self, preset: Preset) -> Preset:
        """The preset with this task's own budget, where the general one would not suit it."""
        return preset

    @abstractmethod
    def load(self, *, data_dir: Path | None, offline: bool) -> Dataset:
        """The training data."""

    @abstractmethod
    def yardstick(self, device: torch.device, data: Dataset | None, scoring: Scoring) -> Yardstick:
        """The one scorer of a run that trains on `data`, which some metrics ask for."""

    def check(self, scoring: Scoring) -> None:
        """BenchError where it cannot be scored so, whatever the data: here, by what is of digits made from noise."""
        for option, value in (("metrics", scoring.metrics), ("inception-weights", scoring.inception_weights)):
            if value is not None:
                raise BenchError(f"--{option} {value}: the task {self.name} has metrics of its own; leave it out")

    @abstractmethod
    def picture(self, samples: Samples, columns: int) -> Picture:
        """Samples as one grey picture."""

    def batches(self, data: Dataset, batch_size: int, seed: int, device: torch.device) -> Stream:
        """The batches to train on, fixed by the seed."""
        return Batches(data, batch_size, seed, device)

    def examples(self, data: Dataset | None, n: int, seed: int) -> Batch:
        """What n samples are asked for, on the CPU.

        Rows of the data drawn at random, so that labels follow its marginal; without data blank images with the labels
        0 to 9 in turn.
        """
        if data is None:
            return Batch(self.field.blank(n), torch.arange(n) % 10)
        rows = torch.randint(len(data), (n,), generator=torch.Generator().manual_seed(seed))
        return Batch(as_given(data.images[rows]), data.labels[rows])

    def with_validation(self, data: Dataset) -> Dataset:
        """The data with a part of it set aside to select a step by; BenchError where the task has no such selection."""
        raise BenchError(f"--select best: the task {self.name} scores the last step only; leave it out")

    def draws(self, n: int) -> int:
        """How many of n draws of samples differ: images made from images are the same in every draw."""
        return n if self.field.source is None else 1

    def count(self, data: Dataset, n: int) -> int:
        """How many samples are scored where n are asked for."""
        return n

    def real_elements(self, data: Dataset, n: int) -> Tensor:
        """n real elements, the row of real data."""
        return data.some(n)

    def baselines(self, data: Dataset, n: int) -> dict[str, Samples]:
        """Trivial answers by name, rows of every table."""
        return {}

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

"""Budgets, presets, and the protocol: all that must be equal for two numbers to stand in one table."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from bench.errors import BenchError

MIN_SAMPLES = 200
"""Fewest images that are scored.

A covariance of 128 features needs more than 128 images to have full rank, and a part of IS some 20 images to speak of
10 classes. Such scores are still strongly biased; below, they would say nothing.
"""
REFERENCE_SAMPLES = 10_000
"""Images of a figure that compares with reports; so many real training digits have shipped scores."""


def metric_name(metric: str, n: int, extractor: str = "mnist") -> str:
    """The name of a metric that carries its protocol: ('fid', 10_000) -> 'mnist_fid_10k'."""
    return f"{extractor}_{metric}_{f'{n // 1000}k' if n % 1000 == 0 else n}"


@dataclass(frozen=True)
class Budget:
    """How long a trial trains: `amount` of `unit`.

    A step is one pass over the turns with one batch of reals. Algorithms with n_D > 1 make fewer G updates in it, those
    with another batch size see other numbers of images; the curves show all of them. An epoch is one pass over the
    data.
    """

    amount: int
    unit: str = "steps"

    def steps(self, images: int, batch_size: int, g_every: int) -> int:
        """The number of steps for a data set of `images` with G's turn in each `g_every`-th step."""
        per_unit = {"steps": 1, "epochs": images / batch_size, "g_updates": g_every}
        return max(round(self.amount * per_unit[self.unit]), 1)

    def __str__(self) -> str:
        return f"{self.amount:,} {self.unit.replace('g_updates', 'G updates')}"


@dataclass(frozen=True)
class Preset:
    """A named set of defaults for one run."""

    name: str
    budget: Budget
    samples: int
    """Images scored at the end."""
    curve_samples: int
    """Images scored at each evaluation during training."""
    evaluations: int
    """Evaluations during training, the last one at its end not counted."""
    frames: int
    """Frames of the training GIF."""
    draws: int
    """Times that the samples are drawn anew at the end, to see how far FID moves by that alone."""
    meaning: str

    @property
    def selection(self) -> str:
        """Among which steps `--select best` chooses, in words."""
        return f"the best of {self.evaluations + 1} by {self.curve_samples:,} samples each"


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("smoke", Budget(20), 1_000, 500, 1, 4, 1, "seconds per trial; shows only that everything works"),
        Preset("quick", Budget(2_000), 10_000, 2_000, 8, 40, 3, "4 to 11 minutes per trial on 2 cores for most rows"),
        Preset("full", Budget(20, "epochs"), 10_000, 2_000, 20, 60, 3, "the tutorial's 20 epochs; for a GPU"),
    )
}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What must be equal for two numbers to be comparable."""

    task: str
    dataset: str
    data_fingerprint: str
    data_images: int
    budget: str
    samples: int
    weights: str
    """"raw" or "ema": which of G's weights are scored."""
    extractor: str
    inception: str = ""
    """Hash of the Inception weights, where they were used."""
    reference: str = "the 10,000 test images"
    """What samples are compared with, in words."""
    prefix: str = "mnist"
    """First part of the names of the task's metrics."""
    precision: str = "fp32"
    """What trials compute in: "fp32", "tf32", or "bf16" where turns run under autocast."""
    validation: int = 0
    """Training images set aside to choose the step by that is scored; 0 where it is the last one."""
    selection: str = ""
    """Among which steps it is chosen, and by how many samples of each, in words."""

    @property
    def id(self) -> str:
        """Eight hex digits, equal exactly when the protocols are."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:8]

    def to_json(self) -> str:
        """One canonical line of JSON, in which `selection` stands only where it says something."""
        fields = dataclasses.asdict(self)
        return json.dumps({k: v for k, v in fields.items() if k != "selection" or v}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Protocol:
        """The inverse of `to_json`; BenchError where it is none of this version's."""
        try:
            protocol = cls(**json.loads(text))
            str(protocol)
        except (TypeError, ValueError, RecursionError) as error:
            raise BenchError(
                f"a run in the store has a protocol that this version of bench cannot read ({text[:80]!r}); delete "
                "that run, or read the store with the version that wrote it"
            ) from error
        return protocol

    def __str__(self) -> str:
        inception = f", Inception {self.inception}" if self.inception else ""
        precision = "" if self.precision == "fp32" else f", computed in {self.precision}"
        best = f"step with the lowest FID against {self.validation:,} validation images"
        best += f" ({self.selection})" if self.selection else ""
        step = best if self.validation else "last step"
        return (
            f"{self.task} task, trained on {self.data_images:,} examples of {self.dataset} "
            f"({self.data_fingerprint[:8]}) for {self.budget}; {self.samples:,} samples of the {self.weights} weights "
            f"of the {step} "
            f"against {self.reference}, extractor {self.extractor}{inception}{precision}"
        )

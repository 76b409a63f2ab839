"""Whether the metrics behave on this machine: real digits, damaged in known ways, scored like samples.

Takes real digits and a scorer, gives what was measured and which expected orders do not hold. Knows no terminal.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from bench.data import Dataset
from bench.evaluate import Evaluator
from bench.metrics import choose
from bench.protocol import metric_name

Damage = Callable[[Tensor, torch.Generator], Tensor]
"""float32 images [N, 1, 28, 28] in [0, 1] -> the same, damaged; may leave [0, 1]."""
Measured = dict[str, dict[str, float]]
"""Probe -> metric -> value."""

REAL = "real train digits"
SHOWN = ("fid", "is", "precision", "recall", "coverage", "missing", "diversity")
LEAST_ACCURACY = 0.99


@dataclass(frozen=True)
class Probe:
    """One set of images whose scores are known in advance, roughly."""

    name: str
    damage: Damage
    elsewhere: str = ""
    """FID of the same, measured with an independent extractor of 99.6 % and another unit (10,000 images)."""
    rows: Callable[[Dataset, int], Tensor] = lambda data, n: data.order()[:n]
    """Which images of the data are taken."""


def _as_they_are(images: Tensor, rng: torch.Generator) -> Tensor:
    return images


def _noise(sd: float) -> Damage:
    return lambda images, rng: images + sd * torch.randn(images.shape, generator=rng)


def _blur(side: int) -> Damage:
    return lambda images, rng: avg_pool2d(images, side, stride=1, padding=side // 2)


def _shift(pixels: int) -> Damage:
    def shifted(images: Tensor, rng: torch.Generator) -> Tensor:
        moved = torch.zeros_like(images)
        moved[..., pixels:, pixels:] = images[..., :-pixels, :-pixels]
        return moved

    return shifted


def _salt_and_pepper(share: float) -> Damage:
    def salted(images: Tensor, rng: torch.Generator) -> Tensor:
        hit = torch.rand(images.shape, generator=rng) < share
        return torch.where(hit, torch.randint(2, images.shape, generator=rng).float(), images)

    return salted


def _below(digit: int) -> Callable[[Dataset, int], Tensor]:
    def rows(data: Dataset, n: int) -> Tensor:
        order = data.order()
        kept = order[data.labels[order] < digit]
        return kept.repeat(-(-n // len(kept)))[:n]

    return rows


def _repeated(each: int) -> Callable[[Dataset, int], Tensor]:
    """`each` images of every digit, again and again."""

    def rows(data: Dataset, n: int) -> Tensor:
        order = data.order()
        chosen = torch.cat([order[data.labels[order] == digit][:each] for digit in range(10)])
        return chosen.repeat(-(-n // len(chosen)))[:n]

    return rows


PROBES = (
    Probe(REAL, _as_they_are, "0.14"),
    Probe("binarised", lambda images, rng: (images > 0.5).float(), "0.8"),
    Probe("shifted by 1 pixel", _shift(1)),
    Probe("shifted by 2 pixels", _shift(2), "6.9"),
    Probe("blurred, 3x3", _blur(3), "10"),
    Probe("blurred, 5x5", _blur(5), "52"),
    Probe("salt and pepper, 5 %", _salt_and_pepper(0.05), "17.5"),
    Probe("noise, sd 0.1", _noise(0.1), "15.2"),
    Probe("noise, sd 0.3", _noise(0.3), "117"),
    Probe("digits 0 to 7", _as_they_are, rows=_below(8)),
    Probe("digits 0 to 4", _as_they_are, "38", rows=_below(5)),
    Probe("ten images a digit", _as_they_are, "2.5", rows=_repeated(10)),
    Probe("one image a digit", _as_they_are, "22", rows=_repeated(1)),
    Probe("uniform noise", lambda images, rng: torch.rand(images.shape, generator=rng), "276"),
)


def images_of(probe: Probe, data: Dataset, n: int) -> Tensor:
    """The probe's uint8 images [N, 1, 28, 28]; N is n, or what the data has if that is less. Always the same."""
    images = data.images[probe.rows(data, n)].float() / 255
    damaged = probe.damage(images, torch.Generator().manual_seed(0))
    return (damaged * 255).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class Check:
    """Something that must hold of what was measured."""

    promise: str
    holds: Callable[[Measured], bool]


def _rises(metric: str, *probes: str) -> Check:
    def holds(measured: Measured) -> bool:
        values = [measured[probe][metric] for probe in probes]
        return all(low < high for low, high in itertools.pairwise(values))

    return Check(f"{metric.upper()} rises: {', '.join(probes)}", holds)


CHECKS = (
    Check(
        "no damaged set has a lower FID than real digits",
        lambda m: all(m[REAL]["fid"] < scores["fid"] for probe, scores in m.items() if probe != REAL),
    ),
    _rises("fid", REAL, "shifted by 1 pixel", "shifted by 2 pixels"),
    _rises("fid", REAL, "blurred, 3x3", "blurred, 5x5"),
    _rises("fid", REAL, "noise, sd 0.1", "noise, sd 0.3", "uniform noise"),
    _rises("fid", REAL, "digits 0 to 7", "digits 0 to 4"),
    _rises("fid", REAL, "ten images a digit", "one image a digit"),
    Check(
        "a collapse to one image a digit deceives IS, but neither recall nor diversity",
        lambda m: (
            m["one image a digit"]["is"] > m[REAL]["is"] - 0.5
            and m["one image a digit"]["recall"] < 0.05
            and m["one image a digit"]["diversity"] < 0.05
        ),
    ),
    Check(
        "missing digits are counted: none of real ones, 2 and 5 of the others",
        lambda m: [m[probe]["missing"] for probe in (REAL, "digits 0 to 7", "digits 0 to 4")] == [0, 2, 5],
    ),
    Check(
        "damage to pixels costs precision, missing digits do not",
        lambda m: m["noise, sd 0.3"]["precision"] < m[REAL]["precision"] - 0.2 < m["digits 0 to 4"]["precision"],
    ),
)


@dataclass(frozen=True)
class Examination:
    """What was found."""

    measured: Measured
    by_number: dict[int, float]
    """FID of so many real digits, the largest number first."""
    accuracy: float
    """Share of real training digits that the classifier reads as labelled."""

    def verdicts(self) -> dict[str, bool]:
        """What must hold -> whether it does."""
        found = {check.promise: check.holds(self.measured) for check in CHECKS}
        falls = all(many < few for many, few in itertools.pairwise(self.by_number.values()))
        return found | {
            "FID of real digits falls with their number": falls,
            f"the extractor reads at least {LEAST_ACCURACY:.0%} of real digits": self.accuracy >= LEAST_ACCURACY,
        }


def examine(evaluator: Evaluator, data: Dataset, n: int) -> Examination:
    """Scores every probe of n images, and FID of n real digits, of a half and a quarter of them."""
    metrics = choose("is,prdc,classes", n)
    measured = {}
    for probe in PROBES:
        scores = evaluator.score(images_of(probe, data, n), metrics=metrics, inception=False)
        measured[probe.name] = {name: scores[metric_name(name, n)] for name in SHOWN}
    by_number = {n: measured[REAL]["fid"]}
    for count in (n // 2, n // 4):
        scores = evaluator.score(data.some(count), metrics=choose("fid", count), inception=False)
        by_number[count] = scores[metric_name("fid", count)]
    rows = data.order()[:n]
    right = evaluator.read(data.images[rows]) == data.labels[rows]
    return Examination(measured, by_number, right.double().mean().item())

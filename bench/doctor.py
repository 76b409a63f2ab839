"""Whether the metrics behave on this machine: real digits, damaged in known ways, scored like samples.

Takes real digits and a scorer, gives an `Examination`, which says what of it is out of order. Knows no terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from bench.data import Dataset
from bench.evaluate import Evaluator
from bench.examination import REAL, SHOWN, Examination
from bench.metrics import choose
from bench.protocol import REFERENCE_SAMPLES, metric_name

Damage = Callable[[Tensor, torch.Generator], Tensor]
"""float32 images [N, 1, 28, 28] in [0, 1] -> the same, damaged; may leave [0, 1]."""


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


def examine(evaluator: Evaluator, data: Dataset, n: int, held_out: Dataset | None = None) -> Examination:
    """Scores every probe of n images, and FID of n real digits, of a half and a quarter of them.

    How well the extractors read is told of `held_out` where it is at hand, else of the n digits that they learned from.
    """
    metrics = choose("is,prdc,classes,fid_second", n)
    measured = {}
    for probe in PROBES:
        scores = evaluator.score(images_of(probe, data, n), metrics=metrics, inception=False)
        measured[probe.name] = {name: scores[metric_name(name, n)] for name in SHOWN}
    by_number = {n: measured[REAL]["fid"]}
    for count in (n // 2, n // 4):
        scores = evaluator.score(data.some(count), metrics=choose("fid", count), inception=False)
        by_number[count] = scores[metric_name("fid", count)]
    shown = data.rows(data.order()[:n]) if held_out is None else held_out
    read = evaluator.read_by_both(shown.images)
    accuracy = {name: (classes.cpu() == shown.labels).double().mean().item() for name, classes in read.items()}
    return Examination(measured, by_number, evaluator.reference_real()[metric_name("fid", REFERENCE_SAMPLES)], accuracy)

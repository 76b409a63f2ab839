"""The parts by name, their figures together, and which of them fell against figures that were kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.errors import BenchError
from bench.speed import evaluation, harness, side_by_side, step
from bench.speed.step import Subject
from bench.speed.timing import Numbers

Figures = dict[str, dict[str, Numbers]]
"""Part -> what was measured -> numbers by name."""

PARTS: dict[str, Callable[[Subject], dict[str, Numbers]]] = {
    "step": step.measure_step,
    "batch": step.measure_batch,
    "evaluation": evaluation.measure_evaluation,
    "start": harness.measure_start,
    "memory": harness.measure_memory,
    "overhead": harness.measure_overhead,
    "jobs": side_by_side.measure_jobs,
    "together": side_by_side.measure_together,
    "logging": harness.measure_logging,
    "checkpoint": harness.measure_checkpoint,
    "trials": harness.measure_trials,
}


def measure(names: Sequence[str], subject: Subject) -> Figures:
    """The figures of the parts that are named; BenchError for an unknown one."""
    unknown = [name for name in names if name not in PARTS]
    if unknown or not names:
        raise BenchError(f"--parts {','.join(names)}: allowed are all, {', '.join(PARTS)}, with commas")
    return {name: PARTS[name](subject) for name in names}


def _ratios(figures: Figures) -> Iterator[tuple[str, str, Numbers]]:
    for part, rows in figures.items():
        for row, numbers in rows.items():
            for name in numbers:
                if name.startswith("ratio_") and name.endswith("_median"):
                    yield f"{part} {row}", name.removesuffix("_median"), numbers


def fallen(now: Figures, before: Figures) -> list[str]:
    """One line for each ratio in both that fell: its upper quartile now is below its lower quartile then."""
    kept = {(place, name): numbers for place, name, numbers in _ratios(before)}
    lines = []
    for place, name, numbers in _ratios(now):
        old = kept.get((place, name))
        if old is not None and numbers[f"{name}_high"] < old[f"{name}_low"]:
            lines.append(f"{place}: {name} fell from {old[f'{name}_median']:.2f} to {numbers[f'{name}_median']:.2f}")
    return lines

"""The tasks by name. Which one an algorithm runs on by default follows from its first field."""

from __future__ import annotations

from collections.abc import Sequence

import gans
from bench.data import published
from bench.errors import BenchError
from bench.tasks.base import Scoring, Stream, Task
from bench.tasks.curves import Curves
from bench.tasks.digits import Digits
from bench.tasks.image_to_image import Inpainting, SuperResolution, Translation
from bench.tasks.stacked import StackedDigits

__all__ = ["TASKS", "Scoring", "Stream", "Task", "choose"]

TASKS: dict[str, Task] = {
    task.name: task for task in (Digits(), Curves(), StackedDigits(), Inpainting(), Translation(), SuperResolution())
}


def choose(name: str | None, algorithms: Sequence[str], data: str = "mnist") -> Task:
    """The task called `name`, else the one that these algorithms have in common by default, on the data set `data`.

    BenchError when there is none, and when the task has data of its own.
    """
    chosen, images = _choose(name, algorithms), published(data)
    if data == "mnist":
        return chosen
    if not isinstance(chosen, Digits):
        raise BenchError(f"--data {data}: the task {chosen.name} has data of its own; leave --data out")
    return Digits(images)


def _choose(name: str | None, algorithms: Sequence[str]) -> Task:
    if name is not None:
        if name not in TASKS:
            raise BenchError(f"--task {name}: allowed is {', '.join(TASKS)}")
        return TASKS[name]
    by_field = {task.field.name: task for task in reversed(TASKS.values())}
    examples: dict[str, str] = {}
    for algorithm in algorithms:
        examples.setdefault(by_field[gans.get(algorithm).fields[0]].name, algorithm)
    if len(examples) > 1:
        wanted = ", ".join(f"{algorithm}: {task}" for task, algorithm in examples.items())
        raise BenchError(f"these algorithms have different tasks ({wanted}); name one with --task, or run them apart")
    return TASKS[next(iter(examples), "mnist")]

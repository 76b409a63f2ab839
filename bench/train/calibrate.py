"""How long trials will take on this device: what finished ones of their cell took, else a few steps are timed.

Takes conditions and cells, gives seconds. Trains throw-away copies; records nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass

from mlflow.entities import Run as MlflowRun

from bench import environment
from bench.plan import Cell, Trial
from bench.track import PREFIX
from bench.train.conditions import Conditions
from bench.train.loop import Loop
from bench.train.sampling import draw
from bench.train.trial import build

WARM_UP = 2
"""Steps before the clock runs: the first ones choose kernels and fill caches."""
LEAST_SECONDS, LEAST_TIMES, MOST_STEPS = 1.0, 5, 50
"""Steps are timed, a period of turns at a time, until this long and so often, and at most so many or the budget."""
PLACES = 8
"""Where in a training they are timed if it is annealed: nets that grow cost several times more in the end."""
CLOCKS = ("seconds", "eval_seconds", "log_seconds")


@dataclass(frozen=True)
class Estimate:
    """Seconds of one whole trial, and where they are known from."""

    seconds: float
    steps: int
    source: str


def from_store(finished: Iterable[MlflowRun], conditions: Conditions) -> Estimate | None:
    """The median of what finished trials of one cell took on a device like this one, where there are any."""
    device = environment.device_name(conditions.settings.device)
    wanted = {f"{PREFIX}device": device, f"{PREFIX}status": "finished"}
    runs = [run for run in finished if wanted.items() <= run.data.tags.items() and "steps" in run.data.params]
    took = [sum(run.data.metrics.get(clock, 0.0) for clock in CLOCKS) for run in runs]
    steps = [int(run.data.params["steps"]) for run in runs]
    return Estimate(statistics.median(took), steps[0], f"as {len(took)} in the store took") if took else None


class Stopwatch:
    """Times a few steps of each cell, and the evaluations of one, which the others' are taken to be like."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self._evaluations: float | None = None

    def __call__(self, cell: Cell) -> Estimate:
        """The estimate of a trial of this cell."""
        settings, data = self.conditions.settings, self.conditions.data
        gan = build(Trial(cell, 0), settings.device, settings.task.field)
        config = gan.config
        batches = settings.task.batches(data, config.batch_size, 0, settings.device)
        steps = settings.budget.steps(batches.per_epoch, config.batch_size, config.n_d)
        loop = Loop(gan, batches, steps, settings.precision, graphs=settings.graphs)
        found = [_time_steps(loop, 0)]
        if gan.progress_was_read:
            found += [_time_steps(loop, steps * place // PLACES) for place in range(1, PLACES)]
        if self._evaluations is None:
            self._evaluations = self._time_evaluations(loop)
        a_step = statistics.mean(seconds for seconds, _ in found)
        return Estimate(a_step * steps + self._evaluations, steps, f"{sum(timed for _, timed in found)} steps timed")

    def _time_evaluations(self, loop: Loop) -> float:
        """Seconds of all evaluations of a trial, from one during training and the final one."""
        settings = self.conditions.settings
        preset, draws = settings.preset, settings.task.draws(settings.preset.draws)
        during = self._score(loop, preset.curve_samples, final=False)
        final = self._score(loop, settings.samples, final=True)
        again = during * settings.samples / preset.curve_samples * (draws - 1)
        return during * preset.evaluations + final + again

    def _score(self, loop: Loop, n: int, *, final: bool) -> float:
        started = time.perf_counter()
        task = self.conditions.task
        examples = task.examples(self.conditions.data, n, 0)
        self.conditions.yardstick.judge(draw(loop.gan, loop.generator, examples, 0), final=final)
        return time.perf_counter() - started


def _time_steps(loop: Loop, start: int) -> tuple[float, int]:
    """Seconds of a step as the loop takes them after the first `start`, and how many were timed."""
    loop.counts.steps = start
    before = loop.counts.seconds
    loop.run(min(WARM_UP, loop.steps - start))
    loop.drain()
    warm = loop.counts.seconds - before, loop.counts.steps - start
    timed: list[float] = []
    while loop.counts.steps < min(loop.steps, start + MOST_STEPS) and (
        len(timed) < LEAST_TIMES or sum(timed) * loop.period < LEAST_SECONDS
    ):
        before = loop.counts.seconds
        loop.run(loop.period)
        loop.drain()
        timed.append((loop.counts.seconds - before) / loop.period)
    # The median, for one step that other programs held up must not count for a thousand.
    return (statistics.median(timed), len(timed) * loop.period) if timed else (warm[0] / warm[1], warm[1])

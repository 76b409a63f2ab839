"""What is looked at of a trial while it trains and at its end: pictures, scores, the latent space.

Takes the GAN and the generator whose weights count, gives numbers and pictures, and records them. Leaves the training
as it found it, so that evaluations may come at any step and may be broken off.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from bench.data import Dataset
from bench.features.restored import squared_error
from bench.pictures import SAMPLES, TRAINING, Picture, gif_bytes, png_bytes
from bench.protocol import metric_name
from bench.spool import RunWriter
from bench.tasks import Task
from bench.train.loop import Loop
from bench.train.sampling import draw, frozen, reconstructions, shown
from bench.train.selection import VALIDATION_FID, Best
from bench.train.signals import Interrupts
from bench.yardstick import Yardstick

SAMPLING_SEED = 1_000_003
"""Added to the trial's seed, so that evaluation never draws the latents of training."""


class Examiner:
    """Examines what `loop` trains, under the sampling seed of one trial; `seconds` is the time that took."""

    def __init__(
        self,
        loop: Loop,
        task: Task,
        data: Dataset,
        yardstick: Yardstick,
        recorder: RunWriter,
        interrupts: Interrupts,
        seed: int,
    ) -> None:
        self.loop, self.gan = loop, loop.gan
        self.task, self.data, self.yardstick = task, data, yardstick
        self.recorder, self.interrupts = recorder, interrupts
        self.seed = seed + SAMPLING_SEED
        self.seconds = 0.0
        self.frames: list[Picture] = []
        self.grid: Picture | None = None
        self.best = Best()

    def state_dict(self) -> dict[str, Any]:
        """What was seen so far."""
        pictures = {"frames": self.frames, "grid": [] if self.grid is None else [self.grid]}
        tensors = {name: [torch.tensor(picture) for picture in several] for name, several in pictures.items()}
        return {"seconds": self.seconds, "best": self.best.state_dict(), **tensors}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from there."""
        self.seconds = state["seconds"]
        self.best.load_state_dict(state["best"])
        self.frames = [frame.numpy() for frame in state["frames"]]
        self.grid = next((grid.numpy() for grid in state["grid"]), None)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - started

    def _picture(self, rows: int) -> Picture:
        """Samples, always from the same latents."""
        return shown(self.gan, self.loop.generator, self.task, self.data, rows, self.seed)

    def frame(self) -> None:
        """One more frame of the GIF, always from the same latents."""
        with self._timed():
            self.frames.append(self._picture(8))

    def _scores(self, n: int, seed: int, *, final: bool) -> dict[str, float]:
        samples = draw(self.gan, self.loop.generator, self.task.examples(self.data, n, seed), seed)
        return self.yardstick.judge(samples, final=final)

    def evaluate(self, n: int, *, final: bool) -> dict[str, float]:
        """Scores of n samples, and a picture of some."""
        with self._timed(), self.interrupts.immediate():
            scores = self._scores(n, self.seed, final=final)
            originals = self.data.some(n)
            rebuilt = reconstructions(self.gan, self.loop.generator, originals, self.seed)
            if rebuilt is not None:
                scores[metric_name("reconstruction", n, self.task.prefix)] = squared_error(rebuilt, originals)
            self.grid = self._picture(10)
        decisive = scores.get(metric_name(VALIDATION_FID, n, self.task.prefix))
        if decisive is not None:
            self.best.offer(decisive, self.loop)
        self.recorder.metrics(scores, self.loop.counts.steps)
        self.recorder.image(self.grid, "samples", self.loop.counts.steps)
        return scores

    def select(self, n: int) -> None:
        """Puts back the weights of the best step, the last one too being tried with n samples; only on request.

        Of the last step only what decides is recorded: the scores and the picture of this step are of the weights that
        come back.
        """
        if self.data.validation is None:
            return
        name = metric_name(VALIDATION_FID, n, self.task.prefix)
        with self._timed(), self.interrupts.immediate():
            decisive = self._scores(n, self.seed, final=False)[name]
        self.best.offer(decisive, self.loop)
        self.recorder.metrics({name: decisive}, self.loop.counts.steps)
        self.best.put_back(self.loop)
        self.recorder.metrics({"selected_step": float(self.best.step)}, self.loop.counts.steps)

    def redraw(self, n: int, draws: int, scores: Mapping[str, float]) -> dict[str, float]:
        """`fid_sd`: the standard deviation of FID over draws of n samples, the first of which is in `scores`.

        Noise of sampling, not of training; {} where no draw differs.
        """
        draws = self.task.draws(draws)
        if draws < 2:
            return {}
        name = metric_name("fid", n, self.task.prefix)
        with self._timed(), self.interrupts.immediate():
            seeds = range(self.seed + 1, self.seed + draws)
            values = [scores[name], *(self._scores(n, seed, final=False)[name] for seed in seeds)]
        spread = {metric_name("fid_sd", n, self.task.prefix): statistics.stdev(values)}
        self.recorder.metrics(spread, self.loop.counts.steps)
        return spread

    def latent_pictures(self) -> None:
        """What the report shows of the latent space."""
        with self._timed(), self.interrupts.immediate(), frozen(self.gan, self.loop.generator, self.seed):
            pictures = self.task.latent_pictures(self.gan, self.data, self.yardstick)
        for name, picture in pictures.items():
            self.recorder.artifact(f"latent/{name}.png", png_bytes(picture))

    def record(self) -> None:
        """The pictures of the whole training."""
        if self.frames:
            self.recorder.artifact(TRAINING, gif_bytes(self.frames))
        if self.grid is not None:
            self.recorder.artifact(SAMPLES, png_bytes(self.grid))

"""One trial, from its seeds to its record. What goes wrong in it is its result, not the run's end."""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
import traceback
from dataclasses import dataclass
from typing import Protocol as Interface

import torch
from safetensors.torch import save

import gans
from bench.data import Dataset
from bench.evaluate import squared_error
from bench.pictures import Picture, gif_bytes, png_bytes
from bench.plan import Trial
from bench.protocol import Budget, Preset, metric_name
from bench.tasks import Task, Yardstick
from bench.track import RunWriter
from bench.train.loop import Counts, Diverged, Loop
from bench.train.sampling import draw, frozen, reconstructions, shown
from gans import GAN
from gans.fields import DIGITS, Field
from gans.networks import parameter_count

DRAIN_EVERY = 25
"""Steps between two reads of the losses from the device."""
SAMPLING_SEED = 1_000_003
"""Added to the trial's seed, so that evaluation never draws the latents of training."""


@dataclass(frozen=True)
class Settings:
    """What every trial of a run shares."""

    preset: Preset
    budget: Budget
    samples: int
    device: torch.device
    task: Task


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    status: str
    """finished, diverged, failed or interrupted"""
    reason: str
    scores: dict[str, float]
    counts: Counts


class Watcher(Interface):
    """Whoever shows progress."""

    def trial_started(self, trial: Trial, steps: int) -> None: ...
    def progressed(self, counts: Counts, scalars: dict[str, float]) -> None: ...
    def evaluated(self, counts: Counts, scores: dict[str, float]) -> None: ...
    def trial_ended(self, trial: Trial, outcome: Outcome) -> None: ...


def build(trial: Trial, device: torch.device, field: Field = DIGITS) -> GAN:
    """The trial's GAN on its device; its seed fixes initial weights, latents and dropout, each a stream of its own."""
    torch.manual_seed(trial.seed)
    gan = gans.get(trial.cell.algorithm)(trial.cell.config, field).to(device)  # type: ignore[arg-type]
    gan.rng = torch.Generator(device).manual_seed(trial.seed)
    # Dropout must not depend on how many numbers the initial weights took.
    torch.manual_seed(trial.seed)
    return gan


def schedule(steps: int, points: int) -> set[int]:
    """`points` steps at even distances, the last being `steps`."""
    return {max(round(steps * i / points), 1) for i in range(1, points + 1)} if points else set()


def weights_bytes(gan: GAN, loop: Loop) -> bytes:
    """Every network as one safetensors file, G with the weights that were scored, and the config beside them."""
    state = dict(gan.state_dict())
    state |= {f"generator.{key}": value for key, value in loop.generator.state_dict().items()}
    metadata = {
        "algorithm": gan.info.name,
        "config": json.dumps(gan.config.to_dict()),
        "generator": "ema" if gan.config.ema else "raw",
        "field": gan.field.name,
    }
    packed: bytes = save({key: value.detach().cpu().contiguous() for key, value in state.items()}, metadata)
    return packed


class TrialRunner:
    """Runs one trial and records it in `recorder`."""

    def __init__(
        self,
        trial: Trial,
        settings: Settings,
        data: Dataset,
        yardstick: Yardstick,
        recorder: RunWriter,
        watcher: Watcher,
    ) -> None:
        self.trial, self.settings, self.data = trial, settings, data
        self.task = settings.task
        self.yardstick, self.recorder, self.watcher = yardstick, recorder, watcher
        self.eval_seconds = 0.0
        self.counts = Counts()
        self.frames: list[Picture] = []
        self.grid: Picture | None = None

    def run(self) -> Outcome:
        """Trains and scores; NaN, an algorithm's own error and Ctrl-C end the trial with a status and a reason."""
        status, reason, scores = "finished", "", {}
        interrupt: KeyboardInterrupt | None = None
        try:
            scores = self._train()
        except Diverged as divergence:
            status, reason = "diverged", str(divergence)
        except KeyboardInterrupt as pressed:
            status, reason, interrupt = "interrupted", "stopped by the user", pressed
        except Exception as error:
            status, reason = "failed", " ".join(f"{type(error).__name__}: {error}".split())
            self.recorder.artifact("traceback.txt", traceback.format_exc().encode())
        outcome = Outcome(status, reason, scores, self.counts)
        self._finish(outcome)
        self.watcher.trial_ended(self.trial, outcome)
        if interrupt is not None:
            raise interrupt
        return outcome

    def _train(self) -> dict[str, float]:
        config = self.trial.cell.config
        gan = build(self.trial, self.settings.device, self.task.field)
        batches = self.task.batches(self.data, gan.config.batch_size, self.trial.seed, self.settings.device)
        steps = self.settings.budget.steps(len(self.data.images), gan.config.batch_size, gan.config.n_d)
        loop = Loop(gan, batches, steps)
        self.counts = loop.counts
        self.recorder.params(
            {
                "algorithm": self.trial.cell.algorithm,
                "seed": self.trial.seed,
                **config.to_dict(),
                "steps": steps,
                "params_g": parameter_count(gan.generator),
                # Every other network: a second discriminator or a decoder is part of the price.
                "params_d": parameter_count(gan) - parameter_count(gan.generator),
            }
        )
        self.watcher.trial_started(self.trial, steps)
        self._frame(gan, loop)
        evaluations = schedule(steps, self.settings.preset.evaluations + 1) - {steps}
        frames = schedule(steps, self.settings.preset.frames)
        reads = set(range(DRAIN_EVERY, steps, DRAIN_EVERY))
        for stop in sorted(evaluations | frames | reads | {steps}):
            loop.run(stop - loop.counts.steps)
            scalars = loop.drain()
            self.recorder.metrics(scalars | self._position(), stop)
            self.watcher.progressed(loop.counts, scalars)
            if stop in frames:
                self._frame(gan, loop)
            if stop in evaluations:
                self._evaluate(gan, loop, self.settings.preset.curve_samples, final=False)
        scores = self._evaluate(gan, loop, self.settings.samples, final=True)
        scores |= self._redrawn(gan, loop, scores)
        self._latent_pictures(gan, loop)
        self.recorder.artifact("weights.safetensors", weights_bytes(gan, loop))
        return scores

    def _position(self) -> dict[str, float]:
        position = dataclasses.asdict(self.counts)
        del position["steps"]
        return position

    def _frame(self, gan: GAN, loop: Loop) -> None:
        """One more frame of the GIF, always from the same latents."""
        started = time.perf_counter()
        self.frames.append(self._picture(gan, loop, 8))
        self.eval_seconds += time.perf_counter() - started

    def _picture(self, gan: GAN, loop: Loop, rows: int) -> Picture:
        """Samples, always from the same latents."""
        return shown(gan, loop.generator, self.task, self.data, rows, self._seed)

    @property
    def _seed(self) -> int:
        return self.trial.seed + SAMPLING_SEED

    def _evaluate(self, gan: GAN, loop: Loop, n: int, *, final: bool) -> dict[str, float]:
        started = time.perf_counter()
        samples = draw(gan, loop.generator, self.task.examples(self.data, n, self._seed), self._seed)
        scores = self.yardstick.judge(samples, final=final)
        originals = self.data.some(n)
        rebuilt = reconstructions(gan, loop.generator, originals, self._seed)
        if rebuilt is not None:
            scores[metric_name("reconstruction", n, self.task.prefix)] = squared_error(rebuilt, originals)
        self.grid = self._picture(gan, loop, 10)
        self.eval_seconds += time.perf_counter() - started
        self.recorder.metrics(scores, self.counts.steps)
        self.recorder.image(self.grid, "samples", self.counts.steps)
        self.recorder.flush()
        self.watcher.evaluated(self.counts, scores)
        return scores

    def _redrawn(self, gan: GAN, loop: Loop, scores: dict[str, float]) -> dict[str, float]:
        """`fid_sd`: the standard deviation of FID over draws of the samples, the first of which is in `scores`.

        Noise of sampling, not of training. Images made from images are the same in every draw.
        """
        draws, n = self.settings.preset.draws, self.settings.samples
        if draws < 2 or self.task.field.source is not None:
            return {}
        started = time.perf_counter()
        name = metric_name("fid", n, self.task.prefix)
        values = [scores[name]]
        for seed in range(self._seed + 1, self._seed + draws):
            samples = draw(gan, loop.generator, self.task.examples(self.data, n, seed), seed)
            values.append(self.yardstick.judge(samples, final=False)[name])
        self.eval_seconds += time.perf_counter() - started
        spread = {metric_name("fid_sd", n, self.task.prefix): statistics.stdev(values)}
        self.recorder.metrics(spread, self.counts.steps)
        return spread

    def _latent_pictures(self, gan: GAN, loop: Loop) -> None:
        """What the report shows of the latent space."""
        started = time.perf_counter()
        with frozen(gan, loop.generator, self._seed):
            pictures = self.task.latent_pictures(gan, self.data, self.yardstick)
        self.eval_seconds += time.perf_counter() - started
        for name, picture in pictures.items():
            self.recorder.artifact(f"latent/{name}.png", png_bytes(picture))

    def _finish(self, outcome: Outcome) -> None:
        if self.frames:
            self.recorder.artifact("training.gif", gif_bytes(self.frames))
        if self.grid is not None:
            self.recorder.artifact("samples.png", png_bytes(self.grid))
        summary = {
            "trial": str(self.trial),
            "config": self.trial.cell.config.to_dict(),
            "status": outcome.status,
            "reason": outcome.reason,
            "scores": outcome.scores,
            "counts": dataclasses.asdict(self.counts),
            "eval_seconds": self.eval_seconds,
            "log_seconds": self.recorder.seconds,
        }
        self.recorder.artifact("summary.json", json.dumps(summary, indent=2).encode())
        self.recorder.metrics(
            {"eval_seconds": self.eval_seconds, "log_seconds": self.recorder.seconds}, self.counts.steps
        )
        self.recorder.tags({"status": outcome.status, "reason": outcome.reason})
        self.recorder.close({"finished": "FINISHED", "interrupted": "KILLED"}.get(outcome.status, "FAILED"))

"""One trial, from its seeds to its record. What goes wrong in it is its result, not the run's end.

Owns the order of things: steps, pictures, evaluations, checkpoints. A checkpoint is taken between two steps, and before
each evaluation; only then goes to the store what was recorded up to there, so that a trial that goes on from its newest
checkpoint repeats nothing that was sent.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import json
import time
import traceback
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import torch

import gans
from bench.columns import RESULTS
from bench.data import Dataset
from bench.diagnosis import Diagnosis, diagnose
from bench.errors import place_in
from bench.journal import NoRoom
from bench.plan import Trial
from bench.spool import RunWriter
from bench.train.checkpoint import Checkpoints, Damaged
from bench.train.examine import Examiner
from bench.train.interface import Outcome, Settings, Watcher
from bench.train.loop import Counts, Diverged, Loop
from bench.train.memory import out_of_memory
from bench.train.restore import weights_bytes
from bench.train.signals import Interrupts
from bench.yardstick import Yardstick
from gans import GAN
from gans.fields import DIGITS, Field
from gans.networks import parameter_count

DRAIN_EVERY = 25
"""Steps between two reads of the losses from the device."""


def build(trial: Trial, device: torch.device, field: Field = DIGITS) -> GAN:
    """The trial's GAN on its device; its seed fixes initial weights, latents and dropout, each a stream of its own."""
    torch.manual_seed(trial.seed)
    gan = gans.get(trial.cell.algorithm)(trial.cell.config, field).to(device)
    gan.rng = torch.Generator(device).manual_seed(trial.seed)
    # Dropout must not depend on how many numbers the initial weights took.
    torch.manual_seed(trial.seed)
    return gan


def schedule(steps: int, points: int) -> set[int]:
    """`points` steps at even distances, the last being `steps`."""
    return {max(round(steps * i / points), 1) for i in range(1, points + 1)} if points else set()


class TrialRunner:
    """Runs one trial and records it in `recorder`, from its newest checkpoint where it has one."""

    def __init__(
        self,
        trial: Trial,
        settings: Settings,
        data: Dataset,
        yardstick: Yardstick,
        recorder: RunWriter,
        watcher: Watcher,
        interrupts: Interrupts,
        *,
        tags: Mapping[str, str],
        untrained: Mapping[str, float],
    ) -> None:
        self.trial, self.settings, self.data = trial, settings, data
        self.yardstick, self.recorder, self.watcher = yardstick, recorder, watcher
        self.interrupts = interrupts
        self.tags = {**tags, "status": "running", "reason": ""}
        self.untrained = untrained
        self.checkpoints = Checkpoints(recorder.folder)
        self.counts = Counts()
        self.examiner: Examiner | None = None

    def run(self) -> Generator[None, None, Outcome]:
        """Trains and scores, with a pause after each step in which other trials may be trained; gives the outcome.

        NaN, an algorithm's own error and Ctrl-C end the trial with a status and a reason. After Ctrl-C, or where memory
        ran out, its checkpoints stay: the next run goes on from them. Raises KeyboardInterrupt when that is recorded,
        and NoRoom where the disk takes no more.
        """
        status, reason, scores = "finished", "", {}
        goes_on = False
        interrupt: KeyboardInterrupt | None = None
        try:
            scores = yield from self._train()
        except Diverged as divergence:
            status, reason = "diverged", str(divergence)
        except KeyboardInterrupt as pressed:
            status, reason, interrupt = "interrupted", "stopped by the user", pressed
            goes_on = True
        except (NoRoom, GeneratorExit):
            self.recorder.release()
            raise
        except Exception as error:
            status, reason = "failed", " ".join(f"{type(error).__name__}: {error}".split())
            reason += place_in(gans.get(self.trial.cell.algorithm), error)
            if out_of_memory(error):
                reason = self._memory_advice()
                goes_on = self.checkpoints.newest() is not None
            self.recorder.artifact("traceback.txt", traceback.format_exc().encode())
        outcome = Outcome(status, reason, scores, self.counts)
        self._record(outcome, goes_on)
        self.watcher.trial_ended(self.trial, outcome)
        if interrupt is not None:
            raise interrupt
        return outcome

    def _memory_advice(self) -> str:
        config = self.trial.cell.config
        now = {"batch_size": (config.batch_size, 2), "unroll": (config.unroll, 0), "pack": (config.pack, 1)}
        lower = [f"{name} (now {value})" for name, (value, least) in now.items() if value > least]
        return (
            f"out of memory on {self.settings.device}: lower {' or '.join(lower)} with --set, train fewer trials at a "
            "time (--jobs, --together), stop other programs that use the device, or choose another one with --device"
        )

    def _train(self) -> Generator[None, None, dict[str, float]]:
        preset = self.settings.preset
        loop, examiner = self._begin()
        steps = loop.steps
        evaluations = schedule(steps, preset.evaluations + 1) - {steps}
        frames = schedule(steps, preset.frames)
        reads = range(DRAIN_EVERY, steps, DRAIN_EVERY)  # of a long training too many to hold
        for stop, _ in itertools.groupby(heapq.merge(reads, sorted(evaluations | frames | {steps}))):
            if stop < loop.counts.steps:
                continue
            yield from self._advance(loop, examiner, stop)
            if stop in evaluations or stop == steps:
                self._checkpoint(loop, examiner)
            scalars = loop.drain()
            self.recorder.metrics(scalars | self._position(), stop)
            self.watcher.progressed(self.trial, loop.counts, scalars)
            if stop in frames:
                examiner.frame()
            if stop in evaluations:
                self.watcher.evaluated(self.trial, loop.counts, examiner.evaluate(preset.curve_samples, final=False))
        examiner.select(preset.curve_samples)
        scores = examiner.evaluate(self.settings.samples, final=True)
        self.watcher.evaluated(self.trial, loop.counts, scores)
        scores |= examiner.redraw(self.settings.samples, preset.draws, scores)
        examiner.latent_pictures()
        self.recorder.artifact("weights.safetensors", weights_bytes(loop))
        return scores

    def _begin(self) -> tuple[Loop, Examiner]:
        """The loop and the examiner, at the newest usable checkpoint or at the start."""
        for state in self.checkpoints.load():
            if isinstance(state, Damaged):
                self.watcher.say(f"{self.trial}: {state} and not used")
            else:
                return self._resume(state)
        self.recorder.rewind(0)
        self.recorder.tags(self.tags)
        loop, examiner = self._build()
        config = self.trial.cell.config
        self.recorder.params(
            {
                "algorithm": self.trial.cell.algorithm,
                "seed": self.trial.seed,
                **config.to_dict(),
                "steps": loop.steps,
                "params_g": parameter_count(loop.gan.generator),
                # Every other network: a second discriminator or a decoder is part of the price.
                "params_d": parameter_count(loop.gan) - parameter_count(loop.gan.generator),
            }
        )
        self.recorder.flush()
        self.watcher.trial_started(self.trial, loop.steps)
        examiner.frame()
        return loop, examiner

    def _build(self) -> tuple[Loop, Examiner]:
        settings, seed = self.settings, self.trial.seed
        gan = build(self.trial, settings.device, settings.task.field)
        batches = settings.task.batches(self.data, gan.config.batch_size, seed, settings.device)
        steps = settings.budget.steps(batches.per_epoch, gan.config.batch_size, gan.config.n_d)
        loop = Loop(gan, batches, steps, settings.precision, graphs=settings.graphs)
        self.counts = loop.counts
        self.examiner = Examiner(loop, settings.task, self.data, self.yardstick, self.recorder, self.interrupts, seed)
        self._saved = time.monotonic()
        return loop, self.examiner

    def _resume(self, state: Mapping[str, Any]) -> tuple[Loop, Examiner]:
        loop, examiner = self._build()
        loop.load_state_dict(state["loop"])
        examiner.load_state_dict(state["examiner"])
        self.recorder.rewind(state["recorded"])
        self.recorder.seconds += state["log_seconds"]
        self.recorder.tags(self.tags)
        self.watcher.trial_started(self.trial, loop.steps)
        self.watcher.say(f"{self.trial}: goes on from step {loop.counts.steps:,} of {loop.steps:,}")
        return loop, examiner

    def _advance(self, loop: Loop, examiner: Examiner, stop: int) -> Iterator[None]:
        """Trains to the step `stop`, with a checkpoint whenever it is time, and obeys a signal after the step."""
        while loop.counts.steps < stop:
            loop.run(1)
            is_time = time.monotonic() - self._saved >= self.settings.checkpoint_every
            if is_time or self.interrupts.pending is not None:
                self._checkpoint(loop, examiner)
            self.interrupts.obey()
            yield

    def _checkpoint(self, loop: Loop, examiner: Examiner) -> None:
        """Saves the state, then sends what was recorded up to it. A full disk is no reason to stop training."""
        state = {
            "loop": loop.state_dict(),
            "examiner": examiner.state_dict(),
            "recorded": self.recorder.position(),
            "log_seconds": self.recorder.seconds,
        }
        try:
            self.checkpoints.save(loop.counts.steps, state)
        except OSError as error:
            self.watcher.say(
                f"{self.trial}: no checkpoint at step {loop.counts.steps:,} ({error.strerror or error}), "
                "the training goes on"
            )
        self._saved = time.monotonic()
        self.recorder.flush()

    def _position(self) -> dict[str, float]:
        return {name: value for name, value in dataclasses.asdict(self.counts).items() if name != "steps"}

    def _diagnosis(self, outcome: Outcome) -> Diagnosis | str:
        if outcome.status not in RESULTS:
            return ""
        return diagnose(
            outcome.reason,
            outcome.scores,
            self.recorder.series("loss_d"),
            self.untrained,
            samples=self.settings.samples,
            prefix=self.settings.task.prefix,
        )

    def _record(self, outcome: Outcome, goes_on: bool) -> None:
        eval_seconds = self.examiner.seconds if self.examiner else 0.0
        if self.examiner is not None:
            self.examiner.record()
        summary = {
            "trial": str(self.trial),
            "config": self.trial.cell.config.to_dict(),
            "status": outcome.status,
            "reason": outcome.reason,
            "scores": outcome.scores,
            "counts": dataclasses.asdict(self.counts),
            "eval_seconds": eval_seconds,
            "log_seconds": self.recorder.seconds,
        }
        self.recorder.artifact("summary.json", json.dumps(summary, indent=2).encode())
        self.recorder.tags(
            {"status": outcome.status, "reason": outcome.reason, "diagnosis": str(self._diagnosis(outcome))}
        )
        if goes_on:
            self.recorder.suspend("KILLED" if outcome.status == "interrupted" else "FAILED")
            return
        self.recorder.metrics({"eval_seconds": eval_seconds, "log_seconds": self.recorder.seconds}, self.counts.steps)
        self.recorder.close("FINISHED" if outcome.status == "finished" else "FAILED", self.checkpoints.clear)

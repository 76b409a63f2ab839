"""What the harness costs beside the steps: start, memory, overhead, records, checkpoints, and each further trial."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from bench.defaults import CHECKPOINT_EVERY
from bench.plan import expand
from bench.protocol import PRESETS, Budget
from bench.speed import child
from bench.speed.naive import PEER
from bench.speed.step import SIZES, Subject, noise_images, our_loop, our_steps
from bench.speed.timing import WARM_UP, Numbers, interleaved, ratios, spread
from bench.spool import Spool
from bench.tasks import TASKS
from bench.track import Store
from bench.train.checkpoint import Checkpoints
from bench.train.interface import Settings, Silence
from bench.train.signals import Interrupts
from bench.train.trial import DRAIN_EVERY, TrialRunner

COMMAND = (sys.executable, "-c", "from bench.cli import main; main()")
PROCESSES = 5
"""Rounds at most of what starts processes."""
STEPS = 2_000
"""Steps whose records are stored: those of the preset quick."""
SHORTER = 10
"""How many times as short as a trial is the part of it that is timed."""
SEEDS = (1, 2, 4)


def measure_start(subject: Subject) -> dict[str, Numbers]:
    """`bench --help` beside a bare interpreter, and the time from nothing to the first steps."""
    actions = {
        "bare": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        "help": lambda: subprocess.run([*COMMAND, "--help"], check=True, stdout=subprocess.DEVNULL),
        "naive": lambda: child.start("naive"),
        "ours": lambda: child.start("ours"),
    }
    seconds = interleaved(actions, min(subject.repeats, PROCESSES), warm_up=1)
    over = [slow - fast for slow, fast in zip(seconds["help"], seconds["bare"], strict=True)]
    first = {name: spread("seconds", seconds[name]) for name in child.KINDS}
    first["ours"] |= ratios("ratio_to_naive", seconds["naive"], seconds["ours"])
    return {"help": spread("seconds_over_bare_interpreter", over)} | {f"first_step_{k}": v for k, v in first.items()}


def measure_memory(subject: Subject) -> dict[str, Numbers]:
    """Peak resident memory of a process that trains at batch 64, with all that it imports."""
    return {kind: {"peak_mb": child.start(kind)} for kind in child.KINDS}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_overhead(subject: Subject) -> dict[str, Numbers]:
    """What a trial of the preset quick spends before its evaluation on anything but its players' turns.

    That is batches, the loop, pictures, records, and a checkpoint every fifteen seconds of the measurement. A tenth of
    the trial, each of its steps in turn with the bare turns of another GAN of its kind.
    """
    quick = PRESETS["quick"]
    steps, frames = quick.budget.amount // SHORTER, quick.frames // SHORTER
    settings = Settings(
        replace(quick, evaluations=0, frames=frames),
        *(Budget(steps), quick.samples, subject.device, TASKS["mnist"]),
        checkpoint_every=CHECKPOINT_EVERY / 4,
    )
    bare = our_loop(PEER, SIZES[1], subject.device)
    batch = bare.batches.next()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Spool(Store(uri=f"sqlite:///{folder}/mlflow.db"), Path(folder)).start("speed", "trial")
        trial = TrialRunner(
            *(expand([PEER]).trials[0], settings, noise_images()),
            None,  # type: ignore[arg-type]  # it is left before it is scored
            *(recorder, Silence(), Interrupts()),
            tags={},
            untrained={},
        ).run()

        def step() -> None:
            next(trial)
            _wait(subject.device)

        def turns() -> None:
            for turn in bare.turns:
                turn.take(batch)
            _wait(subject.device)

        seconds = interleaved({"trial": step, "turns": turns}, steps - WARM_UP)
        trial.close()
    return {"of_a_trial": {"share_of_wall_time": 1 - sum(seconds["turns"]) / sum(seconds["trial"])}}


def measure_logging(subject: Subject) -> dict[str, Numbers]:
    """The records of 2,000 steps: writing them as they come, and sending them to a store on this disk."""
    scalars = {f"scalar{i}": 0.5 for i in range(8)}
    with tempfile.TemporaryDirectory() as folder:
        writer = Spool(Store(uri=f"sqlite:///{folder}/mlflow.db"), Path(folder)).start("speed", "trial")
        started = time.perf_counter()
        for stop in range(DRAIN_EVERY, STEPS + 1, DRAIN_EVERY):
            writer.metrics(scalars, stop)
        written = time.perf_counter()
        writer.flush()
        sent = time.perf_counter()
        writer.close("FINISHED")
    return {f"{STEPS}_steps": {"seconds_to_write": written - started, "seconds_to_send": sent - written}}


def measure_checkpoint(subject: Subject) -> dict[str, Numbers]:
    """A checkpoint of the peer's trial, written and read."""
    loop = our_loop(PEER, SIZES[1], subject.device)
    our_steps(loop)()
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(Path(folder))
        actions = {
            "write": lambda: checkpoints.save(loop.counts.steps, loop.state_dict()),
            "read": lambda: next(checkpoints.load()),
        }
        seconds = interleaved(actions, subject.repeats)
        size = next(Path(folder).glob("*.pt")).stat().st_size
    found = {name: spread("seconds", values) for name, values in seconds.items()}
    return found | {"file": {"mb": size / 2**20}}


def measure_trials(subject: Subject) -> dict[str, Numbers]:
    """`bench run` of the smallest preset with 1, 2 and 4 seeds: what a run costs, and what each trial adds."""
    seconds = {}
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    for seeds in SEEDS:
        arguments = ["run", "--algos", PEER, "--preset", "smoke", "--seeds", str(seeds), "--offline"]
        # What was given to this process by PYTHONPATH=. must be found from another folder too.
        paths = {"PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)}
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            subprocess.run([*COMMAND, *arguments], check=True, cwd=folder, capture_output=True, env=environment | paths)
            seconds[seeds] = time.perf_counter() - started
    further = (seconds[SEEDS[-1]] - seconds[SEEDS[0]]) / (SEEDS[-1] - SEEDS[0])
    found = {f"{seeds}_trials": {"seconds": value} for seeds, value in seconds.items()}
    return found | {"each_further": {"seconds": further}}

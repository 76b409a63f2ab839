"""One step of the loop against the naive script's, and both against the roofline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from bench.data import Batches, Dataset, fingerprint, to_unit
from bench.errors import BenchError
from bench.plan import expand
from bench.precision import PRECISIONS, supports
from bench.speed import roofline
from bench.speed.naive import PEER, NaiveScript
from bench.speed.timing import Action, Numbers, interleaved, ratios, spread
from bench.tasks import TASKS
from bench.train.loop import Loop
from bench.train.trial import DRAIN_EVERY, build

IMAGES = 6_400
"""Made-up images to train on; what they show costs no time."""
Timed = dict[str, list[float]]
GRAPHS = "_graphs"
"""End of the names of steps that are replayed as CUDA graphs."""
SIZES = (16, 64, 256)
"""The batch sizes that are compared; steps are compared at the second."""


@dataclass(frozen=True)
class Subject:
    """What is to be measured."""

    algorithms: Sequence[str]
    repeats: int
    device: torch.device


def noise_images(n: int = IMAGES) -> Dataset:
    """n images of noise that pass for digits."""
    images = torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return Dataset("noise", images, torch.arange(n) % 10, fingerprint(images), "made up")


def our_loop(
    algorithm: str, batch_size: int, device: torch.device, precision: str = "fp32", *, graphs: bool = False
) -> Loop:
    """The harness's loop over `algorithm` on digits, as a trial has it; BenchError where it does not play on them."""
    plan = expand([algorithm], assignments=[f"batch_size={batch_size}"], misfit=TASKS["mnist"].misfit)
    if plan.skips:
        raise BenchError(f"--algos {algorithm}: {plan.skips[0].reason}; speed is measured on digits")
    data = noise_images()
    gan = build(plan.trials[0], device)
    return Loop(gan, Batches(data, batch_size, 0, device), steps=10**6, precision=precision, graphs=graphs)


def cycle(loop: Loop) -> int:
    """Steps that are timed together: whole periods of turns, on a GPU about as many as a trial takes between drains."""
    steps = math.lcm(2, loop.period)
    return steps * max(DRAIN_EVERY // steps, 1) if loop.gan.device.type == "cuda" else steps


def our_steps(loop: Loop) -> Action:
    """A cycle of steps, and the wait for the device that `drain` is."""

    def steps() -> None:
        loop.run(cycle(loop))
        loop.drain()

    return steps


def naive_step(batch_size: int, device: torch.device) -> Action:
    """A step of the naive script."""
    return NaiveScript(to_unit(noise_images().images), batch_size, device).step


def _seconds(naive: Action, loops: Mapping[str, Loop], others: Mapping[str, Action], repeats: int) -> Timed:
    """Seconds of one step each of the script and of every loop, and of the other actions."""
    actions = {"naive": naive} | {name: our_steps(loop) for name, loop in loops.items()} | dict(others)
    seconds = interleaved(actions, repeats)
    for name, loop in loops.items():
        seconds[name] = [value / cycle(loop) for value in seconds[name]]
    return seconds


def measure_step(subject: Subject) -> dict[str, Numbers]:
    """Every algorithm's step at batch 64 against the naive one; in bf16 and from CUDA graphs where the device can."""
    device, size = subject.device, SIZES[1]
    kinds = [
        (algorithm, precision, graphs)
        for algorithm in subject.algorithms
        for precision in PRECISIONS
        if supports(device, precision)
        for graphs in ((False, True) if device.type == "cuda" else (False,))
    ]
    loops = {
        f"{algorithm}_{precision}{GRAPHS * graphs}": our_loop(algorithm, size, device, precision, graphs=graphs)
        for algorithm, precision, graphs in kinds
    }
    roof = roofline.convolutions(device)
    convolutions = {name: action for name, (action, _) in roof.items()}
    seconds = _seconds(naive_step(size, device), loops, convolutions, subject.repeats)
    rate = roofline.best_rate(seconds, {name: operations for name, (_, operations) in roof.items()})
    # Of the arithmetic that is needed: what the script throws away counts against it.
    needed = roofline.flops(our_steps(loop := our_loop(PEER, size, device))) / cycle(loop)
    found: dict[str, Numbers] = {"roofline": {"convolution_gflops": rate / 1e9}}
    found["naive"] = _against_roof(seconds["naive"], needed, rate)
    for name, loop in loops.items():
        # Counted where Python asks for each operation, which a graph's replay does not.
        counted = roofline.flops(our_steps(loops[name.removesuffix(GRAPHS)]))
        found[name] = _against_roof(seconds[name], counted / cycle(loop), rate)
        found[name] |= ratios("ratio_to_naive", seconds["naive"], seconds[name])
    return found


def _against_roof(seconds: Sequence[float], operations: float, rate: float) -> Numbers:
    milliseconds = spread("ms", [1000 * value for value in seconds])
    share = 1000 * operations / rate / milliseconds["ms_median"]
    return milliseconds | {"gflop": operations / 1e9, "share_of_fp32_roofline": share}


def measure_batch(subject: Subject) -> dict[str, Numbers]:
    """The peer's step by batch size against the naive one."""
    found = {}
    for size in SIZES:
        loops = {"ours": our_loop(PEER, size, subject.device)}
        seconds = _seconds(naive_step(size, subject.device), loops, {}, subject.repeats)
        found[str(size)] = {
            **spread("images_per_second", [size / value for value in seconds["ours"]]),
            **ratios("ratio_to_naive", seconds["naive"], seconds["ours"]),
        }
    return found

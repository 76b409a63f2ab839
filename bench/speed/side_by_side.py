"""Several trials at once, in processes or together in one, against the naive script run that many times."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from multiprocessing.connection import Connection
from typing import Self

import torch

from bench.precision import PRECISIONS, supports
from bench.speed.naive import PEER
from bench.speed.step import GRAPHS, SIZES, Subject, cycle, naive_step, our_loop, our_steps
from bench.speed.timing import Action, Numbers, interleaved, ratios, spread
from bench.train.lanes import Lane
from bench.train.loop import Loop

JOBS = 2
LANES = (1, 2, 4, 8)
CYCLES = 10
"""Rounds of turns that are timed together: to tell a process to go on takes a while."""


def _serve(connection: Connection, precision: str, threads: int, size: int) -> None:
    """The life of a process that trains as many cycles as it is told to, until it is told none."""
    torch.set_num_threads(threads)
    steps = our_steps(our_loop(PEER, size, torch.device("cpu"), precision))
    while cycles := connection.recv():
        for _ in range(cycles):
            steps()
        connection.send(True)


class _Team:
    """Processes that train one trial each on the CPU and share its threads, idle until all are told to go on."""

    def __init__(self, precision: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.connections, self.processes = [], []
        for _ in range(JOBS):
            mine, theirs = context.Pipe()
            arguments = (theirs, precision, max(torch.get_num_threads() // JOBS, 1), SIZES[1])
            self.connections.append(mine)
            self.processes.append(context.Process(target=_serve, args=arguments, daemon=True))

    def __enter__(self) -> Self:
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_: object) -> None:
        for connection, process in zip(self.connections, self.processes, strict=True):
            connection.send(0)
            process.join()

    def go_on(self) -> None:
        for connection in self.connections:
            connection.send(CYCLES)
        for connection in self.connections:
            connection.recv()


def measure_jobs(subject: Subject) -> dict[str, Numbers]:
    """A step of the peer where two processes train two trials on this CPU, against the script that has it alone."""
    cpu, found = torch.device("cpu"), {}
    for precision in PRECISIONS:
        if not supports(cpu, precision):
            continue
        with _Team(precision) as team:
            actions = {"naive": naive_step(SIZES[1], cpu), "ours": team.go_on}
            seconds = interleaved(actions, subject.repeats)
        steps = JOBS * CYCLES * cycle(our_loop(PEER, SIZES[1], cpu))
        each = [value / steps for value in seconds["ours"]]
        found[f"{JOBS}_processes_{precision}"] = {
            **spread("ms_a_trials_step", [1000 * value for value in each]),
            **ratios("ratio_to_naive", seconds["naive"], each),
        }
    return found


def _in_cycles(loop: Loop) -> Generator[None, None, None]:
    """Steps for ever, one at a time, and after each cycle the wait for the device."""
    while True:
        for _ in range(cycle(loop)):
            loop.run(1)
            yield
        loop.drain()
        yield


def _together(lanes: int, device: torch.device, *, graphs: bool) -> Action:
    loops = [our_loop(PEER, SIZES[1], device, graphs=graphs) for _ in range(lanes)]
    under_way = [Lane(_in_cycles(loop), device) for loop in loops]

    def go_on() -> None:
        for _ in range(cycle(loops[0]) + 1):
            for lane in under_way:
                lane.go_on()

    return go_on


def measure_together(subject: Subject) -> dict[str, Numbers]:
    """A step of the peer where 1, 2, 4 and 8 trials are trained together, against the script and against one alone."""
    device, found = subject.device, {}
    kinds = [(graphs, lanes) for graphs in {False, device.type == "cuda"} for lanes in LANES]
    actions = {"naive": naive_step(SIZES[1], device)}
    actions |= {str(kind): _together(kind[1], device, graphs=kind[0]) for kind in kinds}
    seconds = interleaved(actions, subject.repeats)
    steps = cycle(our_loop(PEER, SIZES[1], device))
    for graphs, lanes in kinds:
        each, alone = ([value / (steps * n) for value in seconds[str((graphs, n))]] for n in (lanes, 1))
        found[f"{lanes}{GRAPHS * graphs}"] = {
            **spread("images_per_second", [SIZES[1] / value for value in each]),
            **ratios("ratio_to_naive", seconds["naive"], each),
            **ratios("ratio_to_one_alone", alone, each),
        }
    return found

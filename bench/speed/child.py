"""A process of its own, for what a process costs: it takes some steps and prints the peak of its memory in MB.

The naive script's process imports torch and the script, as it would without the harness; ours all that a trial needs.
"""

from __future__ import annotations

import resource
import subprocess
import sys

import torch

from bench.speed.naive import PEER, NaiveScript

KINDS = ("naive", "ours")


def start(kind: str) -> float:
    """Runs a process that takes its first steps and ends; the peak of its resident memory in MB."""
    command = [sys.executable, "-m", __spec__.name, kind]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(kind: str) -> None:
    """The first steps of the naive script or of ours, on the CPU at batch 64."""
    cpu, size, steps = torch.device("cpu"), 64, 2
    if kind == "naive":
        script = NaiveScript(torch.rand(6_400, 1, 28, 28) * 2 - 1, size, cpu)
        for _ in range(steps):
            script.step()
    else:
        from bench.speed.step import our_loop

        loop = our_loop(PEER, size, cpu)
        loop.run(steps)
        loop.drain()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (2**20 if sys.platform == "darwin" else 2**10))


if __name__ == "__main__":
    main(sys.argv[1])

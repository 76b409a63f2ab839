"""A process of its own, for what a process costs: it takes some steps and prints the peak of its memory in MB."""

from __future__ import annotations

import resource
import subprocess
import sys

import torch

from bench.speed import step
from bench.speed.naive import PEER

KINDS = ("naive", "ours")


def start(kind: str) -> float:
    """Runs a process that takes its first steps and ends; the peak of its resident memory in MB."""
    command = [sys.executable, "-m", __spec__.name, kind]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(kind: str) -> None:
    """The first steps of the naive script or of ours, on the CPU at batch 64."""
    cpu, size = torch.device("cpu"), step.SIZES[1]
    action = step.naive_step(size, cpu) if kind == "naive" else step.our_steps(step.our_loop(PEER, size, cpu))
    action()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(peak / (2**20 if sys.platform == "darwin" else 2**10))


if __name__ == "__main__":
    main(sys.argv[1])

"""Work for the processes of an engine: simulated trials, some of which go wrong."""

import os
import signal
import time
from pathlib import Path

import torch

from bench.errors import BenchError
from bench.train.interface import Ended, Outcome
from bench.train.loop import Counts


def _attempts(order):
    """How often this was called for the order, this time counted; kept in files of the working directory."""
    path = Path(f"tries-{order.number}")
    path.write_text((path.read_text() if path.exists() else "") + "x")
    return len(path.read_text())


def ended(order, reason=""):
    return Ended(order.number, Outcome("finished", reason, {}, Counts()))


def fragile(request, order, watcher, interrupts):
    """The first trial kills its process once, the second one always, all others end and say what they see."""
    attempt = _attempts(order)
    if (order.number == 0 and attempt == 1) or order.number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return ended(order, f"attempt {attempt}, patience {order.patience}, {torch.get_num_threads()} threads")


def doomed(request, order, watcher, interrupts):
    """Kills its process, whatever the trial."""
    os.kill(os.getpid(), signal.SIGKILL)


def faulty(request, order, watcher, interrupts):
    """The first trial raises what ends a run, once the second one waits; the others wait to be stopped."""
    if order.number == 0:
        for _ in range(600):
            if Path("waits-1").exists():
                break
            time.sleep(0.05)
        raise BenchError("the disk is full")
    return patient(request, order, watcher, interrupts)


def patient(request, order, watcher, interrupts):
    """Waits for a signal; leaves a file when it waits, and another one when that came."""
    watcher.say(f"{order.number} waits")
    Path(f"waits-{order.number}").touch()
    for _ in range(600):
        if interrupts.pending:
            Path(f"stopped-{order.number}").touch()
            interrupts.obey()
        time.sleep(0.05)
    return ended(order)

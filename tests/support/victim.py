"""`bench` in a process of its own that can be killed: forked from a server that has everything imported already."""

import faulthandler
import importlib
import itertools
import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from bench.files import save

LONG = pytest.mark.skipif(not os.environ.get("BENCH_LONG"), reason="part of the long form, BENCH_LONG=1")
PRELOAD = ["victim", "torch", "mlflow", "bench.cli", "bench.train.run", "bench.evaluate", "reports.tables"]
CURVES = ("run", "--algos", "gan", "--steps", "100", "--preset", "smoke", "--samples", "200")
"""A command of one short trial."""
AVERAGED = ("run", "--algos", "gan", "--preset", "smoke", "--steps", "300", "--samples", "200", "--set", "ema=0.9")
"""A command of one that takes longer, with averaged weights beside the others."""
GRID = (*AVERAGED, "--seeds", "3", "--checkpoint-every", "0.2")
"""A command of three such trials, which have a checkpoint at any time."""
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(PRELOAD)
STACK = "stack.txt"
PLACES = {
    "writing a checkpoint": ("train/trial.py", "_checkpoint"),
    "sending to the store": ("bench/journal.py", "deliver"),
    "scoring": ("train/examine.py", ""),
    "training": ("train/loop.py", ""),
    "elsewhere in a trial": ("train/trial.py", ""),
    "reference rows": ("train/references.py", ""),
}
"""Where a process may be: a file and a function on its stack, the first that fits."""


def _place(stack):
    """What a process was at, of the stack that faulthandler wrote of it."""
    for place, (file, function) in PLACES.items():
        if any(f'{file}"' in line and line.endswith(function) for line in stack.splitlines()):
            return place
    return "start and end of the command"


def _die_in(place, nth, *signals):
    """Lets these signals, else SIGKILL, come at the beginning of the nth call of 'module:Class.function'."""
    module, _, name = place.partition(":")
    owner = importlib.import_module(module)
    *path, attribute = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    honest = getattr(owner, attribute)
    calls = itertools.count(1)

    def deadly(*arguments, **options):
        if next(calls) == nth:
            for number in signals or (signal.SIGKILL,):
                os.kill(os.getpid(), number)
        return honest(*arguments, **options)

    setattr(owner, attribute, deadly)


def blank_report(_, out):
    """A page without content, in place of `bench.cli.report.write`."""
    save(out, b"no report")
    return out.resolve()


def _wait_at_most(seconds):
    """Lets sqlite wait so long for a lock: MLflow asks for 20 s in every session, whatever the store's URI says."""

    @event.listens_for(Engine, "before_cursor_execute", retval=True)
    def impatient(connection, cursor, statement, parameters, *_):
        return re.sub(r"(PRAGMA busy_timeout) = \d+", rf"\1 = {int(seconds * 1000)}", statement), parameters


def _bench(folder, arguments, die_in, out, patience, environment):
    import torch

    from bench.cli import invoke

    os.chdir(folder)
    faulthandler.register(signal.SIGUSR1, (folder / STACK).open("w"), all_threads=False)
    os.environ.update({"BENCH_OFFLINE": "1", "XDG_CACHE_HOME": str(folder / "cache"), **environment})
    for name in ("MLFLOW_TRACKING_URI", "BENCH_EXPERIMENT", "BENCH_DATA_DIR"):
        if name not in environment:
            os.environ.pop(name, None)
    torch.set_num_threads(1)
    # What is tested is in the store; the page would take longer than the training.
    importlib.import_module("bench.cli.report").write = blank_report
    if die_in:
        _die_in(*die_in)
    if patience is not None:
        _wait_at_most(patience)
    with (folder / out).open("w", buffering=1) as output:
        sys.stdout = sys.stderr = output
        sys.exit(invoke(arguments))


def open_store(folder, barrier):
    """Opens a store that is not there yet at the moment that others do."""
    from bench.track import Store

    barrier.wait()
    Store(uri=f"sqlite:///{folder}/fresh.db")


class Victim:
    """One command line of `bench`, running in `folder`; what it prints is in output.txt there.

    `patience` is how many seconds it waits for a store that somebody locks.
    """

    def __init__(self, folder, *arguments, die_in=None, out="output.txt", patience=None, **environment):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        words = [str(argument) for argument in arguments]
        self.out = out
        for name in (out, STACK):
            (self.folder / name).unlink(missing_ok=True)
        self.process = context.Process(target=_bench, args=(self.folder, words, die_in, out, patience, environment))
        self.process.start()

    @property
    def output(self):
        path = self.folder / self.out
        return path.read_text() if path.exists() else ""

    def ended(self, seconds):
        """The exit code, or None when it still runs after so long."""
        self.process.join(seconds)
        return self.process.exitcode

    def wait(self, seconds=300):
        """The exit code. What still runs after so long hangs: it is killed, and the test fails."""
        if self.ended(seconds) is None:
            pytest.fail(f"still runs after {seconds} s ({self.kill()}):\n{self.output}")
        return self.process.exitcode

    def wait_for(self, text, seconds=120):
        """Whether the output holds `text`, once it does or the process has ended."""
        for _ in range(int(seconds / 0.02)):
            if text in self.output or self.ended(0.02) is not None:
                break
        return text in self.output

    def kill(self):
        """Kills it, and says what it was at a moment before."""
        stack = self.folder / STACK
        if stack.exists():  # else nobody has asked for the signal yet, which is deadly then
            os.kill(self.process.pid, signal.SIGUSR1)
            for _ in range(100):
                if stack.read_text() or self.ended(0.01) is not None:
                    break
        self.process.kill()
        self.process.join()
        return _place(stack.read_text() if stack.exists() else "")

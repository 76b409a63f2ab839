"""What a process does that trains trials for another one: it makes the same plan of the same request, and obeys.

What happens in it goes to the one who asked, as events. Knows nothing of how orders and events travel.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, warn_in_one_line
from bench.plan import Trial
from bench.request import Request
from bench.train.interface import Ended, Order, Outcome, Watcher
from bench.train.loop import Counts
from bench.train.signals import Interrupts

Event = tuple[str, int, tuple[Any, ...]]
"""A method of Watcher, the number of the trial in the plan, and what else the method is given."""
Work = Callable[[Request, Order, Watcher, Interrupts], Ended]
VARIABLES = ("BENCH_", "MLFLOW_", "XDG_CACHE_HOME", "AWS_")
"""The environment that decides where data and results lie starts so."""


@dataclass(frozen=True)
class Site:
    """Where and how a worker is to work: like the process that asks it to."""

    folder: Path
    environment: Mapping[str, str]
    threads: int

    @classmethod
    def here(cls, threads: int) -> Site:
        """This process's own; its store is named, lest a worker's surroundings name another."""
        from bench.track import tracking_uri

        environment = {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)}
        return cls(Path.cwd(), environment | {"MLFLOW_TRACKING_URI": tracking_uri()}, threads)

    def enter(self) -> None:
        """Makes this process work there. BenchError where the folder is not on this machine."""
        import torch

        os.environ.update(self.environment)
        try:
            os.chdir(self.folder)
        except OSError as error:
            raise BenchError(
                f"{self.folder} cannot be entered on {os.uname().nodename} ({error.strerror}): 'bench run' must be "
                "given in a folder that all machines share under one path"
            ) from error
        torch.set_num_threads(self.threads)
        warn_in_one_line()


class Reporter:
    """The watcher of one trial, whose events are watched elsewhere."""

    def __init__(self, number: int, send: Callable[[Event], None]) -> None:
        self.number, self.send = number, send

    def trial_started(self, trial: Trial, steps: int) -> None:
        self.send(("trial_started", self.number, (steps,)))

    def progressed(self, trial: Trial, counts: Counts, scalars: dict[str, float]) -> None:
        self.send(("progressed", self.number, (counts, scalars)))

    def evaluated(self, trial: Trial, counts: Counts, scores: dict[str, float]) -> None:
        self.send(("evaluated", self.number, (counts, scores)))

    def trial_ended(self, trial: Trial, outcome: Outcome) -> None:
        self.send(("trial_ended", self.number, (outcome,)))

    def say(self, text: str) -> None:
        self.send(("say", self.number, (text,)))


def show(event: Event, trials: Mapping[int, Trial], watcher: Watcher) -> None:
    """Gives an event to a watcher here."""
    method, number, arguments = event
    about = () if method == "say" else (trials[number],)
    getattr(watcher, method)(*about, *arguments)


@functools.cache
def _workplace(request: Request) -> Any:
    from bench.spool import Place, Spool
    from bench.track import tracking_uri
    from bench.train.conditions import Conditions
    from bench.train.workplace import Workplace

    # A store that is away just now must not keep a worker from training: results wait for it.
    spool = Spool(Place(tracking_uri(), request.experiment))
    return Workplace(Conditions(request.grid()), spool, fresh=request.fresh)


def train(request: Request, order: Order, watcher: Watcher, interrupts: Interrupts) -> Ended:
    """Trains an ordered trial; what is loaded for it stays for the next one."""
    workplace = _workplace(request)
    trials = workplace.conditions.plan.trials
    if order.number >= len(trials) or workplace.conditions.fingerprint(trials[order.number]) != order.fingerprint:
        raise BenchError(
            f"trial {order.number} is another one on {os.uname().nodename} than where it was asked for: data, packages "
            "and plugins must be the same on all machines"
        )
    ended: Ended = workplace.train(order, watcher, interrupts)
    return ended

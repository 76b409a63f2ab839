"""The engine that trains trials side by side in processes of this machine.

Gives each process a trial, and the next one when that has ended. A process that dies costs its trial one more try, from
its newest checkpoint. Processes are spawned, each with its own libraries, data and connection to the store; they end
with the process that made them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from bench.plan import Trial
from bench.request import Request
from bench.train.interface import Ended, Order, Watcher
from bench.train.signals import Interrupts
from bench.train.worker import Event, Reporter, Site, Work, show, train

TRIES = 2
PATIENCE = 30.0
"""Seconds that a second try waits for the first one's process to be quite dead."""


def _serve(connection: Connection, site: Site, request: Request, work: Work) -> None:
    """The life of a worker: orders come, events go, until nobody is there any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is its master's business
    with Interrupts(impatient=False) as interrupts:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

        def send(event: Event | Ended) -> None:
            try:
                connection.send(event)
            except OSError:  # its master is dead
                interrupts.pending = interrupts.pending or signal.SIGTERM

        def receive() -> Order | None:
            try:
                order: Order = connection.recv()
            except (EOFError, OSError):  # nobody is there any more
                return None
            return order

        try:
            site.enter()
            while order := receive():
                send(work(request, order, Reporter(order.number, send), interrupts))
        except KeyboardInterrupt:
            pass
        except Exception as error:
            with contextlib.suppress(OSError):
                connection.send(error)


class _Worker:
    """One process and what it is at."""

    def __init__(self, site: Site, request: Request, work: Work) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, site, request, work))
        # Blocked signals stay so in the process that is made, which a Ctrl-C must not kill while it starts.
        resource_tracker.ensure_running()  # it would unblock them
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()
        self.order: Order | None = None

    def give(self, order: Order) -> None:
        self.order = order
        with contextlib.suppress(OSError):  # it died; `receive` says so
            self.connection.send(order)

    def receive(self) -> Any:
        """An event, Ended, an exception; None where it has died."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            return None

    @property
    def death(self) -> str:
        """What it died of."""
        code = self.process.exitcode or 0
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


class Processes:
    """Up to `jobs` processes, which share this machine's threads."""

    def __init__(self, request: Request, trials: Sequence[Trial], jobs: int, threads: int, work: Work = train) -> None:
        self.request, self.jobs, self.work = request, jobs, work
        self.trials = dict(enumerate(trials))
        self.site = Site.here(max(threads // jobs, 1))

    def run(self, orders: Sequence[Order], watcher: Watcher, interrupts: Interrupts) -> Iterator[Ended]:
        """See `Engine`."""
        waiting = deque(orders)
        tries: Counter[int] = Counter()
        workers = [_Worker(self.site, self.request, self.work) for _ in range(min(self.jobs, len(orders)))]
        interrupts.at_once = lambda: _kill(workers)
        told = False
        try:
            while True:
                if interrupts.pending and not told:
                    told = True
                    waiting.clear()
                    for worker in workers:
                        worker.process.terminate()
                for worker in workers:
                    if worker.order is None and waiting:
                        worker.give(waiting.popleft())
                busy = {worker.connection: worker for worker in workers if worker.order is not None}
                if not busy:
                    break
                for connection in wait(list(busy), timeout=0.2):
                    worker = busy[connection]  # type: ignore[index]
                    order, message = worker.order, worker.receive()
                    assert order is not None
                    if isinstance(message, tuple):
                        show(message, self.trials, watcher)
                    elif isinstance(message, Exception):
                        raise message
                    elif isinstance(message, Ended):
                        worker.order = None
                        yield message
                    elif told:
                        worker.order = None
                    else:
                        tries[order.number] += 1
                        again, ended = self._lost(order, worker.death, tries[order.number], watcher)
                        waiting.extendleft(again)
                        yield from ended
                        workers[workers.index(worker)] = _Worker(self.site, self.request, self.work)
            interrupts.obey()
        finally:
            _end(workers)

    def _lost(self, order: Order, death: str, tries: int, watcher: Watcher) -> tuple[list[Order], list[Ended]]:
        """What is to be done, and what has ended, where a trial's process died."""
        if tries == TRIES:
            lost = f"its process died {tries} times, at last of {death}"
            return [], [Ended(order.number, lost=lost, patience=order.patience)]
        watcher.say(f"{self.trials[order.number]}: its process died of {death}; it goes on in another one")
        return [replace(order, patience=PATIENCE)], []


def _kill(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.process.kill()


def _end(workers: Sequence[_Worker]) -> None:
    """Lets every process stop where it can go on later, and waits for it."""
    for worker in workers:
        if worker.order is not None and worker.process.is_alive():
            worker.process.terminate()
        worker.connection.close()
    for worker in workers:
        worker.process.join()

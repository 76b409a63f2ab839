"""The engine that trains in this process: one trial after the other, or several together, a step of each in turn.

Together is for a GPU, which nets as small as these leave idle: each trial has a stream of its own there, so that its
kernels run beside those of the others. No network and no turn knows of it, and every trial draws its own random
numbers: it ends with the weights that it would have alone.
"""

from __future__ import annotations

import contextlib
import inspect
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from bench.train.interface import Ended, Order, Watcher
from bench.train.signals import Interrupts

if TYPE_CHECKING:
    from bench.train.workplace import Workplace

T = TypeVar("T")


class Lane(Generic[T]):
    """Something that goes on step by step, on a stream of its own and with global random states of its own."""

    def __init__(self, steps: Generator[None, None, T], device: torch.device) -> None:
        self._steps = steps
        self._cpu = torch.get_rng_state()
        self._cuda: tuple[torch.Generator, torch.Generator, torch.cuda.Stream] | None = None
        if device.type == "cuda":
            stream = torch.cuda.Stream(device)
            # What was loaded for all lanes is there before the first step.
            stream.wait_stream(torch.cuda.current_stream(device))
            default = torch.cuda.default_generators[stream.device_index]
            self._cuda = default, torch.Generator(device), stream

    @property
    def is_under_way(self) -> bool:
        """Whether it was begun and has not ended."""
        return inspect.getgeneratorstate(self._steps) == inspect.GEN_SUSPENDED

    def go_on(self) -> T | None:
        """One step; the result where it was the last."""
        with torch.random.fork_rng(devices=[]), self._on_gpu():
            torch.set_rng_state(self._cpu)
            try:
                next(self._steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self._cpu = torch.get_rng_state()
        return None

    @contextlib.contextmanager
    def _on_gpu(self) -> Iterator[None]:
        """Inside, the lane's stream is the current one, and the GPU's default generator has the lane's state.

        The states themselves change places, for graphs go on with the one that they were captured with.
        """
        if self._cuda is None:
            yield
            return
        default, own, stream = self._cuda
        before = default.graphsafe_get_state()
        default.graphsafe_set_state(own)
        try:
            with torch.cuda.stream(stream):
                yield
        finally:
            default.graphsafe_set_state(before)

    def to_the_end(self) -> T:
        """All of its steps; the result."""
        while (result := self.go_on()) is None:
            pass
        return result

    def close(self) -> None:
        """Leaves it where it is."""
        self._steps.close()


class InProcess:
    """Trains up to `lanes` trials at a time."""

    def __init__(self, workplace: Workplace, lanes: int = 1) -> None:
        self.workplace, self.lanes = workplace, lanes

    def run(self, orders: Sequence[Order], watcher: Watcher, interrupts: Interrupts) -> Iterator[Ended]:
        """See `Engine`."""
        waiting = deque(orders)
        lanes: list[Lane[Ended]] = []
        try:
            while waiting or lanes:
                while waiting and len(lanes) < self.lanes:
                    interrupts.obey()
                    lanes.append(self.workplace.training(waiting.popleft(), watcher, interrupts))
                for lane in list(lanes):
                    ended = lane.go_on()
                    if ended is not None:
                        lanes.remove(lane)
                        yield ended
        except KeyboardInterrupt:
            for lane in filter(lambda lane: lane.is_under_way, lanes):  # each finishes its step and saves it
                with contextlib.suppress(KeyboardInterrupt):
                    lane.go_on()
            raise
        finally:
            for lane in lanes:
                lane.close()

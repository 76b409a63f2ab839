"""Ctrl-C and SIGTERM while trials run: the first one is obeyed at the next safe moment, a second one at once.

Owns the two handlers while `Interrupts` is entered. Knows nothing of trials: whoever trains asks `pending` after each
step, saves what is to be saved, and calls `obey`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Within it a signal sets `pending`; within `immediate` it raises KeyboardInterrupt as Ctrl-C always did.

    A second signal ends the process at once, with the exit code that shells give to a death by it, after `at_once`.
    Only the main thread of a program gets signals; elsewhere nothing is changed. A process that is told by another one
    what to do is not `impatient`: signals that it gets again say nothing new.
    """

    def __init__(self, *, impatient: bool = True) -> None:
        self.pending: signal.Signals | None = None
        self.at_once: Callable[[], None] = lambda: None
        self._impatient = impatient
        self._immediate = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.pending is not None and self._impatient:
            self.at_once()
            os._exit(128 + number)
        self.pending = signal.Signals(number)
        if self._immediate:
            raise KeyboardInterrupt

    def obey(self) -> None:
        """Raises KeyboardInterrupt where a signal is pending."""
        if self.pending is not None:
            raise KeyboardInterrupt

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """A part of which nothing is lost when it is left half done."""
        self.obey()
        self._immediate = True
        try:
            yield
        finally:
            self._immediate = False

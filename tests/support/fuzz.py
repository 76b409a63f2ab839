"""One input at a time, under a guard: it must be answered in time and with little memory, a refusal in one line."""

import contextlib
import io
import resource
import signal
import sys
import warnings
from pathlib import Path

from bench.cli import invoke

SECONDS = 120
"""Far more than any answer takes, on a busy machine too: what takes longer hangs."""
BYTES = 3 << 30
"""That an answer may take beside what the process has."""


class Hang(BaseException):
    """No answer in time; no `except Exception` stops it."""


def _hang(*_):
    raise Hang


@contextlib.contextmanager
def bounded():
    """Within it there is so much time and memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, _hang)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + BYTES, before[1]))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


class Guard:
    """Counts the inputs, and which of them were refused."""

    def __init__(self):
        self.count = self.refused = 0

    def attempt(self, name, make, rng, place):
        """Makes an input, as `inputs` says, and gives it to `bench`."""
        self.count += 1
        made = make(rng, place)
        try:
            with bounded(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                refused = made(self._command) if callable(made) else self._command(made)
        except BaseException as error:
            raise AssertionError(f"input {name}: {made!r:.2000}: {type(error).__name__}: {error}") from error
        self.refused += bool(refused)

    def _command(self, arguments):
        # As a terminal has them: what cannot be encoded is an error on stdout, not on stderr.
        out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        err = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", write_through=True)
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = out, err
        try:
            code = invoke(arguments)
        finally:
            sys.stdout, sys.stderr = before
        said = err.buffer.getvalue().decode()
        assert code in (0, 1, 2), code
        if code == 2:
            *_, last = said.split("\n")[:-1]
            assert last.startswith("bench: error: "), said
            assert last.count("bench: error") == 1
        return code == 2 and "here the work would begin" not in last

"""What the user is told: the one exception that is meant for people, and the form of warnings."""

from __future__ import annotations

import inspect
import traceback
import warnings
from pathlib import Path


class BenchError(Exception):
    """Bad input or surroundings: one line that says what was wrong, what is allowed and what to do next.

    The command line prints it without a traceback and exits with code 2.
    """


def place_in(cls: type, error: BaseException) -> str:
    """` (my_gan.py, line 31)`: the innermost line of the class's file that the error passed; else the empty string."""
    try:
        file = inspect.getfile(cls)
    except (OSError, TypeError):  # there may be none, as in an interactive session
        return ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(file).name}, line {lines[-1]})" if lines else ""


def first_line(error: BaseException) -> str:
    """The first line of its own words, else what it is called."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def one_line(error: BaseException, most: int | None = None) -> str:
    """Its own words in one line of at most so many characters, else what it is called."""
    return " ".join(str(error).split())[:most] or type(error).__name__


def warn_in_one_line() -> None:
    """From now on this process shows a warning as one line, without the place in the code."""
    warnings.formatwarning = lambda message, *_args, **_kwargs: f"bench: warning: {message}\n"

"""The one exception of this package that is meant for the user."""

from __future__ import annotations


class BenchError(Exception):
    """Bad input or surroundings: one line that says what was wrong, what is allowed and what to do next.

    The command line prints it without a traceback and exits with code 2.
    """

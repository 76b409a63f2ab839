"""Settings: how a value of a config is written, the same on the command line, in labels and in reports."""

from __future__ import annotations

from typing import Any


def as_text(value: Any) -> str:
    """'on', '0.0002', 'none': as the command line takes it; equal exactly for equal values of one field."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)

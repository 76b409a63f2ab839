"""Numbers: how numbers and config values are written for people, in tables and in sentences alike.

Scores have two decimals: the sampling noise of 10,000 images is larger. Only what two decimals would hide has two
digits: 0.0031.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

NOTHING = "-"
TWO_DECIMALS = ",.2f"
SIGNED = "+,.2f"


def number(value: Any, form: str = TWO_DECIMALS) -> str:
    """The number in this format; '-' where it is missing."""
    if value is None or pd.isna(value):
        return NOTHING
    hidden = form in (TWO_DECIMALS, SIGNED) and 0 < abs(value) < 0.095
    return format(value, form.replace(",.2f", ".2g") if hidden else form)


def plural(n: int, noun: str) -> str:
    """'1 trial', '3 trials'."""
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"


def duration(seconds: Any) -> str:
    """'0.4 s', '181 s'; seconds throughout, so that a column can be compared at a glance."""
    return NOTHING if pd.isna(seconds) else f"{seconds:,.{0 if seconds >= 10 else 1}f} s"


def short(value: Any) -> str:
    """'1.67M' for 1,671,105."""
    if pd.isna(value):
        return NOTHING
    return next(
        (f"{value / size:.3g}{unit}" for size, unit in ((1e6, "M"), (1e3, "k")) if value >= size), f"{value:.0f}"
    )


def worst(value: Any, form: str = TWO_DECIMALS, name: str = "diverged") -> str:
    """The number, or the name of infinity."""
    return name if value == math.inf else number(value, form)


def setting(value: Any) -> str:
    """A config value: 'on', '0.0002'; '-' for None."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)

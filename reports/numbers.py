"""Numbers: how they are written for people, in tables and in sentences alike.

Scores have two decimals: the sampling noise of 10,000 images is larger. Only what two decimals would hide has two
digits: 0.0031. Probabilities and standardised effects have two decimals whatever their size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

NOTHING = "-"
TWO_DECIMALS = ",.2f"
SIGNED = "+,.2f"
PROBABILITY = ".2f"
EFFECT = "+.2f"
"""Of Hedges' g."""


def number(value: Any, form: str = TWO_DECIMALS) -> str:
    """The number in this format; '-' where it is missing."""
    if value is None or pd.isna(value):
        return NOTHING
    hidden = form in (TWO_DECIMALS, SIGNED) and 0 < abs(value) < 0.095
    return format(value, form.replace(",.2f", ".2g") if hidden else form)


def plural(n: int, noun: str) -> str:
    """'1 trial', '3 trials'."""
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(names: Iterable[str], most: int | None = None) -> str:
    """'a', 'a and b', 'a, b and c'; of more than `most` the first: 'a, b and 9 more'."""
    named = list(names)
    if most is not None and len(named) > most:
        named[most:] = [f"{len(named) - most:,} more"]
    *before, last = named
    return f"{', '.join(before)} and {last}" if before else last


def duration(seconds: Any) -> str:
    """'0.4 s', '181 s'; seconds throughout, so that a column can be compared at a glance."""
    return NOTHING if pd.isna(seconds) else f"{seconds:,.{0 if seconds >= 10 else 1}f} s"


def short(value: Any) -> str:
    """'1.67M' for 1,671,105: three significant digits."""
    if pd.isna(value):
        return NOTHING
    rounded = float(f"{value:.3g}")
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rounded >= size:
            return f"{rounded / size:.3g}{unit}"
    return f"{value:.0f}"


def worst(value: Any, form: str = TWO_DECIMALS, name: str = "diverged") -> str:
    """The number, or the name of infinity."""
    return name if value == math.inf else number(value, form)


def span(low: Any, high: Any, form: str = TWO_DECIMALS) -> str:
    """'[1.20, 3.00]'; '-' where there is no interval."""
    return NOTHING if pd.isna(low) else f"[{worst(low, form)}, {worst(high, form)}]"


def estimated(value: Any, low: Any, high: Any, form: str = TWO_DECIMALS) -> str:
    """'0.67 [0.09, 0.99]', or the bare value where it has no interval."""
    return worst(value, form) + ("" if pd.isna(low) else f" {span(low, high, form)}")


def p_value(value: Any) -> str:
    """'0.031'; '<0.001' for what three decimals would call nothing."""
    return "<0.001" if value < 0.0005 else number(value, ".3f")

"""Once: what was worked out of results is kept as long as these live, since a page asks for it many times."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import pandas as pd

if TYPE_CHECKING:
    from bench.results import Results

P = ParamSpec("P")
R = TypeVar("R")

_KEPT: WeakKeyDictionary[Results, dict[Any, Any]] = WeakKeyDictionary()


def once(function: Callable[Concatenate[Results, P], R]) -> Callable[Concatenate[Results, P], R]:
    """The function of results, which are immutable, computed once for each of its arguments, which are hashable.

    A frame is given out as a copy of its own (pandas copies when it is written to), so that nobody spoils another's.
    """

    @wraps(function)
    def remembered(results: Results, *args: P.args, **kwargs: P.kwargs) -> R:
        kept = _KEPT.setdefault(results, {})
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in kept:
            kept[key] = function(results, *args, **kwargs)
        found: Any = kept[key]
        return found.copy(deep=False) if isinstance(found, pd.DataFrame) else found  # type: ignore[return-value]

    return remembered  # type: ignore[return-value]

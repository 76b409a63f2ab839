"""One cell against several others, for the terminal: does anything beat it, and does a trick help what it is put on?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bench.errors import BenchError
from reports.naming import cells_of, meant
from reports.numbers import listed, plural
from reports.tables import chosen
from reports.text import as_text

if TYPE_CHECKING:
    from bench.results import Results


def contest(results: Results, base: str, others: Sequence[str] = (), protocol: str | None = None) -> pd.DataFrame:
    """The cells that the names mean, or all others of the base's group, each minus the base (`reports.tables.chosen`).

    BenchError where the names mean no cells of one group (`reports.naming.meant`), or there is no other.
    """
    group, (cell, *named) = meant(results, (base, *others), protocol)
    rivals = named or [label for label in cells_of(results, group) if label != cell]
    if not rivals:
        raise BenchError(f"{cell} is the only cell of {group}; run another to compare it with")
    return chosen(results, [(rival, cell) for rival in rivals], group)


def as_words(found: pd.DataFrame) -> str:
    """The table and what follows from it, for a terminal."""
    return "\n".join([as_text(found), "", *conclusions(found)])


def conclusions(found: pd.DataFrame) -> list[str]:
    """One sentence each: which cells are better than the base, which worse, which not separable, how many untold."""
    base = found["other"].iloc[0]
    told = found["p"].notna()
    kinds = {
        "better than": told & (found["better"] == found["label"]),
        "worse than": told & (found["better"] == base),
        "not separable from": told & (found["better"] == ""),
    }
    said = [
        f"{plural(int(which.sum()), 'cell')} {kind} {base}: {listed(found.loc[which, 'label'])}."
        for kind, which in kinds.items()
        if which.any()
    ]
    if not told.all():
        said.append(f"{plural(int((~told).sum()), 'cell')} without a verdict: too few seeds in common (--seeds 3).")
    return said

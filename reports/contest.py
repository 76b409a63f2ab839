"""One cell against several others, for the terminal: does anything beat it, and does a trick help what it is put on?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from bench.errors import BenchError
from reports.groups import select
from reports.naming import cells_of, meant
from reports.notes import may_decide
from reports.numbers import listed, plural
from reports.recipe import unlike
from reports.tables import chosen
from reports.text import as_text, filled

if TYPE_CHECKING:
    from bench.results import Results


def contest(results: Results, base: str, others: Sequence[str] = (), protocol: str | None = None) -> pd.DataFrame:
    """The cells that the names mean, or all others of the base's group, each minus the base (`reports.tables.chosen`).

    The attrs name the base (`base`), and of cells of another algorithm the settings that are unlike its own (`unlike`).
    BenchError where the names mean no cells of one group (`reports.naming.meant`), or there is no other.
    """
    group, (cell, *named) = meant(results, (base, *others), protocol)
    rivals = named or [label for label in cells_of(results, group) if label != cell]
    if not rivals:
        raise BenchError(f"{cell} is the only cell of {group}; run another to compare it with")
    frame = chosen(results, [(rival, cell) for rival in rivals], group)
    _, rows = select(results, group)
    algorithms = dict(zip(rows["label"], rows["algorithm"], strict=True))
    strangers = [rival for rival in rivals if algorithms[rival] != algorithms[cell]]
    frame.attrs["base"] = cell
    frame.attrs["unlike"] = {rival: list(unlike(rows, (cell, rival))) for rival in strangers}
    return frame


def as_words(found: pd.DataFrame) -> str:
    """The table and what follows from it, for a terminal."""
    base = found.attrs["base"]
    heading = f"FID of each cell minus that of {base}: below zero, the cell is better."
    return "\n".join([*filled([heading]), "", as_text(found), "", *filled(conclusions(found))])


def conclusions(found: pd.DataFrame) -> list[str]:
    """One sentence each: which cells are better than the base, which worse, which not separable, how many untold."""
    base = found.attrs["base"]
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
    settings = Counter(name for names in found.attrs["unlike"].values() for name in names)
    if settings:
        n = sum(bool(names) for names in found.attrs["unlike"].values())
        names = [name for name, _ in settings.most_common()]
        said.append(f"{plural(n, 'cell')} of another algorithm with other settings too {may_decide(names)}")
    return said

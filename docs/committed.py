"""The committed figures, of which READMEs and pages are made."""

from __future__ import annotations

import functools
from pathlib import Path

from bench import results
from bench.plan import expand
from reports.groups import Group, protocols, select

MEASURED = Path(__file__).parents[1] / "reports" / "quick.parquet"
TRACK, LABELLED = "noise-to-image", "label-conditional"
"""The tracks that findings have sections of."""
BASE = "nsgan"
"""The row that tricks are put on, and that others stand against."""


@functools.cache
def load() -> results.Results:
    """The committed figures."""
    return results.load(MEASURED)


def main_group(found: results.Results, track: str = TRACK) -> Group:
    """That of most trials of the track: rows that score averaged weights have a protocol of their own."""
    there = [group for group in protocols(found) if group.track == track]
    return max(there, key=lambda group: len(select(found, group)[1]))


def default_cell(name: str, *settings: str) -> str:
    """'dcgan bn=on': what an algorithm's cell of default settings, but for these, is called."""
    return expand([name], assignments=settings).cells[0].label

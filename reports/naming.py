"""Cells as a user types them in: labels, algorithms or beginnings that fit exactly one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.errors import BenchError
from reports.groups import Group, protocols, select
from reports.numbers import listed

if TYPE_CHECKING:
    from bench.results import Results

LISTED = 12
"""Cells that an error names; more would bury what it says."""


def meant(results: Results, names: Sequence[str], protocol: str | None = None) -> tuple[Group, list[str]]:
    """The one group in which every name fits one cell, and these cells.

    BenchError where a name fits none or several, where two mean one cell, where they never ran under one protocol, or
    under several and none is named.
    """
    there = [group for group in protocols(results) if protocol in (None, group.protocol)]
    cells = {group: cells_of(results, group) for group in there or [select(results, protocol)[0]]}
    fits = {group: [_fitting(name, labels) for name in names] for group, labels in cells.items()}
    found = [(group, [label for (label,) in each]) for group, each in fits.items() if all(len(f) == 1 for f in each)]
    if not found:
        raise BenchError(_refusal(names, cells))
    if len(found) > 1:
        said = f"{_quoted(names)} ran under {len(found)} protocols, which must not be mixed"
        raise BenchError(f"{said}: {'; '.join(str(group) for group, _ in found)}; name one with --protocol")
    group, labels = found[0]
    for i, label in enumerate(labels):
        if label in labels[:i]:
            same = _quoted((names[labels.index(label)], names[i]))
            raise BenchError(f"{same} are one cell, {label}; there are: {_some(cells[group])}")
    return group, labels


def cells_of(results: Results, group: Group) -> list[str]:
    """The labels of the cells of which something was run."""
    _, rows = select(results, group)
    return list(dict.fromkeys(rows.loc[rows["kind"] == "trial", "label"]))


def _quoted(names: Sequence[str]) -> str:
    return listed(f"'{name}'" for name in names)


def _some(labels: Sequence[str]) -> str:
    """All of a few, the first of many."""
    more = f", and {len(labels) - LISTED} more ('bench report' shows all)" if len(labels) > LISTED else ""
    return (", ".join(labels[:LISTED]) + more) or "none"


def _fitting(name: str, labels: list[str]) -> list[str]:
    """The label itself, its settings in any order, else those of this algorithm, else those that begin so."""
    for fits in (
        [label for label in labels if set(label.split()) == set(name.split())],
        [label for label in labels if label.split(" ")[0] == name],
        [label for label in labels if label.startswith(name)],
    ):
        if fits:
            return fits
    return []


def _refusal(names: Sequence[str], cells: dict[Group, list[str]]) -> str:
    """Which of the names is at fault, and what there is."""
    from gans.errors import did_you_mean  # torch comes with it

    everything = list(dict.fromkeys(label for labels in cells.values() for label in labels))
    for name in names:
        fits = _fitting(name, everything)
        if not fits:
            near = did_you_mean(name, {*everything, *(label.split(" ")[0] for label in everything)})
            return f"no cell '{name}'{near or ';'} there are: {_some(everything)}"
        if all(len(_fitting(name, labels)) != 1 for labels in cells.values()):
            return f"'{name}' fits {len(fits)} cells: {_some(fits)}; name one of them"
    where = (
        f"'{name}' under {'; '.join(str(group) for group, labels in cells.items() if _fitting(name, labels))}"
        for name in names
    )
    return f"{_quoted(names)} never ran under one track and protocol, so they do not compare: {', '.join(where)}"

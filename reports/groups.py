"""Groups: which rows of a results frame may stand in one table. Everything else here works on one group at a time.

A group is a track and a protocol; numbers of two groups are never compared, so asking for a table of a frame that
holds several, without naming one, is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.errors import BenchError
from bench.protocol import metric_name
from reports.once import once

if TYPE_CHECKING:
    from bench.results import Results

STATUSES = ("finished", "diverged", "failed", "interrupted", "running", "skipped")
"""How a row may have ended, in the order in which they are counted."""
FLOOR = "real "
"""How the names of reference rows of real examples begin, whatever the task."""


@dataclass(frozen=True)
class Group:
    """Rows that may be ranked together."""

    track: str
    protocol: str
    """Short id."""
    text: str
    """The protocol in plain words."""
    budget: str
    samples: int
    prefix: str = "mnist"
    """First part of the names of its metrics."""

    def metric(self, name: str) -> str:
        """The full name of a metric at the end: 'fid' -> 'mnist_fid_10k'."""
        return metric_name(name, self.samples, self.prefix)

    def __str__(self) -> str:
        return f"{self.track}, protocol {self.protocol}"


@once
def protocols(results: Results) -> list[Group]:
    """The groups of these results, the one with the newest trial first; reference rows alone are none."""
    trials = results.trials[results.trials["kind"] != "reference"]
    newest = trials.groupby(["track", "protocol"])["started"].max().sort_values(ascending=False, kind="stable")
    groups = []
    for track, protocol in newest.index:
        first = trials[(trials["track"] == track) & (trials["protocol"] == protocol)].iloc[0]
        known = (first["protocol_text"], first["budget"], int(first["samples"]), first["prefix"])
        groups.append(Group(track, protocol, *known))
    return groups


@once
def titles(results: Results) -> dict[Group, str]:
    """What each group is called: track and budget, and of groups that share both what tells them apart."""
    groups = protocols(results)
    named = {group: f"{group.track}, {group.budget}" for group in groups}
    first = {group: _rows(results, group).query("kind != 'reference'").iloc[0] for group in groups}
    details = {
        group: (row["prefix"].replace("_", " "), row["dataset"], f"{row['weights']} weights", group.protocol)
        for group, row in first.items()
    }
    for detail in zip(*(details[group] for group in groups), strict=True):
        by_group = dict(zip(groups, detail, strict=True))
        twins = {group: {by_group[other] for other in groups if named[other] == named[group]} for group in groups}
        named = {
            group: f"{name}, {by_group[group]}" if len(twins[group]) > 1 else name for group, name in named.items()
        }
    return named


def select(results: Results, protocol: Group | str | None = None) -> tuple[Group, pd.DataFrame]:
    """The one group that is meant and its rows, with a column `label` (see `labelled`).

    `protocol` is a group or a protocol's id. BenchError when that leaves none, or more than one.
    """
    wanted, track = (protocol.protocol, protocol.track) if isinstance(protocol, Group) else (protocol, None)
    there = protocols(results)
    if not there:
        raise BenchError("no results to report; run some with: bench run --algos dcgan --bn on/off")
    groups = [g for g in there if wanted in (None, g.protocol) and track in (None, g.track)]
    listed = "; ".join(map(str, there))
    if not groups:
        asked = " ".join(part for part in (track, wanted) if part)
        raise BenchError(f"no results of '{asked}'; there are: {listed}")
    if len(groups) > 1:
        raise BenchError(
            f"results of {len(groups)} tracks or protocols must not share a table; "
            f"name one protocol, or a group of tables.protocols, of: {listed}"
        )
    return groups[0], _rows(results, groups[0])


@once
def _rows(results: Results, group: Group) -> pd.DataFrame:
    trials = all_rows(results)
    return trials[(trials["track"] == group.track) & (trials["protocol"] == group.protocol)]


@once
def all_rows(results: Results) -> pd.DataFrame:
    """The rows of all groups with a column `label` (see `labelled`)."""
    return labelled(results.trials)


def config_key(config: dict[str, Any], *, without: str | None = None) -> str:
    """Equal exactly for equal configs; `without` leaves one field out."""
    return json.dumps({key: value for key, value in config.items() if key != without}, sort_keys=True)


def labelled(trials: pd.DataFrame) -> pd.DataFrame:
    """The rows with a column `label`: the cell's name, told apart where one name stands for several configs or codes.

    That happens when an algorithm's default or its source changed between two runs: pooled, they would count as seeds
    of one cell. Settings are listed by label alone; two codes must differ in one table to be told apart.
    """
    label = trials["cell"]
    versions = [("config", trials["config"].map(config_key), []), ("code", trials["code"], ["track", "protocol"])]
    for what, keys, places in versions:
        ambiguous = keys.groupby([label, *(trials[place] for place in places)]).transform("nunique") > 1
        label = label.where(~ambiguous, label + keys.map(lambda key, what=what: mark(what, key)))
    return trials.assign(label=label)


def mark(what: str, key: str) -> str:
    """What tells a config or a code from another of the same name: ' (code 3f2a)'."""
    return f" ({what} {hashlib.sha256(key.encode()).hexdigest()[:4]})"


def without(label: str, field: str) -> str:
    """Without 'bn': 'dcgan bn=on lr_d=0.0004' -> 'dcgan lr_d=0.0004'."""
    return re.sub(rf" {re.escape(field)}=\S+", "", label)


def devices(rows: pd.DataFrame) -> list[str]:
    """On which these trials ran; seconds of several do not compare."""
    return sorted(set(rows.loc[rows["kind"] == "trial", "device"]))


def floor(rows: pd.DataFrame, column: str) -> float:
    """The score of real examples among one group's rows; NaN where it has none."""
    return float(rows.loc[(rows["kind"] == "reference") & rows["name"].str.startswith(FLOOR), column].mean())

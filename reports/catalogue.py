"""The catalogue: which algorithms were run with which settings, what they deviate in, and on what they were run.

Takes the rows of results, gives plain values for the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.defaults import EMBEDDED
from bench.settings import as_text
from reports.looks import Look
from reports.numbers import NOTHING, number
from reports.plotting import MOST_ROWS

HEADED = {
    "paper": "Differs from paper", "tutorial": "Differs from tutorial", "nets": "Nets", "settings": "Settings",
}  # fmt: skip
"""What a deviation may begin with, and how it is headed then."""


@dataclass(frozen=True)
class Algorithm:
    """An algorithm as it was run."""

    name: str
    family: str
    year: str
    paper: str
    arxiv: str
    """Id, or empty."""
    deviations: list[tuple[str, str]]
    """What is said of, such as 'Differs from paper', and what."""
    cells: list[tuple[str, Look]]
    more: int
    """Further cells, of more than MOST_ROWS."""
    settings: list[tuple[str, list[str]]]
    """Name, and its value in each of `cells`, or the one that all have, further ones too."""
    commands: list[str]

    @property
    def differ(self) -> list[str]:
        """The settings that are not the same in all cells."""
        return [name for name, values in self.settings if len(values) > 1]


def algorithms(rows: pd.DataFrame, seen: dict[str, Look]) -> list[Algorithm]:
    """The algorithms of these rows by name, each as its newest run states it."""
    rows = rows[rows["kind"] != "reference"].sort_values("started", kind="stable")
    listed = []
    for name, here in rows.groupby("algorithm"):
        latest = here.iloc[-1]
        by_cell = here.groupby("label")
        configs = {str(label): values.iloc[-1] for label, values in by_cell["config"]}
        fields = dict.fromkeys(key for config in configs.values() for key in config)
        values = {key: [_value(config.get(key)) for config in configs.values()] for key in fields}
        arxiv = re.search(r"arXiv:(\d{4}\.\d{4,5})\b", latest["paper"])
        listed.append(
            Algorithm(
                name=str(name),
                family=latest["family"],
                year=number(latest["year"], "d"),
                paper=latest["paper"],
                arxiv=arxiv.group(1) if arxiv else "",
                deviations=[_deviation(item) for item in latest["deviations"]],
                cells=[(label, seen[label]) for label in list(configs)[:MOST_ROWS]],
                more=max(len(configs) - MOST_ROWS, 0),
                settings=[(key, all_[: MOST_ROWS if len(set(all_)) > 1 else 1]) for key, all_ in values.items()],
                commands=_longest(command for _, values in by_cell["command"] for command in values),
            )
        )
    return listed


def _value(value: Any) -> str:
    return NOTHING if value is None else as_text(value)


def _longest(commands: Iterable[str]) -> list[str]:
    """Of commands that differ in the number of seeds alone, the one with most: it trains those of the others too."""
    found: dict[str, tuple[int, str]] = {}
    for command in commands:
        seeds = re.search(r"--seeds (\d+)", command)
        number = int(seeds.group(1)) if seeds else 0
        key = command.replace(seeds.group(), "") if seeds else command
        found[key] = max(found.get(key, (0, command)), (number, command))
    return [command for _, command in found.values()]


def _deviation(item: str) -> tuple[str, str]:
    """'paper: batch 64' -> ('Differs from paper', 'batch 64')."""
    source, _, how = item.partition(": ")
    return (HEADED[source], how) if source in HEADED else ("Differs", item)


def on_commands(trials: pd.DataFrame) -> str:
    """What the commands that run a cell again do not say, or nothing."""
    if not (trials["dataset"] == EMBEDDED).any():
        return ""
    return (
        f"Where the data are {EMBEDDED}, the digits embedded in the package stood in for MNIST, which was not at hand. "
        "A command does the same again with --offline, where MNIST is neither given nor in the user cache; else it "
        "trains on all of MNIST."
    )


def facts(trials: pd.DataFrame) -> list[tuple[str, str]]:
    """What the runs have in common, or every value where they do not."""
    names = {
        "dataset": "data",
        "data_fingerprint": "fingerprint of the data",
        "extractor": "extractor of the metrics",
        "preset": "preset",
        "device": "device",
        "commit": "commit",
    }
    found = [(name, "; ".join(_distinct(trials[column])) or "not recorded") for column, name in names.items()]
    files = trials.loc[trials["imported"] != "", "imported"].value_counts(sort=False)
    if len(files):
        rows = "; ".join(f"{n} rows of {file}" for file, n in files.items())
        found.append(
            ("from exported files", f"{rows}. GIFs and pictures of the latent space are no part of such a file.")
        )
    return found


def versions(trials: pd.DataFrame) -> list[tuple[str, str]]:
    """Package and its version; all of them where runs differ."""
    frame = pd.DataFrame(list(trials["versions"]))
    return [(str(package), ", ".join(_distinct(frame[package]))) for package in frame]


def _distinct(values: pd.Series[Any]) -> list[str]:
    return sorted({str(value) for value in values.dropna() if value != ""})

"""The catalogue: which algorithms were run with which settings, what they deviate in, and on what they were run.

Takes the rows of results, gives plain values for the page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from reports.looks import Look
from reports.numbers import number, setting


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
    """From what, and how."""
    cells: list[tuple[str, Look]]
    settings: list[tuple[str, list[str], bool]]
    """Name, its value in each cell, and whether they differ."""
    commands: list[tuple[str, list[str]]]


def algorithms(rows: pd.DataFrame, seen: dict[str, Look]) -> list[Algorithm]:
    """The algorithms of these rows by name, each as its newest run states it."""
    rows = rows[rows["kind"] != "reference"].sort_values("started", kind="stable")
    listed = []
    for name, here in rows.groupby("algorithm"):
        latest = here.iloc[-1]
        by_cell = here.groupby("label")
        configs = {str(label): values.iloc[-1] for label, values in by_cell["config"]}
        commands = {str(label): list(dict.fromkeys(values)) for label, values in by_cell["command"]}
        fields = dict.fromkeys(key for config in configs.values() for key in config)
        values = {key: [setting(config.get(key)) for config in configs.values()] for key in fields}
        arxiv = re.search(r"arXiv:(\d{4}\.\d{4,5})\b", latest["paper"])
        listed.append(
            Algorithm(
                name=str(name),
                family=latest["family"],
                year=number(latest["year"], "d"),
                paper=latest["paper"],
                arxiv=arxiv.group(1) if arxiv else "",
                deviations=[_deviation(item) for item in latest["deviations"]],
                cells=[(label, seen[label]) for label in configs],
                settings=[(key, shown, len(set(shown)) > 1) for key, shown in values.items()],
                commands=list(commands.items()),
            )
        )
    return listed


def _deviation(item: str) -> tuple[str, str]:
    """'paper: batch 64' -> ('paper', 'batch 64')."""
    source, colon, how = item.partition(": ")
    return (source.strip("`"), how) if colon and len(source) <= 24 else ("", item)


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

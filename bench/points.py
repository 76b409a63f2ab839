"""Points of curves, read when they are asked for: a page of ten thousand trials draws a small part of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from bench.columns import CURVES, POSITION, typed


class Points(Protocol):
    """The logged points of some runs."""

    def of(self, metrics: Collection[str] | None = None, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """The points of these metrics of these runs, by default of all; the columns are `bench.columns.CURVES`."""

    def metrics(self, run_ids: Collection[str]) -> Counter[str]:
        """How many of these runs have points of each metric."""


@dataclass(frozen=True, eq=False)
class Table:
    """Points that lie in a frame of CURVES already."""

    frame: pd.DataFrame

    def of(self, metrics: Collection[str] | None = None, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        found = self.frame
        found = found if metrics is None else found[found["metric"].isin(metrics)]
        return found if run_ids is None else found[found["run_id"].isin(run_ids)]

    def metrics(self, run_ids: Collection[str]) -> Counter[str]:
        return Counter(self.of(run_ids=run_ids)[["run_id", "metric"]].drop_duplicates()["metric"])


@dataclass(frozen=True, eq=False)
class Parts:
    """Points of several sources, each with the ids of the runs whose points it gives."""

    parts: Sequence[tuple[Points, frozenset[str]]]

    def of(self, metrics: Collection[str] | None = None, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        found = [part.of(metrics, ids if run_ids is None else ids.intersection(run_ids)) for part, ids in self.parts]
        return typed(pd.concat(found, ignore_index=True), CURVES)

    def metrics(self, run_ids: Collection[str]) -> Counter[str]:
        return sum((part.metrics(ids.intersection(run_ids)) for part, ids in self.parts), Counter())


def positioned(points: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """The points of the runs in `order`, by run and metric, each with the position that was logged at its step.

    `points` has columns run_id, step, metric and value, in the order in which they were logged, positions among them.
    """
    run = pd.Index(order).get_indexer(pd.Index(points["run_id"])).astype("int64")
    points, run = points[run >= 0], run[run >= 0]
    step = points["step"].astype("int64").to_numpy()
    place = run * (step.max(initial=0) + 1) + step
    wide = points.assign(run=run)
    for name in POSITION:
        here = (points["metric"] == name).to_numpy()
        logged = pd.Series(points["value"].to_numpy()[here], index=place[here])
        wide[name] = logged[~logged.index.duplicated(keep="last")].reindex(place).to_numpy()
    wide = wide[~wide["metric"].isin(POSITION)].sort_values(["run", "metric"], kind="stable", ignore_index=True)
    return typed(wide.drop(columns="run"), CURVES)

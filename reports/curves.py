"""Curves: one group's points as they were logged in training, and what a smaller budget would have bought.

Takes results, gives frames. FID in training is of fewer samples than at the end, so it is a measure of its own.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.columns import RESULTS
from bench.errors import BenchError
from reports.groups import Group, devices, select
from reports.once import once

if TYPE_CHECKING:
    from bench.results import Results

AXES = {
    "images": "real images seen",
    "seconds": "training time (s)",
    "g_updates": "generator updates",
    "d_updates": "discriminator updates",
}
"""What a curve may be drawn against, and what it is called."""
SPARK = (72, 18)


def curves(
    results: Results,
    metric: str,
    x: str = "images",
    protocol: Group | str | None = None,
    labels: tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """The points of one metric in one group, with `label`, `seed`, `status` and the position: what the figures draw.

    `labels` are the cells, by default all.
    By label and seed, so that equal results are drawn in one order whatever the ids of their runs.

    BenchError unless `x` is one of AXES.
    """
    if x not in AXES:
        raise BenchError(f"no axis '{x}'; allowed is {', '.join(AXES)}")
    group, _ = select(results, protocol)
    points = _of_all(results, metric, group) if labels is None else _of_cells(results, group, labels)
    return points[points["metric"] == metric].dropna(subset=[x, "value"])


@once
def _of_all(results: Results, metric: str, group: Group) -> pd.DataFrame:
    return _points(results, group, [metric], None)


@once
def _of_cells(results: Results, group: Group, labels: tuple[str, ...]) -> pd.DataFrame:
    """All metrics at once, for the cells that are drawn are drawn in several."""
    return _points(results, group, None, labels)


def _points(results: Results, group: Group, metrics: list[str] | None, labels: tuple[str, ...] | None) -> pd.DataFrame:
    """Only those that are wanted are read: there may be millions."""
    _, rows = select(results, group)
    trials = rows.loc[rows["kind"] == "trial", ["run_id", "label", "status", "seed"]]
    if labels is not None:
        trials = trials[trials["label"].isin(labels)]
    points = results.points.of(metrics, trials["run_id"]).merge(trials, on="run_id")
    return points.sort_values(["label", "seed", "run_id", "step"])


@once
def scores_during(results: Results, score: str, protocol: Group | str | None = None) -> str | None:
    """The name under which 'fid' or 'is' was logged during training; None when it was at the end only.

    Fewer samples than at the end make it another metric. Where runs differ in it, the one that most have.
    """
    group, rows = select(results, protocol)
    final = group.metric(score)
    # Not 'mnist_fid_sd_2k', nor the second extractor's.
    during = re.compile(re.escape(final.rsplit("_", 1)[0]) + r"_\d+k?")
    logged = results.points.metrics(rows.loc[rows["kind"] == "trial", "run_id"])
    return next((name for name, _ in logged.most_common() if during.fullmatch(name) and name != final), None)


@once
def fid_during(
    results: Results, x: str = "images", protocol: Group | str | None = None, labels: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """`curves` of FID in training, of the trials that finished or diverged; others have not had their budget."""
    group, _ = select(results, protocol)
    points = curves(results, scores_during(results, "fid", group) or group.metric("fid"), x, group)
    ended = points["status"].isin(RESULTS)
    return points[ended if labels is None else ended & points["label"].isin(labels)]


def bands(
    results: Results,
    x: str,
    protocol: Group | str | None = None,
    labels: tuple[str, ...] | None = None,
    *,
    best: bool = False,
) -> pd.DataFrame:
    """FID against `x` over the seeds of each cell: columns label, `x`, mean, low and high (of the seeds), seeds.

    `labels` are the cells, by default all. With `best`, a seed's lowest FID so far, as if its best state had been kept.
    A cell ends where the first of its seeds does: a mean that goes on over the survivors of a divergence would drop for
    no good reason. So it has no line where a seed diverged before its first evaluation.
    """
    points = fid_during(results, x, protocol, labels).drop_duplicates(["run_id", "step"], keep="last")
    points = points[~points["label"].isin(_diverged_early(results, protocol)["label"])]
    frames = []
    for label, here in points.groupby("label", sort=False):
        wide = here.set_index(["step", "run_id"])[["value", x]].astype(float).unstack()
        so_far = wide["value"].cummin() if best else wide["value"]
        # On straight lines between a trial's own points, where all have begun and none has ended.
        values, at = (part.interpolate("index", limit_area="inside").dropna().to_numpy() for part in (so_far, wide[x]))
        columns = {
            x: at.mean(axis=1),
            "mean": values.mean(axis=1),
            "low": values.min(axis=1),
            "high": values.max(axis=1),
        }
        frames.append(pd.DataFrame({"label": label, **columns, "seeds": here["run_id"].nunique()}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["label", x, "mean", "low", "high"])


@once
def budgets(results: Results, protocol: Group | str | None = None, target: float | None = None) -> pd.DataFrame:
    """What the cells made of their budget, one row each, by the area: medians over seeds of FID in training.

    `best` and `last` FID; `area` under the curve over images, divided by its width; `reached`, the `trials` that came
    down to `target` (in attrs; by default the median of the cells' best FID, of trials that have any, rounded up to
    three digits), and the `seconds`, `images` and updates at the first evaluation that shows it. Infinity stands for
    never; the last FID and area of a trial that diverged are infinite too.
    """
    points = fid_during(results, protocol=protocol)
    scores = ["best", "last", "area"]
    early = _diverged_early(results, protocol).set_index("run_id")[["label"]]
    trials = pd.concat([_bought(points), early.assign(**dict.fromkeys(scores, math.inf))])
    columns = ["label", "trials", *scores, "reached", *AXES]
    reached = trials[np.isfinite(trials["best"].astype(float))]
    if reached.empty:
        return pd.DataFrame(columns=columns)
    if target is None:
        half = float(reached.groupby("label")["best"].median().median())
        target = float(Context(prec=3, rounding=ROUND_CEILING).create_decimal(half))
    # Where a trial first was at the target or below, infinity where it never was.
    arrivals = points[points["value"] <= target].groupby("run_id")[list(AXES)].first()
    trials = trials.join(arrivals.astype(float)).fillna(dict.fromkeys(AXES, math.inf))
    trials["reached"] = np.isfinite(trials["images"])
    cells = trials.groupby("label")
    frame = cells[[*scores, *AXES]].median().assign(trials=cells.size(), reached=cells["reached"].sum())
    frame = frame.reset_index()[columns].sort_values(["area", "last", "label"], ignore_index=True)
    frame.attrs = {"target": target, "devices": devices(select(results, protocol)[1])}
    return frame


@once
def _diverged_early(results: Results, protocol: Group | str | None) -> pd.DataFrame:
    """The trials that diverged before their first evaluation."""
    _, rows = select(results, protocol)
    evaluated = fid_during(results, protocol=protocol)["run_id"]
    return rows[(rows["status"] == "diverged") & ~rows["run_id"].isin(evaluated)]


def _bought(points: pd.DataFrame) -> pd.DataFrame:
    """Each trial's label, best and last FID and area under its curve."""
    fid, images = points["value"].astype(float), points["images"].astype(float)
    before = points["run_id"]
    width = images.groupby(before).diff()
    under = (width * (fid + fid.groupby(before).shift()) / 2).groupby(before).sum()
    runs = points.assign(value=fid).groupby("run_id")
    trials = runs.agg(
        label=("label", "first"), best=("value", "min"), last=("value", "last"), ended=("status", "first")
    )
    # A single evaluation has no width; its area is its own value.
    area = (under / width.groupby(before).sum()).where(width.groupby(before).sum() > 0, runs["value"].first())
    ended = trials["ended"] == "finished"
    return trials.assign(area=area.where(ended, math.inf), last=trials["last"].where(ended, math.inf))


def pareto(board: pd.DataFrame) -> list[str]:
    """The cells of a leaderboard that no other one beats in both mean FID and seconds, the quickest first.

    A cell with a seed that diverged is never among them, since its mean is of survivors; nor is a row that is no GAN.
    """
    cells = board[(board["kind"] == "cell") & ~board["no_gan"] & (board["diverged"] == 0)]
    cells = cells.dropna(subset=["fid", "seconds"]).sort_values(["seconds", "fid"])
    return list(cells.loc[cells["fid"] < cells["fid"].cummin().shift(fill_value=math.inf), "label"])


def sparklines(results: Results, protocol: Group | str | None = None) -> dict[str, tuple[str, ...]]:
    """Label -> an SVG path a seed: FID in training on a logarithmic scale that all share, in a box of SPARK's size."""
    points = fid_during(results, "images", protocol)
    points = points[points["value"] > 0]
    if points.empty:
        return {}
    width, height = SPARK
    x = width * points["images"] / max(points["images"].max(), 1)
    fid = np.log(points["value"])
    y = height * (1 - (fid - fid.min()) / max(fid.max() - fid.min(), 1e-9))
    text = pd.Series([f"{across:.1f} {up:.1f}" for across, up in zip(x, y, strict=True)], index=points.index)
    lines = "M" + text.groupby([points["label"], points["run_id"]], sort=False).agg(" L".join)
    return {str(label): tuple(here) for label, here in lines.groupby(level=0, sort=False)}

"""Curves: one group's points as they were logged in training, and what a smaller budget would have bought.

Takes results, gives frames. FID in training is of fewer samples than at the end, so it is a measure of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.errors import BenchError
from reports.groups import Group, select

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


def curves(results: Results, metric: str, x: str = "images", protocol: Group | str | None = None) -> pd.DataFrame:
    """The points of one metric in one group, with `label`, `seed`, `status` and the position: what the figures draw.

    By label and seed, so that equal results are drawn in one order whatever the ids of their runs.

    BenchError unless `x` is one of AXES.
    """
    if x not in AXES:
        raise BenchError(f"no axis '{x}'; allowed is {', '.join(AXES)}")
    _, rows = select(results, protocol)
    points = results.curves[results.curves["metric"] == metric]
    trials = rows.loc[rows["kind"] == "trial", ["run_id", "label", "status", "seed"]]
    points = points.merge(trials, on="run_id").dropna(subset=[x, "value"])
    return points.sort_values(["label", "seed", "run_id", "step"])


def scores_during(results: Results, score: str, protocol: Group | str | None = None) -> str | None:
    """The name under which 'fid' or 'is' was logged during training; None when it was at the end only.

    Fewer samples than at the end make it another metric. Where runs differ in it, the one with most points.
    """
    group, rows = select(results, protocol)
    here = results.curves[results.curves["run_id"].isin(rows["run_id"])]["metric"]
    final = group.metric(score)
    prefix = final.rsplit("_", 1)[0] + "_"
    counts = here[here.str.startswith(prefix) & (here != final)].value_counts()
    return None if counts.empty else str(counts.index[0])


def fid_during(results: Results, x: str = "images", protocol: Group | str | None = None) -> pd.DataFrame:
    """`curves` of FID in training, of the trials that finished or diverged; others have not had their budget."""
    group, _ = select(results, protocol)
    points = curves(results, scores_during(results, "fid", group) or group.metric("fid"), x, group)
    return points[points["status"].isin(["finished", "diverged"])]


def bands(results: Results, x: str, protocol: Group | str | None = None, *, best: bool = False) -> pd.DataFrame:
    """FID against `x` over the seeds of each cell: columns label, `x`, mean, low and high (of the seeds), seeds.

    With `best`, a seed's lowest FID so far, as if its best state had been kept. A cell ends where the first of its
    seeds does: a mean that goes on over the survivors of a divergence would drop for no good reason.
    """
    frames = []
    for label, here in fid_during(results, x, protocol).groupby("label", sort=False):
        trials = [trial.drop_duplicates("step", keep="last") for _, trial in here.groupby("run_id")]
        first, last = max(trial["step"].min() for trial in trials), min(trial["step"].max() for trial in trials)
        steps = np.unique(np.concatenate([trial["step"] for trial in trials]))
        steps = steps[(steps >= first) & (steps <= last)]
        values, at = (np.array([_along(trial, name, steps, best) for trial in trials]) for name in ("value", x))
        columns = {x: at.mean(0), "mean": values.mean(0), "low": values.min(0), "high": values.max(0)}
        frames.append(pd.DataFrame({"label": label, **columns, "seeds": len(trials)}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["label", x, "mean", "low", "high"])


def _along(trial: pd.DataFrame, name: str, steps: np.ndarray, best: bool) -> np.ndarray:
    """A trial's values at these steps, on straight lines between its own."""
    values = trial[name].to_numpy(dtype=float)
    if best and name == "value":
        values = np.minimum.accumulate(values)
    return np.asarray(np.interp(steps, trial["step"], values))


def budgets(results: Results, protocol: Group | str | None = None, target: float | None = None) -> pd.DataFrame:
    """What the cells made of their budget, one row each, by the area: medians over seeds of FID in training.

    `best` and `last` FID; `area` under the curve over images, divided by its width; `reached`, the `trials` that came
    down to `target` (in attrs; by default the median of the cells' best FID), and the `seconds`, `images` and updates
    at the first evaluation that shows it. Infinity stands for never; the last FID and area of a trial that diverged
    are infinite too.
    """
    trials = pd.DataFrame([_bought(trial) for _, trial in fid_during(results, protocol=protocol).groupby("run_id")])
    columns = ["label", "trials", "best", "last", "area", "reached", *AXES]
    if trials.empty:
        return pd.DataFrame(columns=columns)
    cells = trials.groupby("label")
    if target is None:
        target = math.ceil(100 * cells["best"].median().median()) / 100
    lines = []
    for label, here in cells:
        arrivals = pd.DataFrame([_arrival(points, target) for points in here["points"]])
        medians = {name: here[name].median() for name in ("best", "last", "area")}
        line = {"label": label, "trials": len(here), **medians, "reached": int(np.isfinite(arrivals["images"]).sum())}
        lines.append(line | arrivals.median().to_dict())
    frame = pd.DataFrame(lines, columns=columns).sort_values(["area", "last", "label"], ignore_index=True)
    frame.attrs = {"target": target}
    return frame


def _bought(trial: pd.DataFrame) -> dict[str, Any]:
    fid, images = trial["value"].to_numpy(dtype=float), trial["images"].to_numpy(dtype=float)
    width = images[-1] - images[0]
    area = float(np.trapezoid(fid, images) / width) if width > 0 else float(fid[0])
    ended = trial["status"].iloc[0] == "finished"
    return {
        "label": trial["label"].iloc[0],
        "best": fid.min(),
        "last": fid[-1] if ended else math.inf,
        "area": area if ended else math.inf,
        "points": trial,
    }


def _arrival(trial: pd.DataFrame, target: float) -> dict[str, float]:
    """Where a trial first was at the target or below, infinity where it never was."""
    there = trial[trial["value"] <= target]
    return {x: float(there[x].iloc[0]) if len(there) else math.inf for x in AXES}


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
    points = points.assign(x=x, y=y)
    return {
        str(label): tuple(
            "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in zip(trial["x"], trial["y"], strict=True))
            for _, trial in here.groupby("run_id", sort=False)
        )
        for label, here in points.groupby("label", sort=False)
    }

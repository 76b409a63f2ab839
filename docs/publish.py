"""From a store to what is committed of it: `python docs/publish.py [STORE]` (default: sqlite:///mlflow.db).

`reports/quick.parquet` with curves and pictures, the report of it, the animation, and the READMEs' tables. Of a cell
that was trained by today's code and by older code the older trials are left out; trials that failed or were broken off,
and skips, are left out too.
"""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import committed
import numpy as np
import pandas as pd
import readme
from PIL import Image, ImageDraw, ImageSequence

import gans
from bench import album, frames, results
from bench.columns import RESULTS
from bench.environment import code
from bench.errors import BenchError
from bench.files import save
from bench.pictures import TRAINING, Picture, gif_bytes
from bench.points import Table
from reports import html
from reports.groups import select

PAGE = committed.MEASURED.with_suffix(".html")
ANIMATION = committed.MEASURED.with_name("training.gif")
SHOWN = ("dcgan", "lsgan", "ragan", "wgan")
"""Algorithms of the animation: with batch norm above, without it below."""
SIDE, EACH, LABEL = 3, 2, 14
"""Images along a side of each panel, which frame of how many is shown, and pixels of its label."""


def main(store: str = "sqlite:///mlflow.db") -> None:
    """Writes everything, each file whole or not at all."""
    found = results.load(store)
    trials = kept(found.trials)
    found = replace(found, trials=trials, points=Table(found.points.of(run_ids=list(trials["run_id"]))))
    frames.write(found.trials, found.curves, committed.MEASURED)
    album.write(found, committed.MEASURED)
    moving = animation(found)
    if moving is None:
        print(f"{ANIMATION.name} is left as it is: {store} has no seed with an animation of every cell that it shows")
    else:
        save(ANIMATION, moving)
    committed.load.cache_clear()
    html.write(replace(committed.load(), store=f"reports/{committed.MEASURED.name}"), PAGE)
    readme.main()


def kept(trials: pd.DataFrame) -> pd.DataFrame:
    """What is published of a store's rows: quick trials that came to an end, and what their protocols refer to."""
    ended = trials.query(f"kind == 'trial' and preset == 'quick' and status in {RESULTS}")
    referred = (trials["kind"] == "reference") & trials["protocol"].isin(ended["protocol"])
    trials = trials[trials.index.isin(ended.index) | referred]
    trial = trials["kind"] == "trial"
    now = {name: code(gans.get(name)) for name in trials.loc[trial, "algorithm"].unique()}
    today = trial & (trials["code"] == trials["algorithm"].map(now))
    cells = trials["track"] + trials["protocol"] + trials["cell"]
    return trials[~trial | today | ~cells.isin(cells[today])]


def animation(found: results.Results) -> bytes | None:
    """SHOWN side by side, as they learn from one seed; None where no seed has an animation of all of them."""
    _, trials = select(found, committed.main_group(found))
    rows = [[f"{name} bn={switch}" for name in SHOWN] for switch in ("on", "off")]
    for seed in sorted(trials["seed"].dropna().unique()):
        runs = trials[trials["seed"] == seed].set_index("cell")["run_id"]
        moving = {cell: found.artifact(runs[cell], TRAINING) for row in rows for cell in row if cell in runs}
        films = {cell: film(cell, content) for cell, content in moving.items() if content is not None}
        if len(films) == 2 * len(SHOWN):
            length = min(map(len, films.values()))
            return gif_bytes([np.block([[films[cell][i] for cell in row] for row in rows]) for i in range(length)])
    return None


def film(label: str, content: bytes) -> list[Picture]:
    """The first images of an animation below their label: the last picture, and every EACH-th before it."""
    side = SIDE * 30 + 2
    with Image.open(io.BytesIO(content), formats=["GIF"]) as moving:
        pictures = [np.asarray(each.convert("L"))[:side, :side] for each in ImageSequence.Iterator(moving)]
    return [panel(label, picture) for picture in pictures[::-1][::EACH][::-1]]


def panel(label: str, picture: Picture) -> Picture:
    """The picture below its label."""
    canvas = Image.new("L", (picture.shape[1] + 4, picture.shape[0] + LABEL + 4), 255)
    ImageDraw.Draw(canvas).text((2, 1), label, fill=0)
    canvas.paste(Image.fromarray(picture), (2, LABEL))
    return np.asarray(canvas)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except BenchError as error:
        print(f"publish: error: {error}", file=sys.stderr)
        sys.exit(2)

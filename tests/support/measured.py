"""The committed figures, and the page that tells of them."""

from pathlib import Path

import pandas as pd

import gans

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "findings.md").read_text()
FRAME = pd.read_parquet(ROOT / "reports" / "quick.parquet")
POINTS = pd.read_parquet(ROOT / "reports" / "quick.curves.parquet")
TOLD_OF = FRAME.query("kind == 'trial' and weights == 'raw' and track in ('noise-to-image', 'label-conditional')")
"""What has sections of its own, a row a trial."""
FINISHED = TOLD_OF[TOLD_OF["status"] == "finished"]
ENDED, TRIALS = (rows[rows["track"] == "noise-to-image"] for rows in (TOLD_OF, FINISHED))
LABELLED = FINISHED[FINISHED["track"] == "label-conditional"]
TRICKS = [cls.info.name for cls in gans.families()["trick"]]


def lines(table):
    """The cells of a Markdown table's rows, without backticks and stars."""
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip("`*") for cell in row] for row in rows]


def by_seed(cell):
    return FINISHED[FINISHED["cell"] == cell].set_index("seed")["fid"].sort_index()


def curve(cell, metric, seed=None):
    """Index step: a figure in training, mean over the seeds of a cell, or of one seed."""
    mine = FINISHED[FINISHED["cell"] == cell]
    if seed is not None:
        mine = mine[mine["seed"] == seed]
    runs = mine["run_id"]
    return POINTS[POINTS["run_id"].isin(runs) & (POINTS["metric"] == metric)].groupby("step")["value"].mean()

"""What READMEs and pages show of figures and code: `python docs/readme.py` writes their tables and a picture.

A table stands between `<!-- name -->`, a name of TABLES, and `<!-- end -->`: so it can be read in the repository too.
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import committed
import findings
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bench import results
from bench.metrics import DEFAULT, METRICS
from bench.pictures import SAMPLES
from bench.protocol import PRESETS
from reports import plotting
from reports.groups import select
from reports.looks import MUTED, looks, style
from reports.numbers import number
from reports.svg import to_png
from reports.text import escaped, markdown_table

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "reports" / "leaderboard.png"
PAGES = (ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md")))


def metrics(_: results.Results) -> str:
    """What `--metrics` chooses from."""
    head = ("name", "by default", "least images", "meaning and bias")
    rows = [
        (f"`{metric.name}`", "yes" if metric.name in DEFAULT else "", f"{metric.least:,}", escaped(metric.meaning))
        for metric in METRICS.values()
    ]
    return markdown_table(head, rows)


def presets(_: results.Results) -> str:
    """What `--preset` chooses from."""
    rows = [(f"`{p.name}`", str(p.budget), f"{p.samples:,}", p.meaning) for p in PRESETS.values()]
    return markdown_table(("preset", "budget per trial", "scored samples", "for"), rows)


TABLES = findings.TABLES | {"headline": findings.headline, "metrics": metrics, "presets": presets}
"""By name."""


def main() -> None:
    """Writes every table into every page, and the picture beside the file of figures."""
    found = committed.load()
    for path in PAGES:
        path.write_text(filled(path.read_text(), found))
    PICTURE.write_bytes(few_colours(to_png(picture(found), dpi=110)))


def filled(text: str, found: results.Results) -> str:
    """The text with its tables made anew; ValueError for a mark that names none, or has no end."""

    def table(mark: re.Match[str]) -> str:
        if mark[1] not in TABLES:
            raise ValueError(f"no table '{mark[1]}'; there are: {', '.join(TABLES)}")
        return f"<!-- {mark[1]} -->\n\n{TABLES[mark[1]](found)}\n\n<!-- end -->"

    made, n = re.subn(r"<!-- (\w+) -->\n.*?<!-- end -->", table, text, flags=re.DOTALL)
    if made.count("<!-- ") != 2 * n:
        raise ValueError("a mark has no end")
    return made


def picture(found: results.Results) -> Figure:
    """FID with interval of the READMEs' rows, beside the first ten samples of each first seed, never of the best."""
    group = committed.main_group(found)
    shown = findings.leading(found)
    _, rows = select(found, group)
    strips = [_strip(found, rows[rows["label"] == row["label"]].sort_values("seed")) for row in shown]
    labels = [row["label"] for row in shown]
    height, colours = 0.42, looks(replace(found, trials=rows[rows["label"].isin(labels)]))
    with style():
        fig = Figure(figsize=(9.6, height * len(shown) + 0.8))
        body = (0.6 / fig.get_figheight(), height * len(shown) / fig.get_figheight())
        axes, right = (fig.add_axes((left, body[0], width, body[1])) for left, width in ((0.19, 0.35), (0.555, 0.435)))
        for place, row in enumerate(shown):
            colour = colours[row["label"]].colour if row["kind"] == "cell" else MUTED
            plotting.interval(axes, place, row["fid"], row["fid_low"], row["fid_high"], colour)
            strip = strips[place]
            if strip is not None:
                right.imshow(
                    strip,
                    cmap="gray",
                    vmin=0,
                    vmax=255,
                    extent=(0, 1, place + 0.47, place - 0.47),
                    aspect="auto",
                )
        best = [row["fid_high"] if row["seeds"] > 1 else row["fid"] for row in shown if row["kind"] == "cell"]
        plotting.fid_extent(axes, pd.Series(best, dtype=float), pd.Series(best, dtype=float))
        end = axes.get_xlim()[1]
        for place, row in enumerate(shown):
            if row["fid"] > end:
                axes.annotate(f"{number(row['fid'])} \u2192", (end, place), ha="right", va="center", color=MUTED)
        plotting.rows_axis(axes, labels, "")
        right.set(xlim=(0, 1), ylim=axes.get_ylim())
        right.axis("off")
    return fig


def few_colours(content: bytes) -> bytes:
    """The PNG with a palette of 128 colours, which nobody tells from all of them and which make the file a third."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=["PNG"]) as drawn:
        drawn.convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _strip(found: results.Results, rows: pd.DataFrame) -> NDArray[np.uint8] | None:
    """The first line of a grid of samples."""
    content = found.artifact(rows["run_id"].iloc[0], SAMPLES)
    if content is None:
        return None
    with Image.open(io.BytesIO(content), formats=["PNG"]) as grid:
        return np.asarray(grid.convert("L"))[1:31]


if __name__ == "__main__":
    main()

"""Text: how numbers and tables are written for people, in the terminal, in Markdown and (by `COLUMNS`) in HTML.

Takes frames of `reports.tables`. Rounds FID and IS to two decimals: 10,000 images' own sampling noise is larger.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

NOTHING = "-"
Row = dict[Any, Any]

# A rule under the head and nothing else, in ASCII so that no terminal or log garbles it.
_BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def number(value: Any, form: str = ",.2f") -> str:
    """The number in this format; '-' where it is missing."""
    return NOTHING if value is None or pd.isna(value) else format(value, form)


def duration(seconds: Any) -> str:
    """'0.4 s', '181 s'; seconds throughout, so that a column can be compared at a glance."""
    return NOTHING if pd.isna(seconds) else f"{seconds:,.{0 if seconds >= 10 else 1}f} s"


def short(value: Any) -> str:
    """'1.67M' for 1,671,105."""
    if pd.isna(value):
        return NOTHING
    return next(
        (f"{value / size:.3g}{unit}" for size, unit in ((1e6, "M"), (1e3, "k")) if value >= size), f"{value:.0f}"
    )


def interval(row: Row, name: str = "fid") -> str:
    """The interval of a leaderboard row, or why it has none."""
    if row["kind"] == "reference":
        return "reference"
    if row["seeds"] == 0:
        return outcome(row)
    if row["seeds"] == 1:
        return "needs 2+ seeds"
    return f"[{number(row[f'{name}_low'])}, {number(row[f'{name}_high'])}]"


def outcome(row: Row) -> str:
    """'finished', 'skipped', or counts where the trials of a cell ended differently: '2 finished, 1 diverged'."""
    if row["kind"] == "reference":
        return ""
    names = ("finished", "diverged", "failed", "interrupted", "running", "skipped")
    counts = {name: int(row[name]) for name in names if row[name]}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def seeds(row: Row) -> str:
    """Trials that finished of those that were started: '2/3'."""
    return f"{int(row['seeds'])}/{int(row['trials'])}" if row["trials"] else NOTHING


@dataclass(frozen=True)
class Column:
    """One column of a table for people; `key` names the frame's column that it is sorted by."""

    heading: str
    key: str
    write: Callable[[Row], str]
    right: bool = True
    wide: bool = False
    """Left out of a terminal without room for it."""


LEADERBOARD = (
    Column("cell", "label", lambda row: str(row["label"]), right=False),
    Column("FID", "fid", lambda row: number(row["fid"])),
    Column("95 % interval", "fid_low", interval),
    Column("IS", "is_", lambda row: number(row["is_"])),
    Column("seeds", "seeds", seeds),
    Column("training", "seconds", lambda row: duration(row["seconds"])),
    Column("G updates", "g_updates", lambda row: number(row["g_updates"], ",.0f"), wide=True),
    Column("D updates", "d_updates", lambda row: number(row["d_updates"], ",.0f"), wide=True),
    Column("images", "images", lambda row: number(row["images"], ",.0f"), wide=True),
    Column("params G", "params_g", lambda row: short(row["params_g"]), wide=True),
    Column("params D", "params_d", lambda row: short(row["params_d"]), wide=True),
)
BN_EFFECT = (
    Column("algorithm", "label", lambda row: str(row["label"]), right=False),
    Column("FID on", "on", lambda row: number(row["on"])),
    Column("FID off", "off", lambda row: number(row["off"])),
    Column("on - off", "difference", lambda row: number(row["difference"], "+.2f")),
    Column(
        "95 % interval",
        "low",
        lambda row: NOTHING if pd.isna(row["low"]) else f"[{number(row['low'])}, {number(row['high'])}]",
    ),
    Column("pairs", "pairs", lambda row: str(row["pairs"])),
)
PROBLEMS = (
    Column("cell", "label", lambda row: str(row["label"]), right=False),
    Column("seed", "seed", lambda row: number(row["seed"], "d")),
    Column("status", "status", lambda row: str(row["status"]), right=False),
    Column("reason", "reason", lambda row: str(row["reason"]) or "not recorded", right=False),
    Column("images seen", "images", lambda row: number(row["images"], ",.0f"), wide=True),
    Column("run", "run_id", lambda row: str(row["run_id"])[:8], right=False, wide=True),
)


def columns(frame: pd.DataFrame) -> list[Column]:
    """The columns that present this frame of `reports.tables`, without IS where the task has none.

    Further metrics follow: the task's own by the middle of their name, for the protocol says the rest, others by all of
    it.
    """
    if "verdict" in frame:
        return list(BN_EFFECT)
    if "run_id" in frame:
        return list(PROBLEMS)
    between = list(frame.columns[list(frame.columns).index("is_high") + 1 : list(frame.columns).index("seconds")])
    scores = [column for column in LEADERBOARD[:4] if column.key != "is_" or frame["is_"].notna().any()]
    return [*scores, *(_further(name, frame.attrs.get("prefix")) for name in between), *LEADERBOARD[4:]]


def _further(name: str, prefix: str | None) -> Column:
    heading = name
    if prefix is not None and name.startswith(f"{prefix}_"):
        heading = name.removeprefix(f"{prefix}_").rpartition("_")[0].replace("_", " ")
    return Column(heading, name, lambda row: number(row[name], ",.3f" if abs(row[name]) < 1 else ",.2f"), wide=True)


def notes(frame: pd.DataFrame) -> list[str]:
    """What a reader must know beside the numbers, one sentence each."""
    if "verdict" in frame:
        return list(frame["verdict"])
    if "run_id" in frame:
        return []
    cells = frame[frame["kind"] == "cell"]
    said = [
        f"{row['label']}: {outcome(row)}" + (f" - {row['reason']}" if row["reason"] else "")
        for row in cells.to_dict("records")
        if outcome(row) != "finished"
    ]
    said += [f"{label} is no GAN; it stands here for reference." for label in cells.loc[cells["no_gan"], "label"]]
    if (cells["seeds"] == 1).any():
        said.append("One seed gives no verdict: a cell needs 2 or more for an interval (--seeds 3).")
    if (cells["seeds"] > 1).any():
        said.append("FID and IS are means over the seeds that finished; interval: 95 %, Student t, over seeds.")
    return said


def as_text(frame: pd.DataFrame, width: int | None = None) -> str:
    """The table for a terminal of `width` columns (default: this one's), with its protocol above and notes below."""
    buffer = io.StringIO()
    width = width or shutil.get_terminal_size().columns
    console = Console(file=buffer, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    shown = columns(frame)
    table = _table(frame, shown)
    while Measurement.get(console, console.options, table).maximum >= width and any(c.wide for c in shown):
        shown.remove([column for column in shown if column.wide][-1])
        table = _table(frame, shown)
    if frame.attrs.get("protocol"):
        console.print(f"{frame.attrs['track']}, protocol {frame.attrs['protocol']}: {frame.attrs['protocol_text']}\n")
    console.print(table)
    said = notes(frame)
    if said:
        console.print("\n" + "\n".join(said))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


def _table(frame: pd.DataFrame, shown: list[Column]) -> Table:
    table = Table(box=_BOX, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in shown:
        table.add_column(
            column.heading, justify="right" if column.right else "left", no_wrap=column.right, overflow="fold"
        )
    for row in frame.to_dict("records"):
        table.add_row(*(Text(column.write(row)) for column in shown))
    return table


def as_markdown(frame: pd.DataFrame) -> str:
    """The whole table in Markdown, with its protocol above and notes below."""

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(map(_escaped, cells)) + " |"

    shown = columns(frame)
    parts = [line([column.heading for column in shown])]
    parts.append("|" + "|".join("---:" if column.right else ":---" for column in shown) + "|")
    parts += [line([column.write(row) for column in shown]) for row in frame.to_dict("records")]
    if frame.attrs.get("protocol"):
        heading = f"**{frame.attrs['track']}**, protocol {frame.attrs['protocol']}: {frame.attrs['protocol_text']}"
        parts = [heading, "", *parts]
    said = notes(frame)
    return "\n".join([*parts, *([""] if said else []), *(f"- {_escaped(note)}" for note in said)])


def _escaped(text: str) -> str:
    for special in "\\`*_<>|":
        text = text.replace(special, f"\\{special}")
    return " ".join(text.replace("](", "]\\(").split())

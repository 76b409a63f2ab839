"""Text: tables as they are written for people, in the terminal and in Markdown. Takes frames of `reports.tables`."""

from __future__ import annotations

import io
import shutil
import textwrap
from collections.abc import Iterable, Sequence

import pandas as pd
from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from reports.columns import Column, columns, rows
from reports.notes import notes

# A rule under the head and nothing else, in ASCII so that no terminal or log garbles it.
_BOX = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def as_text(frame: pd.DataFrame, width: int | None = None) -> str:
    """The table for a terminal of `width` columns (default: this one's), with its protocol above and notes below."""
    buffer = io.StringIO()
    width = width or shutil.get_terminal_size().columns
    console = Console(file=buffer, width=width, color_system=None, highlight=False, markup=False, emoji=False)
    if frame.attrs.get("protocol"):
        console.print(f"{frame.attrs['track']}, protocol {frame.attrs['protocol']}: {frame.attrs['protocol_text']}\n")
    shown = _fitting(frame, console)
    console.print(_table(frame, shown))
    said = notes(frame, {column.key for column in columns(frame)} - {column.key for column in shown})
    if said:
        console.print("\n" + "\n".join(said))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines())


def filled(sentences: Iterable[str]) -> list[str]:
    """Lines of the sentences, each begun on its own, broken at spaces to fit this terminal."""
    width = shutil.get_terminal_size().columns
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, width, break_long_words=False, break_on_hyphens=False)
    ]


def _fitting(frame: pd.DataFrame, console: Console) -> list[Column]:
    """As many of its columns as the console has room for; the last of the wide ones are left out first."""
    lines = rows(frame)
    widths = {
        column: max(
            Measurement.get(console, console.options, Text(text)).maximum
            for text in (column.heading, *map(column.write, lines))
        )
        for column in columns(frame)
    }
    for column in reversed([column for column in widths if column.wide]):
        if sum(widths.values()) + 2 * (len(widths) - 1) < console.width:  # two characters between columns
            break
        del widths[column]
    return list(widths)


def _table(frame: pd.DataFrame, shown: Sequence[Column]) -> Table:
    table = Table(box=_BOX, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in shown:
        table.add_column(
            column.heading, justify="right" if column.right else "left", no_wrap=column.right, overflow="fold"
        )
    for row in rows(frame):
        table.add_row(*(Text(column.write(row)) for column in shown))
    return table


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], align: Sequence[str] = ()) -> str:
    """Cells that are Markdown already, as a table of it; `align` has '---:' for a column that is set to the right."""
    lines = [head, align or ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in line) + " |" for line in lines)


def as_markdown(frame: pd.DataFrame) -> str:
    """The whole table in Markdown, with its protocol above and notes below."""
    shown = columns(frame)
    lines = ([escaped(column.write(row)) for column in shown] for row in rows(frame))
    align = ["---:" if column.right else ":---" for column in shown]
    parts = [markdown_table([escaped(column.heading) for column in shown], lines, align)]
    if frame.attrs.get("protocol"):
        track, protocol, text = (escaped(frame.attrs[key]) for key in ("track", "protocol", "protocol_text"))
        heading = f"**{track}**, protocol {protocol}: {text}"
        parts = [heading, "", *parts]
    said = notes(frame)
    return "\n".join([*parts, *([""] if said else []), *(f"- {escaped(note)}" for note in said)])


def escaped(text: str) -> str:
    """The text as Markdown that shows it literally, on one line."""
    for special in "\\`*_<>|":
        text = text.replace(special, f"\\{special}")
    return " ".join(text.replace("](", "]\\(").split())

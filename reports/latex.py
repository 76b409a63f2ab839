"""Tables for a paper: frames of `reports.tables` as LaTeX with booktabs' rules. Whatever they hold is escaped."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from reports.columns import columns, rows
from reports.notes import notes

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}", "--": "-{}-", "\n": " ",
}  # fmt: skip
_MINUS = r"(?<![\w-])-(?=\d)"
_ANY = re.compile("|".join([*map(re.escape, _SPECIAL), _MINUS]))


def escape(text: str) -> str:
    """The text as LaTeX sets it letter by letter; the sign of a negative number becomes a minus."""
    return _ANY.sub(lambda match: _SPECIAL.get(match[0], "$-$"), text)


def as_latex(frame: pd.DataFrame, caption: str, label: str) -> str:
    r"""A float that needs `\usepackage{booktabs}`: protocol in the caption, notes below.

    It has the columns that a narrow terminal shows, so that it fits a page; Markdown has all.
    """
    shown = [column for column in columns(frame) if not column.wide]
    hidden = {column.key for column in columns(frame) if column.wide}
    cells = [[escape(column.write(row)) for column in shown] for row in rows(frame)]
    table = pd.DataFrame(cells, columns=[escape(column.heading) for column in shown])
    alignment = "".join(_alignment(frame[column.key], column.right) for column in shown)
    tabular = table.style.hide(axis="index").to_latex(hrules=True, column_format=alignment)
    if "protocol" in frame.attrs:
        caption += f" Protocol {frame.attrs['protocol']}: {frame.attrs['protocol_text']}."
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering\small",
        rf"\caption{{{escape(caption)}}}",
        rf"\label{{{label}}}",
        tabular.strip(),
        *(rf"\par {escape(note)}" for note in notes(frame, hidden)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _alignment(values: pd.Series[Any], right: bool) -> str:
    if right:
        return "r"
    return r"p{0.4\linewidth}" if values.astype(str).str.len().max() > 40 else "l"

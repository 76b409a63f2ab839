"""The HTML report: results in, one self-contained file out, which needs no network and runs no foreign script.

Whatever comes from the store is escaped by the template; the only markup let through are this package's own figures.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup, escape

from bench.files import save
from reports import looks
from reports.page import page
from reports.plots import Plot
from reports.svg import to_svg

if TYPE_CHECKING:
    from bench.results import Results

_TEMPLATES = Path(__file__).parent / "templates"


def render(results: Results) -> str:
    """The page; equal results give equal pages. BenchError when there are none."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (_TEMPLATES / "report.js").read_text()
    return environment.get_template("report.html.j2").render(
        page=page(results),
        svg=_themed_svg,
        prose=_prose,
        style=Markup(_colours() + (_TEMPLATES / "report.css").read_text()),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def write(results: Results, path: Path) -> Path:
    """Writes the page to `path`, whole or not at all, and gives `path`."""
    save(path, render(results).encode())
    return path


def _prose(text: str) -> Markup:
    """The text with what is in backticks and command-line options set as code; no line break tears an option apart."""
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"--(seeds \d+|bn on/off)", r'<code class="option">\g<0></code>', coded))


def _colours() -> str:
    """The colours of figures as CSS variables, light ones everywhere and dark ones on dark screens."""
    light = _variables(looks.PAPER, looks.INK, looks.MUTED, looks.RULE, looks.PALETTE)
    dark = _variables(looks.DARK_PAPER, looks.DARK_INK, looks.DARK_MUTED, looks.DARK_RULE, looks.DARK)
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _variables(paper: str, ink: str, muted: str, rule: str, palette: tuple[str, ...]) -> str:
    named = {"paper": paper, "ink": ink, "muted": muted, "rule": rule}
    named |= {f"c{i}": colour for i, colour in enumerate(palette)}
    return " ".join(f"--{name}: {colour};" for name, colour in named.items())


_VARIABLE = {looks.PAPER: "paper", looks.INK: "ink", looks.MUTED: "muted", looks.RULE: "rule"} | {
    colour: f"c{i}" for i, colour in enumerate(looks.PALETTE)
}


def _themed_svg(plot: Plot) -> Markup:
    """The figure inline: it scales with the page and takes its colours."""
    svg = to_svg(plot.figure, plot.name)
    head, rest = svg.split(">", 1)
    head = re.sub(r' (width|height)="[^"]*"', "", head) + f' role="img" aria-label="{escape(plot.title)}"'
    rest = re.sub(r"(?<=: )#[0-9a-f]{6}\b", lambda m: f"var(--{_VARIABLE[m[0]]})" if m[0] in _VARIABLE else m[0], rest)
    return Markup(f"{head}>{rest}")

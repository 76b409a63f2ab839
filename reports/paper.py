"""Files for a paper: every figure of the page by itself with its caption, every table in Markdown and LaTeX.

Takes results, gives files whose names stay the same as long as track and protocol do: no other group renames them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from bench.files import save, slug
from reports import plots, tables
from reports.curves import budgets
from reports.groups import Group, protocols, select, titles
from reports.latex import as_latex
from reports.svg import to_pdf, to_png, to_svg
from reports.text import as_markdown, escaped

if TYPE_CHECKING:
    from bench.results import Results

CAPTIONS = "figures.md"
DRAW: dict[str, Callable[[Figure], bytes]] = {
    "svg": lambda figure: to_svg(figure).encode(),
    "pdf": to_pdf,
    "png": to_png,
}


def write(results: Results, folder: Path, form: str = "svg") -> list[Path]:
    """Writes figures as 'svg', 'pdf' or 'png', their captions (`figures.md`) and the tables; gives the files.

    BenchError when there are no results, or the folder cannot be written.
    """
    files: dict[str, bytes] = {}
    captions = ["# Figures"]
    for group in protocols(results) or [select(results)[0]]:
        protocol = f"Protocol {group.protocol}: {group.text}."
        for what, drawn in plots.of_group(results, group, stem(group)).items():
            note = plots.curves_note(results, group) if what == "curves" else ""
            for plot in drawn:
                name, title = f"{plot.name}.{form}", escaped(plot.title)
                files[name] = DRAW[form](plot.figure)
                text = " ".join([f"{plot.title}.", *filter(None, (plot.caption, note)), protocol])
                captions.append(f"## {title}\n\n![{title}]({name})\n\n{escaped(text)}")
    files[CAPTIONS] = ("\n\n".join(captions) + "\n").encode()
    for name, frame, title in _tables(results):
        files[f"{name}.md"] = (as_markdown(frame) + "\n").encode()
        files[f"{name}.tex"] = as_latex(frame, title, f"tab:{name}").encode()
    for name, content in files.items():
        save(folder / name, content)
    return [folder / name for name in files]


def stem(group: Group) -> str:
    """'noise-to-image-8d0016dc'."""
    return f"{slug(group.track)}-{group.protocol}"


def _tables(results: Results) -> Iterator[tuple[str, pd.DataFrame, str]]:
    for group in protocols(results):
        where = f"{titles(results)[group]}."
        yield f"{stem(group)}-leaderboard", tables.leaderboard(results, group), f"Leaderboard, {where}"
        recipes = tables.recipes(results, group)
        if len(recipes):
            yield f"{stem(group)}-settings", recipes, f"Settings other than most cells have, {where}"
        pairs, effects = tables.pairwise(results, group), tables.factor_effects(results, group)
        if len(pairs):
            yield f"{stem(group)}-pairs", pairs, f"First minus second, paired by seed, {where}"
        if effects["both"].any():
            yield f"{stem(group)}-effects", effects, f"FID after the change minus before, paired by seed, {where}"
        bought = budgets(results, group)
        if len(bought):
            yield f"{stem(group)}-budgets", bought, f"FID in training, {where}"
    problems = tables.problems(results)
    if len(problems):
        yield "problems", problems, "Trials and cells without a result, or with something wrong."

"""`bench report`: the HTML page of what was measured, and its figures and tables as files for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import options

if TYPE_CHECKING:
    from bench.results import Results

DEFAULT = Path("bench-report.html")


@click.command()
@options.sources
@options.experiment
@options.out(str(DEFAULT), "The page that is written.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write every figure to this folder, with captions, and every table in Markdown and LaTeX.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "pdf", "png"]),
    default="svg",
    show_default=True,
    help="File format of the figures written by --figures.",
)
def report(sources: tuple[str, ...], experiment: str, out: Path, figures: Path | None, form: str) -> None:
    """Write a self-contained HTML report of everything in the store, or in the sources given by --from."""
    from bench import results

    loaded = results.load(*sources, experiment=experiment)
    click.echo(f"report: {write(loaded, out)}")
    if figures is not None:
        from reports import paper

        written = paper.write(loaded, figures, form)
        click.echo(f"{len(written)} files of figures and tables: {figures.resolve()}")


def write(results: Results, out: Path) -> Path:
    """Writes the report and gives its absolute path; BenchError when it cannot be written."""
    from reports import html

    return html.write(results, out).resolve()

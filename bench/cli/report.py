"""`bench report`: the HTML page of an experiment."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from bench.cli import options

DEFAULT = Path("bench-report.html")


@click.command()
@options.experiment
@click.option("--out", "-o", type=click.Path(path_type=Path, dir_okay=False), default=DEFAULT, show_default=True)
def report(experiment: str, out: Path) -> None:
    """Write a self-contained HTML report of everything in the store."""
    click.echo(f"report: {write(experiment, out)}")


def write(experiment: str, out: Path) -> Path:
    """Writes the report and gives its absolute path; BenchError when it cannot be written."""
    from bench import results
    from bench.errors import BenchError
    from reports import html

    loaded = results.load(experiment=experiment)
    try:
        return html.write(loaded, out).resolve()
    except OSError as error:
        raise BenchError(
            f"cannot write the report to {out}: {error.strerror}; choose another place with --out"
        ) from error

"""`bench speed`: how fast this machine is with it, against a naive script and the hardware's limit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from bench.cli import options
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.speed.parts import Figures
    from bench.speed.timing import Numbers


@click.command()
@click.option(
    "--algos", metavar="NAMES", help="Algorithms whose step is timed, with commas; default: that of the script."
)
@click.option(
    "--parts",
    "part_names",
    default="step",
    show_default=True,
    metavar="NAMES",
    help="With commas, or all: step, batch, jobs, together, evaluation, overhead, start, memory, logging, checkpoint, "
    "trials.",
)
@click.option("--repeats", type=click.IntRange(2), default=15, show_default=True, help="Rounds that are timed.")
@options.device
@options.as_json
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Figures kept by --keep or --json earlier: says which ratios fell.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Writes the figures there as JSON, for --against later.",
)
def speed(
    algos: str | None,
    part_names: str,
    repeats: int,
    device: str,
    as_json: bool,
    against: Path | None,
    keep: Path | None,
) -> None:
    """Time a training step against a naive PyTorch script, and the rest of the harness.

    A figure is a median over rounds with its quartiles; rounds take everything that is compared in turn, since a
    machine is never quiet. A ratio is the other side's time over bench's: above 1, bench is faster.
    """
    from bench import environment
    from bench.files import save
    from bench.plan import split_names
    from bench.speed import parts
    from bench.speed.naive import PEER
    from bench.speed.step import Subject

    names = list(parts.PARTS) if part_names == "all" else split_names(part_names)
    before = None if against is None else _kept(against)
    chosen = environment.pick_device(device)
    subject = Subject(split_names(algos or PEER), repeats, chosen)
    figures = parts.measure(names, subject)
    machine = {"device": environment.device_name(chosen), "repeats": repeats, "versions": environment.versions()}
    document = json.dumps({"machine": machine, "figures": figures}, indent=2)
    if keep is not None:
        save(keep, document.encode())
    if as_json:
        click.echo(document)
    else:
        _print(figures, f"{machine['device']}, {repeats} rounds")
    for line in [] if before is None else parts.fallen(figures, before):
        click.echo(line, err=as_json)


def _kept(path: Path) -> Figures:
    """The figures of a file; BenchError, before anything is measured, where not all that is read later is there."""
    from bench.speed import parts

    try:
        figures: Figures = json.loads(path.read_text())["figures"]
        for numbers in (numbers for rows in figures.values() for numbers in rows.values()):
            if not all(isinstance(value, int | float) for value in numbers.values()):
                raise TypeError("a figure is no number")
        parts.fallen(figures, figures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BenchError(f"--against {path}: no figures of 'bench speed --json' in it") from error
    return figures


def _values(numbers: Numbers) -> dict[str, str]:
    """Name -> value in words, a median with its quartiles."""
    shown: dict[str, str] = {}
    for name, value in numbers.items():
        stem, _, end = name.rpartition("_")
        if end == "median":
            shown[stem] = f"{value:.3g} [{numbers[f'{stem}_low']:.3g}, {numbers[f'{stem}_high']:.3g}]"
        elif not (end in ("low", "high") and f"{stem}_median" in numbers):
            shown[name] = f"{value:.3g}"
    return shown


def _print(figures: dict[str, Any], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("part", "of", "figure", "median [quartiles]"):
        table.add_column(column, no_wrap=column != "figure")
    for part, rows in figures.items():
        table.add_section()
        for row, numbers in rows.items():
            for name, value in _values(numbers).items():
                table.add_row(part, row, name.replace("_", " "), value)
                part, row = "", ""
    Console().print(table)
    click.echo(title)

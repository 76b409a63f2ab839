"""`bench export` and `bench import`: figures as a file that can be committed, sent and merged elsewhere."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from bench.cli import options


def _print_columns(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from rich.console import Console
    from rich.table import Table

    from bench.columns import CURVES, FURTHER, TRIALS

    console = Console()
    for title, columns in (("rows", TRIALS), ("curves", CURVES)):
        table = Table("name", "type", "meaning", box=None, pad_edge=False, title=title, title_justify="left")
        for column in columns:
            table.add_row(column.name, column.kind, column.meaning)
        console.print(table)
        if columns is TRIALS:
            console.print(f"{FURTHER}\n", markup=False, highlight=False)
    context.exit()


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@options.sources
@options.experiment
@click.option(
    "--columns", is_flag=True, is_eager=True, expose_value=False, callback=_print_columns, help="List the columns."
)
@click.option("--pictures", is_flag=True, help="Write the grids of samples too, to the folder OUT.pictures.")
def export(out: Path, sources: tuple[str, ...], experiment: str, pictures: bool) -> None:
    """Write what was measured to OUT, a .parquet or .csv; curves go beside it, to OUT.curves.parquet or .csv.

    One row per trial, reference row and skipped cell. Floats survive to the last bit. Weights, animations and pictures
    of the latent space stay in the store.
    """
    from bench import album, frames, results

    frames.check_ending(out)
    loaded = results.load(*sources, experiment=experiment)
    frames.write(loaded.trials, loaded.curves, out)
    kinds = loaded.trials["kind"].value_counts()
    counts = ", ".join(f"{kinds.get(kind, 0)} {kind} rows" for kind in ("trial", "reference", "skip"))
    click.echo(f"{counts} of {loaded.experiment}: {out.resolve()}")
    click.echo(f"{len(loaded.curves):,} points of their curves: {frames.curves_path(out).resolve()}")
    if pictures:
        click.echo(f"{len(album.write(loaded, out))} grids of samples: {album.folder(out).resolve()}")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.experiment
def import_file(file: Path, experiment: str) -> None:
    """Merge FILE, written by 'bench export', into the store of this directory.

    Rows that are there already are left out. A trial whose figures are not those that the store has of the same
    fingerprint and code is refused, and nothing is imported.
    """
    from bench import results
    from bench.merge import merge
    from bench.track import Store, shown

    loaded = results.from_file(file)
    store = Store(experiment)
    merged = merge(loaded, store, click.echo)
    click.echo(f"{merged.added} rows added to experiment '{experiment}' of {shown(store.uri)}")
    if merged.present:
        click.echo(f"{merged.present} rows left out: they are there already")

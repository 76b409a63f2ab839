"""`bench compare`: two cells of the store against each other."""

from __future__ import annotations

import rich_click as click

from bench.cli import options


@click.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@options.sources
@options.experiment
@click.option("--protocol", metavar="ID", help="Where both ran under several.")
def compare(first: str, second: str, sources: tuple[str, ...], experiment: str, protocol: str | None) -> None:
    """Say which of two cells of the store, or of --from, is better, by how much, and how sure that is.

    A and B are cells as tables name them ('dcgan bn=on'), or algorithms or beginnings of names that fit one cell.
    """
    from bench import results
    from reports import duel

    click.echo(duel.as_words(duel.duel(results.load(*sources, experiment=experiment), first, second, protocol)))

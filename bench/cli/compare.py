"""`bench compare`: a cell of the store against another one, against several, or against all."""

from __future__ import annotations

import rich_click as click

from bench.cli import options


@click.command()
@click.argument("cell", metavar="A")
@click.argument("others", metavar="[B]...", nargs=-1)
@options.sources
@options.experiment
@click.option("--protocol", metavar="ID", help="Protocol id to compare under, where the cells ran under several.")
def compare(
    cell: str, others: tuple[str, ...], sources: tuple[str, ...], experiment: str, protocol: str | None
) -> None:
    """Say which of two cells of the store, or of --from, is better, by how much, and how sure that is.

    A and B are cells as tables name them ('dcgan bn=on'), or algorithms or beginnings of names that fit one cell.
    Several B, or none for all that A may be compared with, are each compared with A, allowing for their number.
    """
    from bench import results
    from reports import contest, duel

    found = results.load(*sources, experiment=experiment)
    if len(others) == 1:
        click.echo(duel.as_words(duel.duel(found, cell, others[0], protocol)))
    else:
        click.echo(contest.as_words(contest.contest(found, cell, others, protocol)))

"""`bench sync`: results that a store did not take, delivered."""

from __future__ import annotations

import rich_click as click


@click.command()
def sync() -> int:
    """Deliver the results that wait in bench-work because their store was gone; exit code 1 when some still wait."""
    from bench import sync as syncing

    done = syncing.sync()
    for name in done.delivered:
        click.echo(f"delivered  {name}")
    for failure in done.failures:
        click.echo(f"waits      {failure}")
    for name in done.unfinished:
        click.echo(f"unfinished {name}: give its 'bench run' again to go on")
    for problem in done.damaged:
        click.echo(f"damaged    {problem}")
    if not (done.delivered or done.failures or done.unfinished or done.damaged):
        click.echo("nothing waits here")
    return 1 if done.failures or done.damaged else 0

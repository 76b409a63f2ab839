"""`bench check`: the contract of every algorithm, for whoever writes one."""

from __future__ import annotations

import rich_click as click


@click.command()
@click.argument("algorithm")
def check(algorithm: str) -> int:
    """Check that an algorithm, built-in or installed, keeps the contract; exit code 1 when it does not."""
    import gans
    from bench.errors import place_in
    from gans import contract

    cls = gans.get(algorithm)
    failures = 0
    for each in contract.CHECKS:
        promise = (each.__doc__ or "").partition("\n")[0]
        try:
            each(cls)
        except Exception as error:  # a stranger's code may raise anything
            failures += 1
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            click.echo(f"FAIL  {promise}\n      {kind}{' '.join(str(error).split())}{place_in(cls, error)}")
        else:
            click.echo(f"ok    {promise}")
    verdict = f"breaks {failures} of" if failures else "keeps all"
    click.echo(f"{algorithm} {verdict} {len(contract.CHECKS)} promises")
    return 1 if failures else 0

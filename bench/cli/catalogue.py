"""`bench list` and `bench show`: what can be run, and what it is."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import rich_click as click

from bench.cli import options

if TYPE_CHECKING:
    from gans import GAN


def _describe(cls: type[GAN]) -> dict[str, Any]:
    fields = [dataclasses.asdict(spec) | {"type": spec.type.__name__} for spec in cls.Config.options()]
    return dataclasses.asdict(cls.info) | {"config": fields}


@click.command("list")
@options.as_json
def list_algorithms(as_json: bool) -> None:
    """List the registered algorithms by family, and which of them are the same mathematics."""
    import gans

    families = {name: [cls.info for cls in members] for name, members in gans.families().items()}
    infos = [info for members in families.values() for info in members]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(info) for info in infos], indent=2))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "year", "labels", "same as", "paper"):
        table.add_column(column, no_wrap=column in ("name", "year"))
    for family, members in families.items():
        table.add_section()
        table.add_row(f"[bold]{escape(family)}[/bold]")
        for info in members:
            same = "; ".join(item.partition(":")[0].replace("`", "") for item in info.same_as)
            row = (f"  {info.name}", str(info.year), "yes" if info.needs_labels else "no", same, info.paper)
            table.add_row(*map(escape, row))
    console = Console()
    console.print(table)
    console.print(f"\n{len(infos)} algorithms. Rows that are the same as another are no evidence of their own.")


@click.command()
@click.argument("algorithm")
@options.as_json
def show(algorithm: str, as_json: bool) -> None:
    """Show an algorithm's paper, losses, settings and deviations."""
    import gans
    from bench.plan import as_text

    cls = gans.get(algorithm)
    if as_json:
        click.echo(json.dumps(_describe(cls), indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    info = cls.info
    console = Console(highlight=False)
    console.print(f"[bold]{info.name}[/bold]  {info.summary}", soft_wrap=True)
    console.print(f"{info.paper}\nfamily {info.family}, {info.year}, track {info.track}\n", markup=False)
    for title, items in (("Losses", info.losses), ("Deviations", info.deviations), ("Same as", info.same_as)):
        if not items:
            continue
        console.print(f"[bold]{title}[/bold]")
        bullets = Table.grid(padding=(0, 1, 0, 2))
        for item in items:
            bullets.add_row("*", Text(item))
        console.print(bullets, "")
    console.print("[bold]Settings[/bold] (change one with --set field=value)")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2))
    for column in ("field", "default", "meaning", "allowed", "source"):
        table.add_column(column, no_wrap=column in ("field", "default"))
    for spec in cls.Config.options():
        table.add_row(spec.name, as_text(spec.default), spec.meaning, spec.allowed, spec.source)
    console.print(table)

"""`bench list` and `bench show`: what can be run, and what it is."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import rich_click as click

from bench.cli import options

if TYPE_CHECKING:
    from rich.table import Table

    from gans import GAN


def _describe(cls: type[GAN]) -> dict[str, Any]:
    fields = [dataclasses.asdict(spec) | {"type": spec.type.__name__} for spec in cls.Config.options()]
    return dataclasses.asdict(cls.info) | {"config": fields}


def _columns(*names: str) -> Table:
    """A table whose last column takes the lines that it needs, so that the others can be read down."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=name != names[-1])
    return table


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
    from rich.text import Text

    console = Console(highlight=False)
    table = _columns("name", "year", "what it is")
    usual = gans.registry.TRACKS[0]
    for family, members in families.items():
        table.add_section()
        table.add_row(Text(family, style="bold"))
        for info in members:
            about = [info.summary, *["Needs labels."] * info.needs_labels]
            about += [f"Track {info.track}."] * (info.track != usual)
            about += [f"{how} {item.replace('`', '')}." for how, items in info.relations().items() for item in items]
            table.add_row(f"  {info.name}", str(info.year), Text(" ".join(about)))
    console.print(table)
    console.print(
        f"\n{len(infos)} algorithms; 'bench show NAME' tells more. Only rows of one track are ranked together, most of "
        f"them {usual}. Rows that are bit for bit the same as another are no evidence of their own."
    )


@click.command()
@click.argument("algorithm")
@options.as_json
def show(algorithm: str, as_json: bool) -> None:
    """Show an algorithm's paper, losses, settings and deviations."""
    import gans
    from bench.settings import as_text

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
    for title, items in {"Losses": info.losses, "Deviations": info.deviations, **info.relations()}.items():
        if not items:
            continue
        console.print(f"[bold]{title}[/bold]")
        bullets = Table.grid(padding=(0, 1, 0, 2))
        for item in items:
            bullets.add_row("*", Text(item))
        console.print(bullets, "")
    own = cls.Config.own_options(gans.GAN.Config)
    rest = [spec for spec in cls.Config.options() if spec not in own]
    for title, specs in (("Settings of its own", own), ("Settings that every algorithm has", rest)):
        if not specs:
            continue
        console.print(f"[bold]{title}[/bold] (change one with --set field=value)")
        table = _columns("field", "default", "meaning; allowed (source of the default)")
        for spec in specs:
            source = f" ({spec.source})" if spec.source else ""
            table.add_row(f"  {spec.name}", as_text(spec.default), Text(f"{spec.meaning}; {spec.allowed}{source}"))
        console.print(table, "")

"""`bench metrics`: what can be measured."""

from __future__ import annotations

import rich_click as click


@click.command()
def metrics() -> None:
    """List the metrics of digits: what each is, which way is better, how it is biased."""
    from rich.console import Console
    from rich.table import Table

    from bench.metrics import DEFAULT, METRICS

    table = Table(box=None, pad_edge=False)
    for column in ("name", "default", "images", "meaning"):
        table.add_column(column, no_wrap=column != "meaning", justify="right" if column == "images" else "left")
    for metric in METRICS.values():
        table.add_row(metric.name, "yes" if metric.name in DEFAULT else "", f"{metric.least:,}+", metric.meaning)
    Console().print(table)

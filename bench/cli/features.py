"""`bench features`: the frozen extractor behind FID and IS."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from bench.cli import options


@click.group()
def features() -> None:
    """Train or inspect the frozen feature extractor."""


@features.command()
@options.data_dir
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the files.")
@click.option("--epochs", type=click.IntRange(1), help="Default: those of the shipped one.")
@click.option("--seed", type=int, default=0, show_default=True)
def train(data_dir: Path | None, out: Path, epochs: int | None, seed: int) -> None:
    """Train the MNIST classifier again and write its weights, reference statistics and model card."""
    from bench.features.train import EPOCHS, train_extractor

    card = train_extractor(data_dir, out, epochs=epochs or EPOCHS, seed=seed, report=click.echo)
    for key, value in card.items():
        click.echo(f"{key}: {value}")

"""`bench features`: the frozen extractor behind FID and IS."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from bench.cli import options


@click.group()
def features() -> None:
    """Train the feature extractors of a data set."""


@features.command()
@options.data
@options.data_dir
@options.offline
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; default: where 'bench run --data' looks for them, which MNIST's do not need.",
)
@click.option("--epochs", type=click.IntRange(1), help="Default: those of the shipped one.")
@options.seed("Fixes initial weights and the order of the images.")
def train(data: str, data_dir: Path | None, offline: bool, out: Path | None, epochs: int | None, seed: int) -> None:
    """Train the two classifiers of a data set and write their weights, reference statistics and model cards.

    Scores on other data than MNIST need it once; MNIST's ship with the package.
    """
    from bench.data import load, published
    from bench.errors import BenchError
    from bench.features.train import EPOCHS, train_extractors
    from bench.features.weights import FOLDER, extractor_folder

    images = published(data)
    folder = out or extractor_folder(data)
    if folder == FOLDER:
        raise BenchError("MNIST's extractors ship with the package; to train others name a folder with --out DIR")
    train_split = load(images, "train", data_dir=data_dir, offline=offline)
    test_split = load(images, "test", data_dir=data_dir, offline=offline)
    cards = train_extractors(train_split, test_split, folder, epochs=epochs or EPOCHS, seed=seed, report=click.echo)
    for card in cards:
        for key, value in card.items():
            click.echo(f"{key}: {value}")

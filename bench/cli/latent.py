"""`bench latent`: a finished trial's latent space in pictures."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from bench.cli import options
from bench.cli.setup import announce


@click.command()
@click.argument("run")
@options.out("latent", "The folder for the PNG files.", folder=True)
@options.seed("Fixes the latents.")
@options.scale
@options.data_dir
@options.offline
def latent(run: str, out: Path, seed: int, scale: int, data_dir: Path | None, offline: bool) -> None:
    """Write pictures of the latent space of RUN, a trial's MLflow run id or the start of one.

    Interpolations, arithmetic on digits, the nearest training images, sweeps of codes, reconstructions: whatever the
    algorithm has.
    """
    import torch

    from bench.errors import BenchError
    from bench.files import save
    from bench.pictures import enlarged, png_bytes
    from bench.protocol import MIN_SAMPLES
    from bench.tasks import Scoring
    from bench.train.restore import restore
    from bench.train.sampling import frozen

    gan, name, task = restore(run)
    data = task.load(data_dir=data_dir, offline=offline)
    announce(data)
    yardstick = task.yardstick(torch.device("cpu"), data, Scoring(MIN_SAMPLES))
    with frozen(gan, gan.generator, seed):
        pictures = task.latent_pictures(gan, data, yardstick)
    if not pictures:
        raise BenchError(f"{name} has no pictures of its latent space; those of the task mnist have")
    for title, picture in pictures.items():
        save(out / f"{title}.png", png_bytes(enlarged(picture, scale)))
    click.echo(f"latent space of {name}: {', '.join(pictures)} in {out.resolve()}")

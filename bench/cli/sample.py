"""`bench sample`: pictures from a finished trial's weights, or their pixels."""

from __future__ import annotations

import io
import math
from pathlib import Path

import rich_click as click

from bench.cli import options
from bench.cli.setup import announce


@click.command()
@click.argument("run")
@click.option("-n", "--number", type=click.IntRange(1, 26_000), default=64, show_default=True, help="Images.")
@options.seed("Fixes the latents.")
@options.out("samples.png", "The file that is written: a PNG, or an .npz of the pixels, as 'bench score' reads it.")
@options.scale
@options.data_dir
@options.offline
def sample(run: str, number: int, seed: int, out: Path, scale: int, data_dir: Path | None, offline: bool) -> None:
    """Write a grid of samples from RUN, a trial's MLflow run id or the start of one.

    What is made from images is shown with these, held-out ones: input, output, target. An .npz holds outputs alone.
    """
    import numpy as np

    from bench.files import save
    from bench.pictures import enlarged, png_bytes
    from bench.train.restore import restore
    from bench.train.sampling import draw

    gan, name, task = restore(run)
    data = None
    if task.field.source is not None:
        data = task.load(data_dir=data_dir, offline=offline)
        announce(data)
    samples = draw(gan, gan.generator, task.examples(data, number, seed), seed)
    if out.suffix == ".npz":
        pixels = io.BytesIO()
        np.savez_compressed(pixels, images=samples.images.numpy())
        save(out, pixels.getvalue())
    else:
        save(out, png_bytes(enlarged(task.picture(samples, math.ceil(math.sqrt(number))), scale)))
    click.echo(f"{len(samples.images)} samples of {name}: {out.resolve()}")

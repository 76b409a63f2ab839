"""`bench score`: anyone's generated images under the same protocol."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from bench.cli import options
from bench.cli.setup import left_out
from bench.errors import BenchError

SCORED = ("mnist", "stacked_mnist")
"""Tasks whose samples are judged by themselves."""
PAIRS = 10


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@click.option(
    "--task", default="mnist", show_default=True, metavar="NAME", help="mnist, or stacked_mnist for [N, 3, 28, 28]."
)
@options.device
@options.data
@options.data_dir
@options.offline
@options.metrics
@options.inception_weights
@click.option(
    "--closest",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="PNG of the images nearest to training images, each above its nearest; needs --metrics memory.",
)
@options.as_json
def score(
    images: Path,
    task: str,
    device: str,
    data: str,
    data_dir: Path | None,
    offline: bool,
    metrics: str | None,
    inception_weights: str | None,
    closest: Path | None,
    as_json: bool,
) -> None:
    """Score generated images: an .npz (uint8 [N, 28, 28]) or a folder of 28x28 PNG files.

    10,000 images give the figures that reports show, 26,000 of stacked digits; other numbers of images give metrics of
    other names, since FID depends on it.
    """
    import torch

    from bench.environment import pick_device
    from bench.files import save
    from bench.images import load_images
    from bench.metrics import choose
    from bench.pictures import image_grid, png_bytes
    from bench.protocol import PRESETS
    from bench.samples import Samples
    from bench.tasks import Scoring
    from bench.tasks import choose as choose_task

    if task not in SCORED:
        raise BenchError(f"--task {task}: allowed is {', '.join(SCORED)}; other tasks score pairs of images")
    chosen = choose_task(task, [], data)
    loaded = load_images(images, chosen.field.shape[0])
    n, usual = len(loaded), chosen.preset(PRESETS["quick"]).samples
    wanted = max(usual, *(metric.least for metric in choose(metrics, n)), 0)
    # The first ones would be of a few classes where a sampler wrote class after class.
    used = loaded[torch.randperm(n, generator=torch.Generator().manual_seed(0))[:wanted].sort().values]
    scoring = Scoring(len(used), metrics, inception_weights, data_dir, offline)
    yardstick = chosen.yardstick(pick_device(device), None, scoring)
    memory = yardstick.memory
    if closest is not None and memory is None:
        raise BenchError(f"--closest {closest}: looks for training images; add --metrics memory")
    scores = yardstick.judge(Samples(used))
    reference = yardstick.reference_real()
    if closest is not None and memory is not None:
        save(closest, png_bytes(image_grid(torch.cat(memory.closest(used, PAIRS)), PAIRS)))
    if as_json:
        click.echo(
            json.dumps(
                {"images": n, "scored": len(used), "extractor": yardstick.extractor_hash, "scores": scores}, indent=2
            )
        )
        return
    drawn = f"{len(used):,} of {n:,} images, drawn at random," if len(used) < n else f"{n:,} images"
    click.echo(f"{drawn} in {images}, extractor {yardstick.extractor_hash}")
    for name, value in scores.items():
        floor = f"   (real training images: {reference[name]:.2f})" if name in reference else ""
        click.echo(f"  {name:<22} {value:9.3f}{floor}")
    if closest is not None:
        click.echo(f"  the {PAIRS} nearest to training images: {closest}")
    if yardstick.notice:
        click.echo(f"  {yardstick.notice}")
    if lacking := left_out(yardstick, metrics, len(used)):
        click.echo(f"  left out: {lacking}")
    if len(used) < usual:
        click.echo(f"  fewer than {usual:,} images: FID is biased upward and compares with no table")

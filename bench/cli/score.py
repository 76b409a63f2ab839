"""`bench score`: anyone's generated images under the same protocol."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from bench.cli import options


@click.command()
@click.argument("images", type=click.Path(path_type=Path))
@options.device
@options.data
@options.data_dir
@options.metrics
@options.inception_weights
@options.as_json
def score(
    images: Path,
    device: str,
    data: str,
    data_dir: Path | None,
    metrics: str | None,
    inception_weights: str | None,
    as_json: bool,
) -> None:
    """Score generated images: an .npz (uint8 [N, 28, 28]) or a folder of 28x28 PNG files.

    10,000 images give the figures that reports show; other numbers of images give metrics of other names, since FID
    depends on it.
    """
    import torch

    from bench.data import published
    from bench.environment import pick_device
    from bench.evaluate import REFERENCE_SAMPLES
    from bench.images import load_images
    from bench.metrics import choose, left_out
    from bench.tasks import Scoring
    from bench.tasks.digits import Digits

    loaded = load_images(images)
    n = len(loaded)
    wanted = max(REFERENCE_SAMPLES, *(metric.least for metric in choose(metrics, n)), 0)
    # The first ones would be of a few classes where a sampler wrote class after class.
    used = loaded[torch.randperm(n, generator=torch.Generator().manual_seed(0))[:wanted].sort().values]
    scoring = Scoring(len(used), metrics, inception_weights, data_dir)
    evaluator = Digits(published(data)).yardstick(pick_device(device), None, scoring)
    scores = evaluator.score(used)
    reference = evaluator.reference_real()
    if as_json:
        click.echo(
            json.dumps(
                {"images": n, "scored": len(used), "extractor": evaluator.extractor_hash, "scores": scores}, indent=2
            )
        )
        return
    drawn = f"{len(used):,} of {n:,} images, drawn at random," if len(used) < n else f"{n:,} images"
    click.echo(f"{drawn} in {images}, extractor {evaluator.extractor_hash}")
    for name, value in scores.items():
        floor = f"   (real training images: {reference[name]:.2f})" if name in reference else ""
        click.echo(f"  {name:<22} {value:9.3f}{floor}")
    if evaluator.notice:
        click.echo(f"  {evaluator.notice}")
    if metrics is None and left_out(len(used)):
        click.echo(f"  left out: {left_out(len(used))}")
    if len(used) < REFERENCE_SAMPLES:
        click.echo(f"  fewer than {REFERENCE_SAMPLES:,} images: FID is biased upward and compares with no table")

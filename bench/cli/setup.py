"""What several commands open in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

if TYPE_CHECKING:
    import torch

    from bench.evaluate import Evaluator


def open_evaluator(device: torch.device, inception_weights: str | None, data_dir: Path | None) -> Evaluator:
    """The evaluator; with Inception weights it is given the real test images, which that extractor compares with."""
    from bench.data import load_mnist
    from bench.errors import BenchError
    from bench.evaluate import Evaluator

    if inception_weights is None:
        return Evaluator(device)
    try:
        real_test = load_mnist("test", data_dir=data_dir).images
    except BenchError:
        if data_dir is not None:
            raise
        real_test = None  # only the embedded training digits are here; the evaluator's notice says so
    return Evaluator(device, inception_weights, real_test)


def notice(text: str) -> None:
    """A line that must not be missed."""
    click.secho(text, fg="yellow", bold=True, err=True)

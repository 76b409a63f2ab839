"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from bench.defaults import EXPERIMENT

F = TypeVar("F", bound=Callable[..., Any])

data = click.option(
    "--data", default="mnist", show_default=True, metavar="NAME", help="mnist, fashion_mnist, kmnist or emnist_digits."
)
data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder with the data's IDX files, raw or .gz (also BENCH_DATA_DIR). "
    "Without it: the user cache, a download, or (MNIST only) 5,000 embedded digits.",
)
offline = click.option("--offline", is_flag=True, help="Try no download (also BENCH_OFFLINE=1).")
SEEDS = click.IntRange(0, 2**31 - 1)


def seed(fixes: str) -> Callable[[F], F]:
    """`--seed`, whose help says what it fixes."""
    return click.option("--seed", type=SEEDS, default=0, show_default=True, help=fixes)


def out(default: str, what: str, *, folder: bool = False) -> Callable[[F], F]:
    """`--out`, a file or a folder that is written."""
    kind = click.Path(path_type=Path, dir_okay=folder, file_okay=not folder)
    return click.option("--out", "-o", type=kind, default=Path(default), show_default=True, help=what)


scale = click.option(
    "--scale",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    metavar="N",
    help="Enlarge each pixel to N x N.",
)
device = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
experiment = click.option(
    "--experiment", envvar="BENCH_EXPERIMENT", default=EXPERIMENT, show_default=True, help="MLflow experiment."
)
sources = click.option(
    "--from",
    "sources",
    multiple=True,
    metavar="SOURCE",
    help="What to read: a tracking URI, a folder with mlflow.db or that file, each with #EXPERIMENT behind it where "
    "wanted, or an exported file. Several are merged. Default: the store of this directory.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
metrics = click.option(
    "--metrics",
    metavar="NAMES",
    help="With commas, or all; 'bench metrics' lists them and says which are the default.",
)
inception_weights = click.option(
    "--inception-weights",
    metavar="FILE|download",
    help="ImageNet Inception weights: FID, IS and, of 1,000 images or more, KID by them too (inception_fid_10k ...).",
)

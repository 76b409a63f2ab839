"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder with MNIST's IDX files, raw or .gz (also BENCH_DATA_DIR). "
    "Without it: the user cache, a download, or 5,000 embedded digits.",
)
device = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
experiment = click.option(
    "--experiment", envvar="BENCH_EXPERIMENT", default="bench", show_default=True, help="MLflow experiment."
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
    help="fid, is, kid, prdc, classes (the default), fid_infinity, memory, with commas, or all ('bench metrics').",
)
inception_weights = click.option(
    "--inception-weights",
    metavar="FILE|download",
    help="ImageNet Inception weights for inception_fid_10k and inception_is_10k.",
)

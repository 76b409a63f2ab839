"""`bench doctor`: whether this machine measures what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from bench.cli import options
from bench.cli.setup import announce
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.data import Dataset
    from bench.examination import Examination

LEAST = 2_000
"""Images in a set: fewer leave FID and the neighbours' metrics too noisy to keep their order."""


@click.command()
@options.data_dir
@options.offline
@options.device
@click.option(
    "--samples", type=click.IntRange(LEAST, 10_000), default=10_000, show_default=True, help="Images per set, or all."
)
@options.experiment
def doctor(data_dir: Path | None, offline: bool, device: str, samples: int, experiment: str) -> int:
    """Check versions, data, extractor, and that the metrics move as they must; exit code 1 when something is wrong.

    Real digits, damaged in known ways, are scored like samples. Takes some minutes on a CPU. What was found is kept in
    the store, and the report shows it.
    """
    from bench import environment
    from bench.data import MNIST, load_mnist
    from bench.defaults import EMBEDDED
    from bench.doctor import examine
    from bench.evaluate import Evaluator
    from bench.spool import Spool
    from bench.track import Store, shown

    chosen = environment.pick_device(device)
    data = load_mnist("train", data_dir=data_dir, offline=offline)
    announce(data)
    evaluator = Evaluator(chosen)
    click.echo(", ".join(f"{name} {version}" for name, version in environment.versions().items()))
    click.echo(f"device    {environment.device_name(chosen)}")
    click.echo(f"data      {len(data):,} images of {data.name}, fingerprint {data.fingerprint}, from {data.source}")
    n = min(samples, len(data))
    if n < LEAST:
        raise BenchError(f"{data.source} has {n:,} images, and the metrics need {LEAST:,}; give all of MNIST")
    held_out = _test_digits(data, data_dir, offline)
    found = examine(evaluator, data, n, held_out)
    read = f"{n:,} real digits" if held_out is None else f"{len(held_out):,} test digits"
    shares = ", ".join(f"the {name} {share:.2%}" for name, share in found.accuracy.items())
    click.echo(f"extractor {evaluator.extractor_hash}; of {read} are read as labelled: by {shares}\n")
    _print_table(found, n)
    unmet = environment.unmet()
    verdicts = {
        "installed is what bench asks for" + "".join(f"; not {text}" for text in unmet): not unmet,
        "the digits are MNIST's training images, or the embedded ones": (
            data.fingerprint == MNIST.fingerprints["train"] or data.name == EMBEDDED
        ),
    } | found.verdicts()
    for promise, holds in verdicts.items():
        click.echo(f"{'ok  ' if holds else 'FAIL'}  {promise}")
    failures = sum(not holds for holds in verdicts.values())
    click.echo(f"\n{failures} of {len(verdicts)} checks fail" if failures else f"\nall {len(verdicts)} checks hold")
    store = Store(experiment)
    record = Spool(store).start("doctor", "doctor")
    record.tags(
        {
            "device": environment.device_name(chosen),
            "versions": json.dumps(environment.versions()),
            "data_fingerprint": data.fingerprint,
            "extractor": evaluator.extractor_hash,
            "examination": found.to_json(),
            "status": "failed" if failures else "finished",
        }
    )
    record.close("FAILED" if failures else "FINISHED")
    if record.journal.complete:  # else the spool has said where it waits
        click.echo(f"kept in {shown(store.uri)}; 'bench report' shows it beside the results")
    return 1 if failures else 0


def _test_digits(train: Dataset, data_dir: Path | None, offline: bool) -> Dataset | None:
    """Digits that no extractor learned from, where they are at hand."""
    from bench.data import load_mnist
    from bench.defaults import EMBEDDED

    if train.name == EMBEDDED:
        return None
    try:
        return load_mnist("test", data_dir=data_dir, offline=offline)
    except BenchError:
        return None


def _print_table(found: Examination, n: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from bench.doctor import PROBES
    from bench.examination import SHOWN

    table = Table(box=None, pad_edge=False)
    table.add_column(f"{n:,} images")
    for column in (*SHOWN, "FID elsewhere*"):
        table.add_column(column.replace("_", " "), justify="right")
    for probe in PROBES:
        scores = found.measured[probe.name]
        values = (f"{scores[name]:.{0 if name == 'missing' else 2}f}" for name in SHOWN)
        table.add_row(probe.name, *values, probe.elsewhere)
    Console().print(table)
    click.echo(
        "* of 10,000, by an independent extractor whose features have another unit: orders compare, values do not"
    )
    numbers = ", ".join(f"{count:,}: {value:.2f}" for count, value in found.by_number.items())
    click.echo(f"FID of real digits by their number: {numbers}\n")

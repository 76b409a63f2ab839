"""The options of `bench run` and `bench plan`: what is to be trained, and how, on the command line or in a file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.core import ParameterSource
from click.globals import get_current_context

from bench.cli import options, plan_file, report
from bench.defaults import BUDGETS, CHECKPOINT_EVERY
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.request import Grid, Request

MOST = 1_000_000_000
"""Of any budget: far beyond what anybody waits for, and small enough to count with."""


@dataclass(frozen=True)
class Asked:
    """What a command line and its file ask for."""

    request: Request
    plan: Path | None
    out: Path
    jobs: int
    together: int
    ray: str | None
    gpu_share: float | None

    def grid(self) -> Grid:
        """The grid; BenchError names the file, where there is one."""
        with _naming(self.plan):
            grid = self.request.grid()
            if self.together > 1 and grid.device.type != "cuda":
                raise BenchError(
                    f"--together {self.together}: only a CUDA device computes streams side by side, not "
                    f"{grid.device.type}; give --jobs {self.together}"
                )
            return grid


@contextmanager
def _naming(plan: Path | None) -> Iterator[None]:
    from gans import GANError

    try:
        yield
    except (BenchError, GANError) as error:
        if plan is None:
            raise
        raise BenchError(f"{plan}: {error}") from error


def _read(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    if path is not None:
        context.default_map = plan_file.read(path, context.command.params, context)
    return path


_OPTIONS = (
    click.argument(
        "plan", required=False, type=click.Path(path_type=Path), is_eager=True, callback=_read, metavar="[PLAN]"
    ),
    click.option(
        "--algos",
        required=True,
        metavar="NAMES",
        help="Algorithms or families ('bench list'), with commas, or all; rows whose default tasks differ need --task. "
        "PLAN may give them.",
    ),
    click.option(
        "--task",
        metavar="NAME",
        help="mnist, curves, stacked_mnist, inpainting, translation or super_resolution; default: the algorithms' own.",
    ),
    click.option("--bn", metavar="on|off|on/off", help="Batch norm in D; default: the algorithm's own."),
    click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="[ALGO.]FIELD=VALUE",
        help="Override a setting, e.g. lr_d=1e-4; several values (lr_d=1e-4,2e-4) make a grid. May be repeated.",
    ),
    click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Seeds per cell."),
    click.option("--first-seed", type=options.SEEDS, default=0, show_default=True, help="The first of them."),
    click.option("--preset", metavar="smoke|quick|full", help="Default: full on a CUDA GPU, else quick."),
    click.option("--epochs", type=click.IntRange(1, MOST), help="Budget: passes over the real images."),
    click.option("--steps", type=click.IntRange(1, MOST), help="Budget: batches of real images."),
    click.option("--g-updates", type=click.IntRange(1, MOST), help="Budget: updates of the generator."),
    click.option(
        "--samples", type=click.IntRange(1, 1_000_000), help="Images scored at the end; default: the preset's."
    ),
    options.device,
    options.data,
    options.data_dir,
    options.offline,
    options.metrics,
    options.inception_weights,
    options.experiment,
    click.option(
        "--report",
        "out",
        type=click.Path(path_type=Path, dir_okay=False),
        default=report.DEFAULT,
        show_default=True,
        help="The page that is written at the end.",
    ),
    click.option(
        "--checkpoint-every",
        type=click.FloatRange(0),
        default=CHECKPOINT_EVERY,
        show_default=True,
        metavar="SECONDS",
        help="Seconds of training between checkpoints; the same command goes on from the newest one after a crash.",
    ),
    click.option(
        "--select",
        type=click.Choice(["last", "best"]),
        default="last",
        show_default=True,
        help="The weights that are scored: of the last step, or of the one with the best FID against validation "
        "images.",
    ),
    click.option(
        "--precision",
        default="fp32",
        show_default=True,
        metavar="fp32|tf32|bf16",
        help="What trials compute in; tf32 (CUDA) and bf16 are faster where the device has them, and other protocols.",
    ),
    click.option(
        "--graphs",
        is_flag=True,
        help="On a CUDA device: replay updates as CUDA graphs, which spares launching kernel after kernel. No result "
        "depends on it. Not yet run on a GPU.",
    ),
    click.option("--fresh", is_flag=True, help="Train again what is finished, and begin anew what was broken off."),
    click.option(
        "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trials side by side on this machine."
    ),
    click.option(
        "--together",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="On a CUDA device: trials trained in one process, a step of each in turn, each on a stream of its own; "
        "better with --graphs, which spares their process most of its work. No result depends on it. Not yet run on a "
        "GPU.",
    ),
    click.option(
        "--ray",
        metavar="local|auto|HOST:PORT",
        help="Train on a Ray cluster, one task per trial: local starts a cluster on this machine, auto joins the one "
        "running here, HOST:PORT connects to a remote one.",
    ),
    click.option(
        "--gpu-share",
        type=click.FloatRange(0, min_open=True),
        metavar="FRACTION",
        help="With --ray: the part of a GPU that a trial asks for; default: 0.25 where the cluster has GPUs.",
    ),
)


def run_options(body: Callable[..., int]) -> Callable[..., int]:
    """Adds the options to a command, whose body is given them as `Asked`."""

    @functools.wraps(body)
    def command(*given: Any, **values: Any) -> int:
        from bench.request import Request

        context = get_current_context()
        source = context.get_parameter_source
        # To click a variable of the environment beats a file; who names a file means what stands in it.
        in_file = context.default_map or {}
        values |= {name: in_file[name] for name in in_file if source(name) is ParameterSource.ENVIRONMENT}
        typed = {name for name in BUDGETS if source(name) is ParameterSource.COMMANDLINE}
        if typed:  # a budget on the command line replaces the file's, whatever its unit
            values |= {name: None for name in BUDGETS if name not in typed}
        own = {name: values.pop(name) for name in ("plan", "out", "jobs", "together", "ray", "gpu_share")}
        asked = {name: values.pop(name) for name in Request.__dataclass_fields__}
        if own["ray"] is None and own["gpu_share"] is not None:
            raise BenchError("--gpu-share goes with --ray; trials of --jobs share the GPU as they come")
        chosen = {"--jobs": own["jobs"] > 1, "--together": own["together"] > 1, "--ray": own["ray"] is not None}
        if sum(chosen.values()) > 1:
            names = " and ".join(name for name, is_chosen in chosen.items() if is_chosen)
            raise BenchError(f"{names} exclude each other; choose one way to train trials side by side")
        return body(*given, Asked(Request(**asked), **own), **values)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command

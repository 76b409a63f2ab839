"""The command line: text in, rooms called in order, text out. The only room that may reach into `reports`.

Command modules import nothing heavy at top level, so that `bench --help` answers at once.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

import rich_click as click

import bench
from bench.cli import (
    catalogue,
    check,
    compare,
    doctor,
    exchange,
    features,
    latent,
    metrics,
    plan,
    report,
    run,
    sample,
    scale,
    score,
    speed,
    sync,
)
from bench.errors import BenchError, first_line, warn_in_one_line


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(bench.__version__, prog_name="bench")
@click.pass_context
def cli(context: click.Context) -> None:
    """Train GANs under equal rules, score them and compare them.

    The main job: bench run --algos dcgan --bn on/off. Then look at the report it names, or at 'mlflow ui'.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (
    run.run,
    plan.plan,
    report.report,
    compare.compare,
    exchange.export,
    exchange.import_file,
    catalogue.list_algorithms,
    catalogue.show,
    check.check,
    score.score,
    sync.sync,
    metrics.metrics,
    doctor.doctor,
    speed.speed,
    scale.scale,
    sample.sample,
    latent.latent,
    features.features,
):
    cli.add_command(command)


STORES = ("mlflow", "sqlalchemy", "requests")
"""The packages whose errors are of a store that went away or broke while it was read."""
SPOOLED = ("run", "sync", "doctor")
"""The commands whose results wait on disk for the store."""


def _error(message: str) -> int:
    print(f"bench: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line; its exit code: 0 well, 1 a trial failed, 2 bad input, 130 interrupted."""
    warn_in_one_line()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name need not be text: bytes that are none are escaped, as they are on stderr.
        sys.stdout.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        result = cli.main(given, prog_name="bench", standalone_mode=False, obj=given)
    except click.UsageError as error:
        where = f" ('{error.ctx.command_path} --help' tells more)" if error.ctx else ""
        return _error(error.format_message() + where)
    except click.ClickException as error:
        return _error(error.format_message())
    except BenchError as error:
        return _error(str(error))
    except (KeyboardInterrupt, click.Abort):
        print("bench: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        from bench.train.memory import out_of_memory
        from gans import GANError

        if isinstance(error, GANError):
            return _error(str(error))
        if type(error).__module__.partition(".")[0] in STORES:
            waits = "nothing is lost, 'bench sync' goes on with it"
            then = waits if given[:1] and given[0] in SPOOLED else "try again when it is back"
            return _error(f"the store failed ({first_line(error)}); {then}")
        if out_of_memory(error):
            return _error(
                f"out of memory ({first_line(error)}); stop other programs that use the device, choose another one "
                "with --device, or score fewer images with --samples"
            )
        raise
    return result if isinstance(result, int) else 0


def main() -> None:
    """The console script."""
    sys.exit(invoke())

"""A trained GAN as a file, and back from the store: safetensors and a config, never unpickled."""

from __future__ import annotations

import json
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import save

import gans
from bench.data import PUBLISHED
from bench.errors import BenchError, one_line
from bench.protocol import Protocol
from bench.stored import find_run
from bench.tasks import Task, choose
from bench.train.loop import Loop
from gans import GAN


def weights_bytes(loop: Loop) -> bytes:
    """Every network as one safetensors file, G with the weights that were scored; beside them config and progress."""
    gan = loop.gan
    state = dict(gan.state_dict())
    state |= {f"generator.{key}": value for key, value in loop.generator.state_dict().items()}
    metadata = {
        "algorithm": gan.info.name,
        "config": json.dumps(gan.config.to_dict()),
        "generator": "ema" if gan.config.ema else "raw",
        "field": gan.field.name,
        "progress": repr(gan.progress),
    }
    packed: bytes = save({key: value.detach().cpu().contiguous() for key, value in state.items()}, metadata)
    return packed


def restore(run_id: str) -> tuple[GAN, str, Task]:
    """The GAN of the trial whose run id starts so, on the CPU with its scored weights, the trial's name and its task.

    Raises BenchError when there is no such trial, it has no weights, or they are damaged.
    """
    archive, run = find_run(run_id)
    protocol = Protocol.from_json(run.data.tags["bench.protocol"])
    task = choose(protocol.task, [], protocol.prefix if protocol.prefix in PUBLISHED else "mnist")
    name = f"{run.info.run_name} ({run.info.run_id[:8]})"
    with tempfile.TemporaryDirectory() as folder:
        path = archive.fetch(run.info.run_id, "weights.safetensors", folder)
        if path is None:
            status = run.data.tags.get("bench.status", "unknown")
            hint = f" (it is {status}); choose a finished trial"
            if status == "finished":
                hint = ": they were deleted, or it was imported, which brings figures alone; train it here (--fresh)"
            raise BenchError(f"{name} has no weights here{hint}")
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata()
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
            cls = gans.get(metadata["algorithm"])
            gan = cls(cls.Config.from_dict(json.loads(metadata["config"])), task.field)
            gan.load_state_dict(state)
            gan.progress = float(metadata.get("progress", 1.0))  # files of older versions have none
            if not 0 <= gan.progress <= 1:
                raise ValueError(f"progress {gan.progress}")
        except gans.UnknownAlgorithm as error:
            raise BenchError(f"{name}: {error}; install the package, or restore the file, that registers it") from error
        except Exception as error:  # anything may stand in a stranger's file
            cause = one_line(error, 200)
            raise BenchError(f"the weights of {name} cannot be read: {cause}; train the trial again") from error
    return gan.to(torch.device("cpu")), name, task

"""Stores of invented figures, written as `bench run` writes them, for tests of what reads, exports and merges them."""

import contextlib
import json
import math
import shutil

import numpy as np

from bench.pictures import png_bytes
from bench.plan import expand
from bench.protocol import Protocol
from bench.spool import Spool
from bench.track import Store

PROTOCOL = Protocol(
    task="mnist", dataset="mnist", data_fingerprint="3f2a19c04be7d855", data_images=60_000, budget="20 steps",
    samples=1_000, weights="raw", extractor="ab12cd34ef56",
)  # fmt: skip
COMMON = {
    "preset": "smoke", "device": "cpu (2 threads, x86_64)", "commit": "0123456789ab", "data_source": "made up",
    "versions": json.dumps({"bench": "0.1.0", "torch": "2.14.1"}),
}  # fmt: skip


def trial(algorithm="dcgan", bn="on", seed=0):
    """The trial that the command line would plan."""
    return expand([algorithm], bn=bn, first_seed=seed).trials[0]


def record(store, planned, fid, *, status="finished", protocol=PROTOCOL, parent=None, seconds=9.25, picture=True):
    """One trial with its curves; the figures are odd fractions, so that lost digits show."""
    writer = Spool(store).start(str(planned), "trial", parent)
    cell = planned.cell
    tags = {"name": cell.label, "cell": cell.label, "algorithm": cell.algorithm, "family": "standard", "year": "2015"}
    writer.tags(
        COMMON
        | tags
        | {
            "paper": 'A "quoted", paper',
            "track": "noise-to-image",
            "no_gan": "",
            "protocol": protocol.to_json(),
            "deviations": json.dumps(["paper: one, two", "tutorial: none"]),
            "command": "bench run --algos dcgan",
            "config": json.dumps(cell.config.to_dict()),
            "seed": str(planned.seed),
            "status": status,
            "reason": "" if status == "finished" else "for a test",
            "fingerprint": planned.fingerprint(protocol.id),
        }
    )
    writer.params({"algorithm": cell.algorithm, "seed": planned.seed, **cell.config.to_dict(), "steps": 20})
    writer.params({"params_g": 811_009, "params_d": 138_817})
    for step in range(5, 21, 5):
        at = {"g_updates": step, "d_updates": step, "images": 64 * step, "seconds": seconds * step / 20}
        writer.metrics({"loss_d": 1 / (step + fid), "loss_g": math.pi / step} | at, step)
        writer.metrics({"mnist_fid_500": fid * (1 + 1 / step), "mnist_is_500": 1 + step / 30}, step)
    if status == "finished":
        writer.metrics({"mnist_fid_1k": fid, "mnist_is_1k": 1 + 1 / fid, "mnist_kid_1k": fid / 7}, 20)
    writer.metrics({"eval_seconds": 1.1, "log_seconds": 0.1}, 20)
    if picture:
        writer.artifact("samples.png", png_bytes(np.full((8, 8), 20 * planned.seed, np.uint8)))
        writer.artifact("latent/interpolation.png", png_bytes(np.full((8, 8), 7, np.uint8)))
    writer.close("FINISHED" if status == "finished" else "FAILED")
    return writer.run_id


def reference(store, fid=0.2, *, protocol=PROTOCOL, parent=None):
    """The row of real digits."""
    writer = Spool(store).start("real train digits", "reference", parent)
    tags = {"name": "real train digits", "cell": "real train digits", "track": "noise-to-image"}
    writer.tags(COMMON | tags | {"status": "finished", "reason": "", "protocol": protocol.to_json()})
    writer.metrics({"mnist_fid_1k": fid, "mnist_is_1k": 9.8}, 0)
    writer.close("FINISHED")


def skip(store, parent=None):
    """A cell that makes no sense."""
    writer = Spool(store).start("wgan_gp bn=on (skipped)", "skip", parent)
    tags = {"name": "wgan_gp bn=on", "cell": "wgan_gp bn=on", "algorithm": "wgan_gp", "track": "noise-to-image"}
    writer.tags(
        COMMON
        | tags
        | {
            "config": json.dumps({"bn": True}),
            "status": "skipped",
            "reason": "for a test, of course",
            "year": "2017",
            "protocol": PROTOCOL.to_json(),
        }
    )
    writer.close("FINISHED")


def copy_of(blank, folder, experiment="bench"):
    """An empty store in `folder`, and the files of its runs too; `blank` is a database with MLflow's tables."""
    if not (folder / "mlflow.db").exists():
        shutil.copy(blank, folder / "mlflow.db")
    # MLflow puts files below the directory in which an experiment is made.
    with contextlib.chdir(folder):
        return Store(experiment, f"sqlite:///{folder}/mlflow.db")


def fill(store, seeds=(0,), algorithms=("dcgan",)):
    """A run: real digits, a skip, and each algorithm with and without BN; a trial's figures follow from its seed."""
    parent = Spool(store).start("--algos dcgan --bn on/off", "run")
    reference(store, parent=parent)
    skip(store, parent)
    for seed in seeds:
        for i, algorithm in enumerate(algorithms):
            for bn, shift in (("on", 3), ("off", 0)):
                record(store, trial(algorithm, bn, seed), 20 + i + shift + seed / 3, parent=parent)
    parent.close("FINISHED")
    return store

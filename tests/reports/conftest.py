"""Made-up results in the shape of the store's: the numbers are invented, chosen so that each state occurs.

`make_results()` gives dcgan with and without BN, a wgan_gp cell that diverged in one seed and one that is a skip, the
reference rows, and, when asked, a second protocol.
"""

import copy
import io
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.points import Table
from bench.protocol import Protocol
from bench.results import Results

VERSIONS = {"bench": "0.1.0", "python": "3.12.3", "torch": "2.14.1", "torch-fidelity": "0.4.0", "mlflow": "3.17.2"}
DEVIATIONS = {
    "dcgan": [
        "paper: Glorot-uniform weights, not N(0, 0.02); LeakyReLU slope 0.3, not 0.2; batch 64, not 128.",
        "tutorial: D's turn comes first and sees 64 reals and 64 fresh fakes in separate passes.",
    ],
    "wgan_gp": ["paper: latent 100, not 128; the uniform nets."],
}
PAPERS = {
    "dcgan": "Radford, Metz, Chintala: Unsupervised Representation Learning with ..., arXiv:1511.06434",
    "wgan_gp": "Gulrajani et al.: Improved Training of Wasserstein GANs, arXiv:1704.00028",
}
FIDS = {
    ("dcgan", True): [20.8, 21.4, 20.5],
    ("dcgan", False): [17.9, 18.6, 17.2],
    ("wgan_gp", False): [26.4, 24.9, None],
}
INVENTED = "invented numbers (a test)"


class MadeUpResults(Results):
    """Results whose artifacts lie in `files`, by run id and name."""

    def __init__(self, rows: list[dict], points: list[tuple], files: dict[tuple[str, str], bytes]) -> None:
        columns = ["run_id", "step", "metric", "value", "g_updates", "d_updates", "images", "seconds"]
        trials = pd.DataFrame(rows).astype({"seed": "Int64", "year": "Int64", "bn": "boolean"})
        super().__init__(trials, Table(pd.DataFrame(points, columns=columns)), INVENTED, "sqlite:///made-up.db", {})
        object.__setattr__(self, "files", files)

    def but(self, **fields: object) -> "MadeUpResults":
        """The same with other fields, and nothing worked out of it yet."""
        other = copy.copy(self)
        vars(other).pop("curves", None)
        for name, value in fields.items():
            object.__setattr__(other, name, value)
        return other

    def artifact(self, run_id: str, path: str) -> bytes | None:
        return self.files.get((run_id, path))

    def artifacts(self, run_id: str, folder: str) -> list[str]:
        return sorted(path for run, path in self.files if run == run_id and path.startswith(f"{folder}/"))


def digits_png(rng: np.random.Generator, noise: float, side: int = 10) -> Image.Image:
    """A grid of blobs under noise, as a grid of samples is laid out."""
    y, x = np.mgrid[:30, :30]
    tiles = []
    for _ in range(side * side):
        cx, cy, r = rng.uniform(11, 19), rng.uniform(11, 19), rng.uniform(5, 9)
        ring = np.exp(-((np.hypot((x - cx), (y - cy) * rng.uniform(0.7, 1.1)) - r) ** 2) / 3)
        tiles.append(np.clip(ring * (1 - noise) + rng.uniform(0, noise, ring.shape), 0, 1))
    grid = np.block([tiles[i * side : (i + 1) * side] for i in range(side)])
    return Image.fromarray((grid * 255).astype(np.uint8))


def _bytes(pictures: Sequence[Image.Image], kind: str) -> bytes:
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": pictures[1:], "duration": 200, "loop": 0} if kind == "GIF" else {}
    pictures[0].save(buffer, kind, **more)
    return buffer.getvalue()


class Builder:
    """Collects rows, points and files."""

    def __init__(self, samples: int = 10_000, budget: str = "2,000 steps") -> None:
        self.rows: list[dict] = []
        self.points: list[tuple] = []
        self.files: dict[tuple[str, str], bytes] = {}
        self.rng = np.random.default_rng(0)
        self.protocol(samples, budget)

    def protocol(self, samples: int, budget: str) -> None:
        """All rows from here on stand under this one."""
        self.current = Protocol(
            task="mnist", dataset="mnist", data_fingerprint="3f2a19c04be7d855", data_images=60_000, budget=budget,
            samples=samples, weights="raw", extractor="ab12cd34ef56",
        )  # fmt: skip

    def row(self, **values: object) -> str:
        """A row; what is not given is as of a trial that finished."""
        run_id = f"{len(self.rows):032x}"[::-1]
        defaults = {
            "run_id": run_id, "parent_id": "parent", "kind": "trial", "name": "", "algorithm": "", "family": "standard",
            "no_gan": "", "year": 2015, "paper": "", "track": "noise-to-image", "cell": "", "seed": None, "bn": None,
            "status": "finished", "reason": "", "diagnosis": "healthy", "config": {}, "protocol": self.current.id,
            "protocol_text": str(self.current),
            "samples": self.current.samples, "budget": self.current.budget, "dataset": self.current.dataset,
            "data_fingerprint": self.current.data_fingerprint, "extractor": self.current.extractor, "weights": "raw",
            "preset": "quick", "device": "cpu (2 threads, x86_64)", "seconds": None, "eval_seconds": None,
            "steps": None, "g_updates": None, "d_updates": None, "images": None, "params_g": None, "params_d": None,
            "command": "", "prefix": "mnist", "imported": "",
            "commit": "0123456789ab", "code": "", "versions": VERSIONS, "deviations": [], "fid": None, "is_": None,
            "started": pd.Timestamp("2026-11-20 10:00") + pd.Timedelta(minutes=4 * len(self.rows)),
        }  # fmt: skip
        self.rows.append(defaults | values)
        return run_id

    def cell(self, algorithm: str, bn: bool, **values: object) -> dict[str, object]:
        """What every row of a cell shares."""
        label = f"{algorithm} bn={'on' if bn else 'off'}"
        config = {"bn": bn, "dropout": 0.3, "latent_dim": 100, "batch_size": 64, "lr_g": 2e-4, "n_d": 1}
        if algorithm == "wgan_gp":
            config |= {"n_d": 5, "lambda_gp": 10.0, "dropout": 0.0}
        command = f"bench run --algos {algorithm} --bn {'on' if bn else 'off'} --seeds 3 --preset quick"
        return {
            "name": label, "cell": label, "algorithm": algorithm, "bn": bn, "config": config, "command": command,
            "paper": PAPERS.get(algorithm, ""), "deviations": DEVIATIONS.get(algorithm, []), **values,
        }  # fmt: skip

    def trial(
        self, algorithm: str, bn: bool, seed: int, fid: float | None, pictures: bool = True, **values: object
    ) -> str:
        """A trial with its curves and pictures; without a FID it diverged on the way."""
        n_d = 5 if algorithm == "wgan_gp" else 1
        pace = (0.13 if n_d == 5 else 0.09) * (1.1 if bn else 1.0)
        last = 2000 if fid is not None else 900
        ended: dict[str, object] = {
            "seed": seed, "steps": 2000, "params_g": 1_671_105, "params_d": 135_937, "fid": fid,
            "is_": None if fid is None else 8.2 - fid / 11, "seconds": last * pace, "eval_seconds": 61.0,
            "images": last * 64, "d_updates": last, "g_updates": last // n_d,
        }  # fmt: skip
        if fid is None:
            ended |= {"status": "diverged", "reason": "loss of turn d became nan by step 925"}
        run_id = self.row(**self.cell(algorithm, bn) | ended | values)
        end = fid or 30.0
        for step in range(25, last + 1, 25):
            at = (step // n_d, step, step * 64, step * pace)
            noise = self.rng.normal(0, 0.06)
            self.points.append((run_id, step, "loss_d", 1.35 - 0.3 * step / 2000 + noise, *at))
            self.points.append((run_id, step, "loss_g", 0.7 + 0.6 * step / 2000 + 2 * noise, *at))
            if step % 225 == 0:
                value = end + 0.4 + 380 * np.exp(-step / 260) + self.rng.normal(0, 0.5)
                self.points.append((run_id, step, "mnist_fid_2k", value, *at))
                self.points.append((run_id, step, "mnist_is_2k", 8.2 - value / 11 if value < 60 else 2.4, *at))
        if fid is not None:
            self.points.append((run_id, last, "mnist_fid_10k", fid, last // n_d, last, last * 64, last * pace))
            self.points.append(
                (run_id, last, "mnist_is_10k", 8.2 - fid / 11, last // n_d, last, last * 64, last * pace)
            )
        if pictures:
            self.files[run_id, "samples.png"] = _bytes([digits_png(self.rng, min(end / 80, 0.9))], "PNG")
            frames = [digits_png(self.rng, noise, 8) for noise in (0.95, 0.6, 0.3)]
            self.files[run_id, "training.gif"] = _bytes(frames, "GIF")
        return run_id

    def trials(self, **fids: Sequence[float | None]) -> None:
        """A cell without BN for each algorithm, a trial a seed; None diverged."""
        for algorithm, values in fids.items():
            for seed, fid in enumerate(values):
                self.trial(algorithm, False, seed, fid, pictures=False)

    def changed(
        self, algorithm: str, values: Sequence[float | None], bn: bool = False, code: str = "", **fields: object
    ) -> None:
        """Trials of a cell of which some fields are other than usual."""
        config = {**self.cell(algorithm, bn)["config"], **fields}
        label = " ".join([f"{algorithm} bn={'on' if bn else 'off'}", *(f"{k}={v}" for k, v in fields.items())])
        for seed, fid in enumerate(values):
            named: dict[str, object] = {"config": config, "cell": label, "name": label, "code": code}
            self.trial(algorithm, bn, seed, fid, False, **named)

    def references(self) -> None:
        """Real digits and an untrained generator."""
        for name, fid, score, noise in (
            ("real train digits", 0.14, 9.82, 0.0),
            ("untrained generator", 412.7, 2.13, 0.95),
        ):
            run_id = self.row(kind="reference", name=name, cell=name, fid=fid, is_=score, year=None)
            self.files[run_id, "samples.png"] = _bytes([digits_png(self.rng, noise)], "PNG")

    def skip(self, algorithm: str = "wgan_gp", bn: bool = True, reason: str | None = None) -> None:
        """A cell that makes no sense."""
        why = reason or "batch norm in D couples the images of a batch, so a gradient penalty per image is ill-defined"
        self.row(**self.cell(algorithm, bn) | {"kind": "skip", "status": "skipped", "reason": why})

    def results(self) -> MadeUpResults:
        """What was collected."""
        return MadeUpResults(self.rows, self.points, self.files)


def make_results(seeds: int = 3, *, second_protocol: bool = False) -> MadeUpResults:
    """The usual set with 1 to 3 seeds a cell."""
    builder = Builder()
    builder.skip()
    builder.references()
    for (algorithm, bn), fids in FIDS.items():
        for seed, fid in enumerate(fids[:seeds]):
            builder.trial(algorithm, bn, seed, fid)
    if second_protocol:
        builder.protocol(1_000, "20 steps")
        builder.references()
        builder.trial("dcgan", True, 0, 391.0, pictures=False)
    return builder.results()


@pytest.fixture
def build() -> Callable[..., MadeUpResults]:
    """`make_results`, for tests that want it otherwise."""
    return make_results


@pytest.fixture
def builder() -> Builder:
    """An empty one."""
    return Builder()


@pytest.fixture(scope="session")
def three_seeds() -> MadeUpResults:
    """Three seeds a cell, one protocol."""
    return make_results(3)


@pytest.fixture(scope="session")
def one_seed() -> MadeUpResults:
    """One seed a cell, one protocol."""
    return make_results(1)


@pytest.fixture(scope="session")
def two_protocols() -> Iterator[MadeUpResults]:
    """Three seeds a cell and a smoke run beside them."""
    yield make_results(3, second_protocol=True)

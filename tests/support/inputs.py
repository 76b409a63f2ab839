"""Inputs nobody would give, and such as almost might be: command lines, settings, and files of each kind that is read.

Each maker takes a random source and a place, and gives arguments of `bench`, or a function that says whether what was
made is refused, given one that says it of arguments.
"""

import csv
import gzip
import hashlib
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from idx import idx_files
from PIL import Image
from plan_files import plan_file
from safetensors.torch import save
from stores import copy_of, fill, record, trial

import gans
from bench import frames, results, spool, sync
from bench.cli import cli
from bench.spool import Spool
from bench.track import open_client
from bench.train.checkpoint import Checkpoints, Damaged

TEXTS = [
    "", " ", "-", "--", "0", "-1", "1", "2", "1e999", "nan", "inf", "-inf", "0x10", "1_000", "9" * 5000, "0.5",
    "\udcff", "ä∞", "a" * 300, "a" * 5000, "/dev/null/x", "/dev/full", "..", "'; DROP TABLE runs; --", "%s{0}", "\n",
    "x\ny", "🦆", "=", ",", ",,,", "a=b=c", "#", "#x", "x#", "sqlite:///nowhere/x.db", "sqlite://", "file:nowhere",
    "http://[", "http://127.0.0.1:99999", "http://127.0.0.1:9",
    "https://", "gopher://x", "~nobody-here/x", "[bold]x[/]",
    "[/x]", "$HOME", "\x1b[31mred", "\r", "\t", "١٢", "on", "off", "true", "none", "null", "all", "fid", "kid,fid,kid",
    "mnist", "curves", "kmnist", "dcgan", "wgan_gp", "gan", "dcgan,wgan_gp", "dcgan bn=on", "smoke", "quick", "cpu",
    "x.csv", "x.parquet", "x.html", "images.npz", "a/b/c.csv", "example.csv#x", ".", "./", "{{ 7*7 }}", "<script>",
]  # fmt: skip
VALUES = [
    None,
    True,
    -1,
    0,
    2**70,
    1e308,
    float("nan"),
    "",
    "x",
    [],
    [[]],
    {},
    {"a": 1},
    "../../x",
    "\udcff",
    "a" * 3000,
]


class Place:
    """A folder with one valid file of each kind, and a store."""

    def __init__(self, folder):
        self.folder = folder
        blank = folder / "blank.db"
        open_client(f"sqlite:///{blank}")
        self.store = fill(copy_of(blank, folder), algorithms=("dcgan", "wgan"))
        self.run = record(self.store, trial("dcgan", "on", 7), 20.0)
        loaded = results.load(f"sqlite:///{folder}/mlflow.db")
        for name in ("whole.csv", "whole.parquet"):
            frames.write(loaded.trials, loaded.curves, folder / name)
        gan = gans.get("dcgan")()
        state = {name: tensor.contiguous() for name, tensor in gan.state_dict().items()}
        self.about = {"algorithm": "dcgan", "config": json.dumps(gan.config.to_dict()), "generator": "raw"}
        self.state, self.weights = state, save(state, self.about)
        self.store.client.log_text(self.run, "", "weights.safetensors")
        (self.file,) = folder.glob(f"mlruns/**/{self.run}/artifacts/weights.safetensors")
        self.file.write_bytes(self.weights)
        pixels = np.random.default_rng(0).integers(0, 256, (250, 28, 28), dtype=np.uint8)
        self.idx = idx_files(torch.from_numpy(pixels), torch.arange(250) % 10)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, images=pixels)
        self.npz = buffer.getvalue()
        buffer = io.BytesIO()
        Image.fromarray(pixels[0]).save(buffer, "PNG")
        self.png = buffer.getvalue()
        self.checkpoint = io.BytesIO()
        torch.save({"loop": {"gan": gan.state_dict(), "counts": {"steps": 3}}}, self.checkpoint)
        writer = Spool(self.store, folder / "spool").start("a run", "reference")
        writer.metrics({"loss": 0.5}, 1)
        writer.artifact("samples.png", self.png)
        writer.journal.append({"op": "close", "status": "FINISHED"})
        self.journal = shutil.move(writer.folder, folder / "journal")
        writer.release()

    def path(self, *parts):
        """A path in a folder that is made anew for each input."""
        work = self.folder / "input"
        shutil.rmtree(work, ignore_errors=True)
        path = work.joinpath(*parts)
        path.parent.mkdir(parents=True)
        return path


def damaged(rng, content):
    """The bytes with a few changes, most of them near the beginning or the end, where what matters stands."""
    content = bytearray(content)
    for _ in range(rng.randint(0, 4)):
        near = min(len(content), 200)
        at = rng.choice([rng.randint(0, near), len(content) - rng.randint(0, near), rng.randint(0, len(content))])
        content[at : at + rng.choice([0, 1, 1, 4])] = rng.randbytes(rng.choice([0, 1, 1, 4]))
    if rng.random() < 0.2:
        del content[rng.randint(0, len(content)) :]
    return bytes(content)


def _number(rng, kind):
    low, high = (getattr(kind, name, None) for name in ("min", "max"))
    near = [bound + shift for bound in (low, high) if bound is not None for shift in (-1, 0, 1)]
    return str(rng.choice([*near, 10 ** rng.randint(0, 25), 3]))


def _value(rng, parameter):
    kind = parameter.type
    if isinstance(kind, click.Choice) and rng.random() < 0.7:
        return rng.choice(kind.choices)
    if isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)) and rng.random() < 0.7:
        return _number(rng, kind)
    return rng.choice(TEXTS)


def command_line(rng, place):
    """Any command with any of its options and arguments."""
    place.path("x")
    command, words = cli, []
    while isinstance(command, click.Group):
        name = rng.choice(list(command.commands))
        command, words = command.commands[name], [*words, name]
    given = []
    for parameter in command.params:
        if not isinstance(parameter, click.Option):
            given.append([_value(rng, parameter)])
        elif parameter.required or rng.random() < 0.25:
            flag = [rng.choice(parameter.opts)]
            likely = {"--algos": ["gan", "dcgan"], "--preset": ["smoke"], "--steps": ["5"]}.get(parameter.opts[0], [])
            some = rng.choice(likely) if likely and rng.random() < 0.8 else _value(rng, parameter)
            given.append(flag if parameter.is_flag else [*flag, some])
    rng.shuffle(given)
    if rng.random() < 0.1:
        given.append([rng.choice(TEXTS)])
    return [*words, *(word for several in given for word in several)]


def settings(rng, _place):
    """`--set` of any field of any algorithm."""
    names = rng.sample(gans.names(), rng.choice([1, 1, 2]))
    words = []
    for _ in range(rng.choice([1, 1, 2, 6])):
        option = rng.choice(gans.get(names[0]).Config.options())
        likely = [str(option.default), *map(str, option.choices or ()), "1", "0", "0.5", "2", "on"]
        values = ",".join(rng.choice(likely if rng.random() < 0.6 else TEXTS) for _ in range(rng.choice([1, 1, 2, 40])))
        owner = rng.choice(["", "", f"{names[0]}.", "x.", "."])
        words += ["--set", f"{owner}{option.name if rng.random() < 0.9 else rng.choice(TEXTS)}={values}"]
    seeds = rng.choice(["1", "1", "1", "99999999"])
    return ["plan", "--no-timing", "--algos", ",".join(names), *words, "--seeds", seeds]


def idx(rng, place):
    """MNIST's files, raw or packed; the command reads them and stops."""
    hurt = rng.choice([*place.idx, *place.idx, None])
    for name, content in place.idx.items():
        packed = rng.random() < 0.5
        inner = damaged(rng, content) if name == hurt and rng.random() < 0.5 else content
        content = gzip.compress(inner, 1) if packed else inner
        content = damaged(rng, content) if name == hurt else content
        path = place.path("x") if name.startswith("train-images") else place.folder / "input" / "x"
        path.with_name(name + (".gz" if packed else "")).write_bytes(content)
    return ["run", "--algos", "dcgan", "--samples", "200", "--data-dir", str(path.parent), "--device", "cpu"]


def archive(rng, place):
    """An .npz: damaged bytes, or a damaged array in a whole zip."""
    path = place.path("images.npz")
    if rng.random() < 0.5:
        path.write_bytes(damaged(rng, place.npz))
    else:
        dtype = rng.choice(["u1", "u1", "f4", "O", "U3", "M8[s]", "V0", "i8"])
        shape = rng.choice([(250, 28, 28), (250, 28, 28, 1), (0, 28, 28), (2, 784), (), (250, 28, 29), (1,)])
        array = np.zeros(shape, dtype)
        buffer = io.BytesIO()
        np.save(buffer, array)
        with zipfile.ZipFile(path, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as zipped:
            for name in rng.choice([["images.npy"], ["x.npy"], ["images.npy", "y.npy"], ["../images.npy"], ["x"]]):
                zipped.writestr(name, damaged(rng, buffer.getvalue()))
    return ["score", str(path)]


def pictures(rng, place):
    """A folder of PNG files, one of which is damaged."""
    path = place.path("pictures", "0.png")
    for i in range(210):
        path.with_name(f"{i}.png").write_bytes(place.png)
    path.write_bytes(damaged(rng, place.png))
    return ["score", str(path.parent)]


def _hurt_csv(rng, path):
    with path.open(newline="") as file:
        lines = list(csv.reader(file))
    for _ in range(rng.randint(1, 3)):
        line = lines[0 if rng.random() < 0.1 else rng.randrange(len(lines))]
        text = rng.choice([*TEXTS, *map(json.dumps, VALUES)])
        line[rng.randrange(len(line))] = rng.choice([text, rng.choice(rng.choice(lines))])
    with path.open("w", newline="", errors="surrogateescape") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def _hurt_parquet(rng, path):
    frame = pd.read_parquet(path)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(list(frame))
        change = rng.choice(["drop", "rename", "value", "value", "value"])
        if change == "drop":
            frame = frame.drop(columns=name)
        elif change == "rename":
            frame = frame.rename(columns={name: rng.choice(["label", "seed ", "x", "part", "kind"])})
        else:
            frame[name] = pd.Series([rng.choice([v for v in VALUES if v != "\udcff"])] * len(frame), dtype="object")
    try:
        frame.to_parquet(path)
    except Exception:  # what parquet cannot hold cannot be met in one
        path.write_bytes(damaged(rng, path.read_bytes()))


def exported(rng, place):
    """Files of `bench export` as another program would leave them."""
    ending = rng.choice(["csv", "parquet"])
    path = place.path(f"x.{ending}")
    for part in ("", ".curves"):
        shutil.copy(place.folder / f"whole{part}.{ending}", path.with_name(f"x{part}.{ending}"))
    hurt = path.with_name(rng.choice(["x", "x", "x.curves"]) + f".{ending}")
    if rng.random() < 0.3:
        hurt.write_bytes(damaged(rng, hurt.read_bytes()))
    else:
        {"csv": _hurt_csv, "parquet": _hurt_parquet}[ending](rng, hurt)
    if rng.random() < 0.85:  # a page takes seconds
        return ["import", str(path), "--experiment", f"e{rng.randrange(10**9)}"]
    return ["report", "--from", str(path), "--out", str(path.with_name("x.html"))]


def _hurt_json(rng, text):
    """The line with one of its values replaced, or taken away."""
    values = json.loads(text)
    key = rng.choice(list(values))
    if rng.random() < 0.2:
        del values[key]
    else:
        values[key] = rng.choice(VALUES)
    return json.dumps(rng.choice([values, values, values, rng.choice(VALUES)]))


def journal(rng, place):
    """What waits in bench-work."""
    shutil.rmtree(spool.WORK, ignore_errors=True)
    folder = Path(spool.WORK) / "0123"
    shutil.copytree(place.journal, folder)
    path = folder / rng.choice(["journal.jsonl", "journal.jsonl", "delivered.json"])
    if rng.random() < 0.4:
        path.write_bytes(damaged(rng, path.read_bytes()))
    else:
        lines = path.read_text().splitlines()
        at = rng.randrange(len(lines))
        lines[at] = _hurt_json(rng, lines[at])
        path.write_text("".join(f"{line}\n" for line in lines))

    def deliver(_):
        found = sync.sync(place.store)
        return found.failures or found.damaged

    return deliver


def checkpoint(rng, place):
    """A checkpoint, its digest wrong or, as nobody but an attacker would do it, right."""
    path = place.path("checkpoint-5.pt")
    content = damaged(rng, place.checkpoint.getvalue())
    digest = hashlib.sha256(content).digest()
    path.write_bytes(digest + content if rng.random() < 0.7 else damaged(rng, digest + content))
    return lambda _: any(isinstance(state, Damaged) for state in Checkpoints(path.parent).load())


def weights(rng, place):
    """The weights of a trial in a store."""
    if rng.random() < 0.5:
        content = damaged(rng, place.weights)
    else:
        about = dict(place.about)
        key = rng.choice(list(about))
        about[key] = rng.choice([_hurt_json(rng, about["config"]), *TEXTS]).encode(errors="replace").decode()
        content = save(place.state, rng.choice([about, about, about, None]))
    place.file.write_bytes(content)
    return ["sample", place.run, "-n", "4", "--out", str(place.path("x.png"))]


def tags(rng, place):
    """A store whose tags, params or figures another program changed, of the experiment that is read."""
    table = rng.choice(["tags", "tags", "tags", "params", "latest_metrics"])
    with closing(sqlite3.connect(place.folder / "mlflow.db", isolation_level=None)) as database:
        ours = "SELECT run_uuid FROM runs JOIN experiments AS e USING (experiment_id) WHERE e.name = 'bench'"
        query = f"SELECT run_uuid, key, value FROM {table} WHERE key NOT LIKE 'mlflow%' AND run_uuid IN ({ours})"
        run, key, before = rng.choice(database.execute(query).fetchall())
    values = [*TEXTS, *map(json.dumps, VALUES)] if table != "latest_metrics" else [1e308, -1.0, 0.0, 2.0**70]
    value = rng.choice(values)
    change = f"UPDATE {table} SET value = ? WHERE run_uuid = ? AND key = ?"
    value = value.encode(errors="replace").decode() if isinstance(value, str) else value
    words = rng.choices([["export", "x.csv"], ["compare", "dcgan bn=on", "dcgan bn=off"], ["report"]], [4, 4, 1])[0]

    def ask(command):
        with closing(sqlite3.connect(place.folder / "mlflow.db", isolation_level=None)) as database:
            database.execute(change, (value, run, key))
            try:
                return command(words)
            finally:
                database.execute(change, (before, run, key))

    return ask


KINDS = {
    "command lines": (command_line, 3000),
    "settings": (settings, 2400),
    "plan files": (plan_file, 1000),
    "IDX files": (idx, 1200),
    "npz files": (archive, 1200),
    "PNG files": (pictures, 600),
    "exported files": (exported, 400),
    "journals": (journal, 800),
    "checkpoints": (checkpoint, 1000),
    "weights": (weights, 400),
    "stores": (tags, 200),
}
"""How each kind of input is made, and how many there are of it: more than 10,000 in all."""

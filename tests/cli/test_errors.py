"""Bad input: one clear line on stderr, exit code 2, no traceback, and nothing written."""

import gzip
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from idx import write_idx
from mlflow.exceptions import MlflowException
from PIL import Image
from server import free_port

from bench.request import Request

SMOKE = ("run", "--preset", "smoke", "--algos", "dcgan")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--algos", "dcgna"], "unknown algorithm 'dcgna'; did you mean 'dcgan'"),
        (["run", "--algos", "dcgna"], "('bench list' shows all)"),
        (["run", "--algos", "dcgan", "--graphs", "--device", "cpu"], "CUDA graphs need a CUDA device, not cpu"),
        (["run", "--algos", ","], "no algorithm given"),
        (["run"], "Missing option '--algos'"),
        (["run", "--algos", "dcgan", "--bn", "maybe"], "--bn maybe: allowed is on, off or on/off"),
        (["run", "--algos", "dcgan", "--steps", "-5"], "'--steps': -5 is not in the range 1<=x<=1000000000"),
        (["run", "--algos", "dcgan", "--steps", "many"], "'many' is not a valid integer"),
        (["run", "--algos", "dcgan", "--steps", "5", "--epochs", "1"], "--epochs and --steps exclude each other"),
        (["run", "--algos", "dcgan", "--seeds", "0"], "0 is not in the range x>=1"),
        (["run", "--algos", "dcgan", "--preset", "huge"], "--preset huge: allowed is smoke, quick, full"),
        (["run", "--algos", "dcgan", "--device", "tpu"], "--device tpu: allowed is auto, cpu, cuda, mps"),
        (["run", "--algos", "dcgan", "--samples", "10"], "--samples 10: allowed is 200 or more"),
        (["run", "--algos", "dcgan", "--set", "lr_gg=1"], "unknown field 'lr_gg'; did you mean 'lr_g'"),
        (["run", "--algos", "dcgan", "--set", "n_d=none"], "n_d=none: allowed is a whole number of at least 1"),
        (["run", "--algos", "wgan_gp", "--bn", "on"], "nothing to run, every cell is a skip: batch norm in D"),
        (["run", "--algos", "dcgan", "--data-dir", "nowhere"], "nowhere is not a folder"),
        (["run", "--algos", "dcgan", "--bnn", "on"], "No such option"),
        (["show", "wgangp"], "did you mean 'wgan_gp'"),
        (["rnu"], "No such command 'rnu'"),
        (["report"], "no experiment 'bench'"),
        (["compare", "dcgan", "lsgan"], "no experiment 'bench'"),
        (["compare"], "Missing argument 'A'"),
        (["run", "lsgan"], "no plan file 'lsgan'; algorithms are given with --algos, several with commas"),
        (["run", "--set", "lr_d=1e-4", "2e-4"], "values of one option are joined with commas"),
        (["run", "--algos", "dcgan", "wgan"], "no plan file 'wgan'; algorithms are given with --algos"),
        (["run", "--algos", "all"], "different tasks (aae: mnist, ccgan: inpainting, "),
        (["show", "WGAN_GP"], "unknown algorithm 'WGAN_GP'; did you mean 'wgan_gp'"),
        (["plan", "--no-timing", "--algos", "dcgan", "--samples", "100"], "--samples 100: allowed is 200 or more"),
        (["plan", "--no-timing", "--algos", "dcgan", "--metrics", "fidd"], "--metrics fidd: allowed are all, fid"),
        (["plan", "--no-timing", "--algos", "ccgan", "--metrics", "kid"], "inpainting has metrics of its own"),
        (["plan", "--no-timing", "--algos", "dcgan", "--data-dir", "nowhere"], "give the folder that holds MNIST's"),
        (["plan", "--no-timing", "--algos", "dcgan", "--data-dir", "."], ". lacks train-images-idx3-ubyte and train-"),
        (["sample", "abc"], "no trial with a run id that starts with 'abc'"),
        (["run", "--algos", "dcgan", "--set", f"batch_size=1{'0' * 400}"], "allowed is a whole number of at least 2"),
        (["score", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_one_line_says_what_is_wrong(refused, arguments, words):
    assert words in refused(*arguments)
    assert not Path("bench-report.html").exists()


def test_cuda_without_one(refused, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "--device cuda: no such device here" in refused(*SMOKE, "--device", "cuda")


def test_truncated_and_corrupt_data(refused, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x03" + b"\0" * 40)[:-9])
    (folder / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\x01")
    assert "train-images-idx3-ubyte.gz" in refused(*SMOKE, "--data-dir", folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder(refused, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0)
    assert "cannot be read" in refused(*SMOKE, "--data-dir", folder)


class TestStore:
    def test_file_that_is_no_database(self, refused, tmp_path, monkeypatch):
        (tmp_path / "broken.db").write_text("this is no database")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/broken.db")
        assert "cannot open the MLflow store" in refused("report")

    def test_path_below_a_file(self, refused, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
        assert "cannot open the MLflow store" in refused("report")

    def test_server_that_does_not_answer(self, refused, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
        assert "Connection refused" in refused("report")

    def test_garbage(self, refused, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://[x")
        assert "cannot open the MLflow store 'http://[x'" in refused("report")

    def test_a_store_that_breaks_while_it_is_read(self, refused, monkeypatch, finished_run):
        monkeypatch.chdir(finished_run.folder)

        def broken(*_):
            raise MlflowException("database disk image is malformed\nand more")

        monkeypatch.setattr("bench.stored.runs", broken)
        assert "the store failed (database disk image is malformed); try again" in refused("report")

    def test_what_waits_is_promised_only_where_something_may_wait(self, refused, monkeypatch):
        def broken(*_, **__):
            raise MlflowException("gone")

        monkeypatch.setattr("bench.sync.sync", broken)
        assert "the store failed (gone); nothing is lost, 'bench sync' goes on with it" in refused("sync")

    def test_work_folder_that_cannot_be_made(self, command, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "bench-work").write_text("in the way")
        code, _, err = command(*SMOKE, "--offline")
        assert code == 2
        assert err.splitlines()[-1].startswith(
            f"bench: error: cannot write to {tmp_path}/bench-work (File exists): make"
        )

    def test_scheme_nobody_knows(self, refused, monkeypatch):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://store")
        assert "cannot open the MLflow store 'gopher://store'" in refused(*SMOKE)

    def test_locked_database(self, refused, monkeypatch, tmp_path, finished_run):
        """Whoever holds the write lock for long gets in the way, and is named."""
        copy = tmp_path / "mlflow.db"
        copy.write_bytes((finished_run.folder / "mlflow.db").read_bytes())
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{copy}?timeout=0.1")
        monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
        holder = sqlite3.connect(copy, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            assert "database is locked" in refused("report")
        finally:
            holder.close()

    def test_empty_experiment(self, refused, command):
        command("report")
        assert "no experiment 'other'" in refused("report", "--experiment", "other")


def test_too_few_held_out_images_are_no_yardstick(refused, tmp_path):
    """Asked for as many as FID needs, a folder with twenty test images must not score twenty."""
    for stem, count in (("train", 300), ("t10k", 20)):
        write_idx(tmp_path, torch.zeros(count, 1, 28, 28, dtype=torch.uint8), torch.arange(count) % 10, stem)
    said = refused("run", "--algos", "pix2pix", "--samples", 200, "--data-dir", tmp_path)
    assert "inpainting has 20 held-out examples here, fewer than the 200" in said
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.parametrize(("text", "words"), [("kid,psnr", "allowed are all, fid, is"), ("kid", "kid needs 1,000")])
def test_metrics_that_cannot_be(refused, text, words):
    assert words in refused("run", "--algos", "dcgan", "--samples", 300, "--metrics", text)


def test_memory_without_test_images_says_what_it_is_missing(refused):
    said = refused("run", "--algos", "dcgan", "--samples", 1000, "--metrics", "kid,memory", "--offline")
    assert "--metrics kid,memory: memory must see images that nobody trained on" in said


def test_a_rerun_asks_for_the_same_metrics(tmp_path):
    for kind in ("images-idx3", "labels-idx1"):
        (tmp_path / f"train-{kind}-ubyte").touch()
    asked = Request(algos="dcgan", preset="quick", metrics="kid", inception_weights="w.pth", data_dir=tmp_path)
    words = ["--task", "mnist", "--preset", "quick", "--data-dir", str(tmp_path), "--metrics", "kid"]
    assert asked.grid().shared_arguments(10_000) == [*words, "--inception-weights", "w.pth"]


def test_a_rerun_repeats_what_is_not_the_default_and_nothing_else():
    asked = Request(algos="dcgan", preset="quick", select="best", experiment="mine", samples=500, offline=True)
    words = ["--task", "mnist", "--preset", "quick"]
    assert Request(algos="dcgan", preset="quick").grid().shared_arguments(10_000) == words
    others = ["--samples", "500", "--select", "best", "--experiment", "mine", "--offline"]
    assert asked.grid().shared_arguments(500) == words + others


@pytest.mark.parametrize(
    "asked", [{"steps": 30}, {"epochs": 2}, {"g_updates": 7}, {"device": "cpu"}, {"precision": "bf16"}]
)
def test_a_rerun_has_the_same_budget_device_and_precision(monkeypatch, asked):
    monkeypatch.setattr("bench.precision.check", lambda *_: None)
    ((name, value),) = asked.items()
    words = Request(algos="dcgan", preset="quick", **asked).grid().shared_arguments(10_000)
    assert words[4:] == [f"--{name.replace('_', '-')}", str(value)]


def test_a_grid_that_is_sent_to_another_machine_names_its_preset():
    """There the default may be another one."""
    assert Request(algos="dcgan", device="cpu").grid().request.preset == "quick"


class TestScore:
    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.zeros((300, 32, 32), np.uint8), "holds an array of shape [300, 32, 32]: resize to 28x28; allowed is"),
            (np.zeros((300, 28, 28), np.float32), "float32"),
            (np.zeros((10, 28, 28), np.uint8), "10 images are too few"),
            (np.zeros((0, 28, 28), np.uint8), ""),
            (np.array([{"a": 1}], dtype=object), ""),
        ],
    )
    def test_arrays_that_are_no_images(self, refused, array, words):
        np.savez("images.npz", array)
        assert words in refused("score", "images.npz")

    def test_no_archive(self, refused):
        Path("images.npz").write_bytes(b"PK not really")
        assert "images.npz is not a readable .npz file (File is not a zip file): numpy.savez(" in refused(
            "score", "images.npz"
        )

    def test_pictures_of_another_size(self, refused):
        Path("images").mkdir()
        Image.new("L", (64, 64)).save("images/a.png")
        assert "a.png" in refused("score", "images")


def test_a_cell_that_is_not_there(refused, finished_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    assert "no cell 'lsgan'; did you mean 'dcgan'? there are: dcgan bn=on, dcgan bn=off, wgan_gp bn=off" in refused(
        "compare", "lsgan", "wgan_gp"
    )


def test_report_below_a_file(refused, finished_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    Path("file").write_text("in the way")
    assert "cannot write file/report.html" in refused("report", "--out", "file/report.html")

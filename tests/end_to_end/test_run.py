"""One real run of the command line, and everything read back from the store alone."""

import contextlib
import io
import json
import os
import shlex
import shutil
import sqlite3

import numpy as np
import pandas as pd
import pytest
import torch
from mlflow import MlflowClient
from PIL import Image
from safetensors import safe_open

from bench import results
from bench.columns import POSITION
from bench.evaluate import DURING, Evaluator
from bench.images import load_images
from bench.train.examine import SAMPLING_SEED
from bench.train.restore import restore
from bench.train.sampling import draw

METRICS = ("mnist_fid_1k", "mnist_is_1k")


@pytest.fixture
def loaded(finished_run):
    return results.load(finished_run.uri)


@pytest.fixture
def trials(loaded):
    return loaded.trials[loaded.trials["kind"] == "trial"]


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="only processes side by side have groups")
def test_one_process_makes_the_run_for_all(request, finished_run):
    """Else each would train it again; xdist's groups have been lost without a word before."""
    assert request.node.nodeid.endswith("@finished run")


def test_terminal_shows_progress_table_and_report(finished_run):
    for text in ("[1/6]", "[6/6]", "steps/s", "dcgan bn=on", "real train digits", "untrained generator", "skipped"):
        assert text in finished_run.output
    assert str(finished_run.folder / "bench-report.html") in finished_run.output


def test_the_last_line_is_the_address_of_the_experiment_in_mlflow(finished_run):
    """By its front page a newcomer would find MLflow's view for language models, which has no runs."""
    id_ = MlflowClient(finished_run.uri).get_experiment_by_name("bench").experiment_id
    address = f"http://127.0.0.1:5000/#/experiments/{id_}?workflowType=machine_learning"
    assert finished_run.output.rstrip().endswith(f"mlflow ui shows them at {address}")


def test_every_cell_is_a_row(loaded):
    rows = loaded.trials.groupby("kind")["cell"].apply(lambda cells: sorted(set(cells)))
    assert rows["trial"] == ["dcgan bn=off", "dcgan bn=on", "wgan_gp bn=off"]
    assert rows["skip"] == ["wgan_gp bn=on"]
    assert rows["reference"] == ["real train digits", "untrained generator"]


def test_trials_carry_what_makes_them_comparable(trials, digits):
    assert len(trials) == 6
    assert set(trials["status"]) == {"finished"}
    assert set(trials["data_fingerprint"]) == {digits.fingerprint}
    assert set(trials["extractor"]) == {Evaluator(torch.device("cpu")).extractor_hash}
    assert set(trials["samples"]) == {1000}
    assert set(trials["budget"]) == {"20 steps"}
    assert trials["protocol"].nunique() == 1
    assert trials["fingerprint"].nunique() == 6
    assert set(trials["seed"]) == {0, 1}
    assert all(row["torch"] == torch.__version__ for row in trials["versions"])
    assert all(trials["deviations"].map(len) >= 2)


def test_counts_and_scores(trials):
    wgan_gp = trials["algorithm"] == "wgan_gp"
    assert set(trials.loc[wgan_gp, "g_updates"]) == {4}
    assert set(trials.loc[~wgan_gp, "g_updates"]) == {20}
    assert set(trials["images"]) == {20 * 64}
    assert trials["fid"].notna().all()
    assert (trials["fid"] == trials["mnist_fid_1k"]).all()
    assert trials["is_"].between(1, 10).all()
    assert trials["params_g"].nunique() == 1


def test_references_frame_the_scores(loaded):
    """Noise is worse than an untrained generator, which is far worse than real digits."""
    fid = loaded.trials[loaded.trials["kind"] == "reference"].set_index("name")["fid"]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (1000, 1, 28, 28), dtype=torch.uint8, generator=generator)
    assert fid["real train digits"] < 3
    assert fid["untrained generator"] > 20 * fid["real train digits"]
    assert Evaluator(torch.device("cpu")).score(noise)["mnist_fid_1k"] > fid["untrained generator"]


def test_curves_have_every_axis(loaded, trials):
    curves = loaded.curves[loaded.curves["run_id"] == trials["run_id"].iloc[0]]
    assert {*METRICS, "mnist_fid_500", "mnist_is_500", "loss_d", "loss_g"} <= set(curves["metric"])
    losses = curves[curves["metric"] == "loss_d"].sort_values("step")
    assert list(losses["step"]) == [5, 10, 15, 20]
    for axis in POSITION:
        assert losses[axis].notna().all()
        assert losses[axis].is_monotonic_increasing
    assert losses["images"].iloc[-1] == 1280


def test_pictures(loaded, trials):
    run_id = trials["run_id"].iloc[0]
    samples = Image.open(io.BytesIO(loaded.artifact(run_id, "samples.png")))
    assert samples.size == (10 * 30 + 2, 10 * 30 + 2)
    gif = Image.open(io.BytesIO(loaded.artifact(run_id, "training.gif")))
    assert gif.n_frames == 5  # before training, then four
    assert np.asarray(samples).std() > 5
    images = loaded.artifacts(run_id, "images")
    assert any("samples" in path and path.endswith(".png") for path in images)


def test_summary_accounts_for_all_time(loaded, trials):
    summary = json.loads(loaded.artifact(trials["run_id"].iloc[0], "summary.json"))
    assert summary["status"] == "finished"
    assert summary["counts"]["steps"] == 20
    assert summary["eval_seconds"] > 0
    assert summary["log_seconds"] > 0
    assert set(METRICS) <= set(summary["scores"])


def test_weights_repeat_the_score(loaded, trials, finished_run, command, monkeypatch, tmp_path):
    """From the store alone: `bench sample` draws from the weights, and their metadata names the config."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    row = trials.iloc[0]
    path = tmp_path / "weights.safetensors"
    path.write_bytes(loaded.artifact(row["run_id"], path.name))
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["config"]) == row["config"]
    code, out, err = command("sample", row["run_id"][:12], "-n", 9, "-o", tmp_path / "grid.png", "--scale", 1)
    assert code == 0, err
    assert row["cell"] in out
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.size == (3 * 30 + 2, 3 * 30 + 2)
        shown = np.array(grid)
    code, _, err = command("sample", row["run_id"][:12], "-n", 9, "-o", tmp_path / "pixels.npz")
    assert code == 0, err
    pixels = load_images(tmp_path / "pixels.npz")
    assert torch.equal(torch.from_numpy(shown[2:30, 32:60]), pixels[1, 0])  # second of the first row, beyond its rule


def test_the_stored_weights_have_the_recorded_score(trials, finished_run, digits, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    row = trials.iloc[0]
    gan, _, task = restore(row["run_id"])
    seed = int(row["seed"]) + SAMPLING_SEED
    samples = draw(gan, gan.generator, task.examples(digits, 1_000, seed), seed)
    # The same arithmetic; another number of threads may round otherwise.
    found = Evaluator(torch.device("cpu"), metrics=DURING).judge(samples)
    assert found["mnist_fid_1k"] == pytest.approx(row["fid"], rel=1e-4)


def test_latent_pictures_are_in_the_store_and_can_be_made_again(
    loaded, trials, finished_run, command, monkeypatch, tmp_path
):
    run_id = trials["run_id"].iloc[0]
    paths = loaded.artifacts(run_id, "latent")
    assert {"latent/interpolation.png", "latent/neighbours.png"} <= set(paths)
    assert loaded.artifacts(run_id, "nothing") == []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    code, out, err = command("latent", run_id[:12], "-o", tmp_path / "pictures", "--scale", 1)
    assert code == 0, err
    assert "interpolation" in out
    with Image.open(tmp_path / "pictures" / "interpolation.png") as strip:
        assert strip.size == (10 * 30 + 2, 8 * 30 + 2)


def test_latent_says_where_it_cannot_write(trials, finished_run, command, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    (tmp_path / "taken").write_text("a file")
    code, _, err = command("latent", trials["run_id"].iloc[0][:12], "-o", tmp_path / "taken" / "below")
    assert code == 2
    assert "give a place that is writable" in err


def test_the_recorded_command_plans_the_same_cell(trials, command):
    for line in trials["command"].unique():
        words = shlex.split(line)
        code, out, err = command("plan", *words[2:], "--no-timing")
        assert code == 0, err
        cell = trials.loc[trials["command"] == line, "cell"].iloc[0]
        assert f"  {cell}   seeds 0..1" in out
        assert "20 steps per trial" in out


@pytest.mark.usefixtures("no_page")
def test_a_repeat_replaces_and_does_not_double(finished_run, trials, command, tmp_path, real_mnist):
    """The same trial again: same fingerprint, the same scores to the last digit, and one row."""
    shutil.copytree(finished_run.folder / "mlruns", tmp_path / "mlruns")
    shutil.copy(finished_run.folder / "mlflow.db", tmp_path / "mlflow.db")
    # As if it had been made here: new files of a copy would go to the original, so it is refused.
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
            store.execute(
                f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(finished_run.folder), str(tmp_path))
            )
    code, _, err = command(
        "run", "--algos", "dcgan", "--bn", "on", "--preset", "smoke", "--data-dir", real_mnist, "--fresh"
    )
    assert code == 0, err
    again = results.load().trials
    again = again[again["kind"] == "trial"]
    assert len(again) == len(trials)
    key = ["cell", "seed"]
    merged = trials.merge(again, on=key, suffixes=("_before", "_after"))
    assert (merged["fid_before"] == merged["fid_after"]).all()
    repeated = merged[(merged["cell"] == "dcgan bn=on") & (merged["seed"] == 0)]
    assert (repeated["run_id_before"] != repeated["run_id_after"]).all()


def test_report_is_written_again_from_the_store(finished_run, command, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    code, out, err = command("report", "-o", tmp_path / "again.html")
    assert code == 0, err
    page = (tmp_path / "again.html").read_text()
    assert "wgan_gp bn=on" in page
    assert str(tmp_path / "again.html") in out


def test_frame_types(loaded):
    assert loaded.trials["seed"].dtype == pd.Int64Dtype()
    assert loaded.trials["bn"].dtype == pd.BooleanDtype()

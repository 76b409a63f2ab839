"""`bench export`, `bench import` and `bench report --from`, as they are typed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import reports
from bench import results
from bench.columns import CURVES, TRIALS
from bench.track import Store, open_client

EXAMPLE = Path(reports.__file__).parent / "example.parquet"


def test_a_name_that_is_no_text_is_escaped_where_it_is_told(tmp_path):
    """On a terminal, whose output takes no bytes that are none of its encoding."""
    name = os.fsdecode(b"\xff.csv")
    told = subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", "export", name, "--from", EXAMPLE],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert str(tmp_path / r"\udcff.csv") in told.stdout
    assert (tmp_path / name).exists()


def test_columns_are_listed(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = command("export", "--columns")
    assert code == 0
    for column in (*TRIALS, *CURVES):
        assert f"{column.name} " in out
        assert column.meaning in out
    assert "any other column: a metric" in out


@pytest.mark.usefixtures("ready_store")
def test_figures_travel_through_a_file_into_another_store_and_its_report(command, tmp_path, monkeypatch):
    """The whole way: a file, another machine's store, its report, and a file again."""
    monkeypatch.setattr("bench.merge.TOLD", 7)
    code, out, err = command("import", EXAMPLE)
    assert code == 0, err
    assert out.startswith("[7/18] rows\n[14/18] rows\n18 rows added")
    assert f"18 rows added to experiment 'bench' of sqlite:///{tmp_path}/mlflow.db" in out
    code, out, err = command("export", "mine.csv")
    assert code == 0, err
    assert "15 trial rows, 2 reference rows, 1 skip rows of bench" in out
    assert f"points of their curves: {tmp_path}/mine.curves.csv" in out
    before, after = results.load(EXAMPLE).trials, results.load("mine.csv").trials
    key = ["kind", "cell", "seed"]
    lines = [
        frame.sort_values(key, ignore_index=True).drop(columns=["run_id", "parent_id", "imported"])
        for frame in (before, after)
    ]
    pd.testing.assert_frame_equal(*lines, check_exact=True, check_like=True)
    code, out, err = command("import", "mine.csv")
    assert "0 rows added" in out
    assert "18 rows left out: they are there already" in out
    code, out, err = command("report", "--figures", "figures", "--format", "png")
    assert code == 0, err
    page = Path("bench-report.html").read_text()
    assert "18 rows of example.parquet. GIFs and pictures of the latent space are no part of such a file" in page
    assert "wgan_gp bn=off" in page
    assert list(Path("figures").glob("*-fid.png"))


def test_report_of_a_file_and_of_several(command):
    shutil.copy(EXAMPLE, "a.parquet")
    shutil.copy(EXAMPLE.with_name("example.curves.parquet"), "a.curves.parquet")
    code, _, err = command("report", "--from", EXAMPLE, "--from", "a.parquet", "-o", "both.html")
    assert code == 0, err
    page = Path("both.html").read_text()
    assert "3/3" in page
    assert "6/6" not in page
    assert not Path("mlflow.db").exists()


@pytest.mark.usefixtures("ready_store")
def test_a_contradiction_is_one_line(command, refused):
    assert command("import", EXAMPLE)[0] == 0
    command("export", "mine.csv")
    lines = Path("mine.csv").read_text()
    fid = results.load("mine.csv").trials.query("kind == 'trial'")["fid"].iloc[0]
    Path("mine.csv").write_text(lines.replace(str(fid), str(fid + 1)))
    said = refused("import", "mine.csv")
    assert "mine.csv contradicts the store: fid of" in said
    assert "nothing was imported; keep both apart with --experiment NAME" in said
    code, out, _ = command("import", "mine.csv", "--experiment", "theirs")
    assert code == 0
    assert "18 rows added to experiment 'theirs'" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "all.xlsx"], "all.xlsx: the ending says in which format; allowed is .parquet or .csv"),
        (["export"], "Missing argument 'OUT'"),
        (["export", "all.csv"], "no experiment 'bench'"),
        (["import", "nowhere.csv"], "no file nowhere.csv; write one with: bench export"),
        (["report", "--from", "nowhere"], "no results in nowhere: no such file; allowed are a tracking URI"),
        (["report", "--from", "notes.csv"], "notes.csv is no file of bench"),
        (["report", "--from", "empty.parquet"], "empty.parquet is empty or damaged"),
        (["report", "--from", "http://127.0.0.1:9"], "cannot open the MLflow store 'http://127.0.0.1:9'"),
        (["report", "--format", "gif"], "'gif' is not one of 'svg', 'pdf', 'png'"),
    ],
)
def test_one_line_says_what_is_wrong(refused, arguments, words):
    Path("notes.csv").write_text("a,b\n1,2\n")
    Path("empty.parquet").touch()
    assert words in refused(*arguments)
    assert not Path("bench-report.html").exists()


def test_a_file_that_cannot_be_read_leaves_no_store_behind(refused):
    Path("notes.csv").write_text("a,b\n1,2\n")
    refused("import", "notes.csv")
    assert not Path("mlflow.db").exists()


def test_the_page_is_in_the_store_too(finished_run):
    """`bench run` leaves its report beside the figures, as an artifact of the parent run."""
    client = open_client(finished_run.uri)
    loaded = results.load(finished_run.uri)
    (parent,) = set(loaded.trials["parent_id"])
    path = client.download_artifacts(parent, "bench-report.html")
    assert Path(path).read_bytes() == (finished_run.folder / "bench-report.html").read_bytes()
    assert Store("bench", finished_run.uri).client.get_run(parent).data.tags["bench.kind"] == "run"

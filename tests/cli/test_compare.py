"""`bench compare` on a real store of two seeds, and on an exported file."""

from pathlib import Path

import reports


def test_two_cells_of_a_store(command, finished_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    code, out, err = command("compare", "dcgan bn=on", "wgan_gp")
    assert (code, err) == (0, "")
    assert "first: dcgan bn=on, second: wgan_gp bn=off, lower is better" in out
    assert out.strip().splitlines()[-1].endswith("seeds.") or "not separable" in out
    assert out.isascii()


def test_two_cells_of_a_file(command):
    """Where the working directory has no store."""
    example = Path(reports.__file__).parent / "example.parquet"
    code, out, err = command("compare", "dcgan bn=on", "wgan_gp", "--from", example)
    assert (code, err) == (0, "")
    assert "first: dcgan bn=on, second: wgan_gp bn=off, lower is better" in out


def test_a_cell_against_all_others(command, finished_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    code, out, err = command("compare", "dcgan bn=on")
    assert (code, err) == (0, "")
    assert out.startswith("FID of each cell minus that of dcgan bn=on: below zero, the cell is better.\n")
    table = out.partition("\ncell ")[2].partition("\n\n")[0].splitlines()[2:]
    assert {line.split("  ")[0] for line in table} == {"dcgan bn=off", "wgan_gp bn=off"}
    assert out.strip().rpartition("\n\n")[2].startswith(("1 cell", "2 cells"))
    assert command("compare", "dcgan bn=on", "dcgan bn=off", "wgan_gp")[1] == out
    assert out.isascii()

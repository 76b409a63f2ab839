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
    rivals = [line.split("  ")[0] for line in out.splitlines() if "dcgan bn=on  " in line]
    assert set(rivals) == {"dcgan bn=off", "wgan_gp bn=off"}
    assert out.strip().splitlines()[-1].startswith(("1 cell", "2 cells"))
    assert command("compare", "dcgan bn=on", "dcgan bn=off", "wgan_gp")[1] == out
    assert out.isascii()

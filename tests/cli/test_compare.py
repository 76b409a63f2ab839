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

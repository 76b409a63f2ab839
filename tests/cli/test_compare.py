"""`bench compare` on a real store of two seeds."""


def test_two_cells_of_a_store(command, finished_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished_run.uri)
    code, out, err = command("compare", "dcgan bn=on", "wgan_gp")
    assert (code, err) == (0, "")
    assert "first: dcgan bn=on, second: wgan_gp bn=off, lower is better" in out
    assert out.strip().splitlines()[-1].endswith("seeds.") or "not separable" in out
    assert out.isascii()

"""What `bench run` says of metrics that it will not give, before it trains."""

import pytest

RUN = ("run", "--algos", "dcgan", "--preset", "smoke", "--steps", "2", "--samples", "200", "--offline")


@pytest.mark.usefixtures("ready_store")
def test_metrics_that_are_left_out_are_said_at_the_start(command, monkeypatch):
    """Those that so few samples do not allow, and those that a finished trial was not scored by."""
    monkeypatch.setattr("bench.cli.report.write", lambda *_: "no report")
    code, out, err = command(*RUN, "--metrics", "is,fid_second")
    assert code == 0, err
    assert "left out with" not in out
    out = command(*RUN)[1]
    assert "1 of them finished before" in out
    assert "left out with so few samples: kid (needs 1,000 images), prdc (needs 1,000 images)\n1 trial," in out
    assert "not scored by" not in out
    assert "not scored by" not in command(*RUN, "--metrics", "fid,is")[1]
    out = command(*RUN, "--metrics", "is,classes")[1]
    assert "some of these were not scored by classes, as --metrics asks; --fresh does it\n" in out

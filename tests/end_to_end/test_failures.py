"""A trial that fails, diverges or is interrupted is a row with a reason; the others go on; the exit code says it."""

import pytest

from bench import results
from bench.journal import NoRoom
from bench.track import Store
from bench.train.trial import TrialRunner
from gans.standard.dcgan import DCGAN

RUN = ("run", "--algos", "dcgan", "--bn", "on/off", "--preset", "smoke", "--steps", "6")

pytestmark = pytest.mark.usefixtures("ready_store", "no_page")


def rows():
    frame = results.load().trials
    return frame[frame["kind"] == "trial"].set_index("cell")


def parent_status():
    (parent,) = Store().runs("run")
    return parent.info.status


@pytest.fixture
def without_bn(monkeypatch):
    """Lets the D turn of bn=off cells do something else."""

    def misbehave(action):
        honest = DCGAN.d_turn

        def d_turn(self, batch):
            return honest(self, batch) if self.config.bn else action(honest(self, batch))

        monkeypatch.setattr(DCGAN, "d_turn", d_turn)

    return misbehave


def test_divergence_is_a_result(command, without_bn):
    without_bn(lambda scalars: {key: value * float("nan") for key, value in scalars.items()})
    code, out, _ = command(*RUN)
    assert code == 0
    assert "diverged" in out
    frame = rows()
    assert frame.loc["dcgan bn=off", "status"] == "diverged"
    assert "loss of turn d became nan" in frame.loc["dcgan bn=off", "reason"]
    assert frame.loc["dcgan bn=on", "status"] == "finished"


def test_an_algorithm_that_raises_fails_alone(command, without_bn):
    def boom(_):
        raise ValueError("shapes do\nnot match")

    without_bn(boom)
    code, out, err = command(*RUN)
    assert code == 1
    assert "Traceback" not in out + err
    frame = rows()
    assert frame.loc["dcgan bn=off", "reason"] == "ValueError: shapes do not match"
    assert frame.loc["dcgan bn=on", "status"] == "finished"
    traceback = results.load().artifact(frame.loc["dcgan bn=off", "run_id"], "traceback.txt")
    assert b"shapes do" in traceback


def test_interruption_keeps_what_is_done(command, without_bn):
    def interrupt(_):
        raise KeyboardInterrupt

    without_bn(interrupt)
    code, _, err = command(*RUN)
    assert code == 130
    assert "interrupted" in err
    frame = rows()
    assert frame.loc["dcgan bn=off", "status"] == "interrupted"
    assert frame.loc["dcgan bn=on", "status"] == "finished"
    assert parent_status() == "KILLED"


def test_a_run_that_an_error_ends_is_not_taken_for_finished(command, monkeypatch):
    def full(self):
        raise NoRoom("the disk is full")

    monkeypatch.setattr(TrialRunner, "_begin", full)
    code, _, err = command(*RUN)
    assert code == 2
    assert err.endswith("bench: error: the disk is full\n")
    assert parent_status() == "FAILED"


def test_data_changes_the_protocol(command, digits, real_mnist):
    """The same cell on other data is another row in another table."""
    command(*RUN, "--set", "ema=0.5")
    command(*RUN, "--set", "ema=0.5", "--data-dir", real_mnist)
    frame = results.load().trials
    trials = frame[frame["kind"] == "trial"]
    assert set(trials["dataset"]) == {"mnist5k", "mnist"}
    assert trials["protocol"].nunique() == 2
    assert set(trials["weights"]) == {"ema"}

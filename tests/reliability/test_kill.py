"""A run that is killed and started again, as often as it takes, ends exactly like one that never was."""

import os
import random
import shutil
import signal

import pytest
from stored import CLOCKS, content, runs
from victim import Victim

from bench import results

KILLS = int(os.environ.get("BENCH_KILLS", "5"))
CURVES = ("run", "--algos", "gan", "--steps", "600", "--preset", "smoke", "--set", "ema=0.9")
OFTEN = ("--checkpoint-every", "0.1")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, empty_store):
    """What the uninterrupted run leaves in its store."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copy(empty_store, folder)
    victim = Victim(folder, *CURVES)
    assert victim.wait() == 0, victim.output
    return content(folder)


def test_sigkill_at_random_moments_changes_nothing(whole, tmp_path):
    moments = random.Random(0)
    kill, resumed = 0, False
    for kill in range(KILLS):
        victim = Victim(tmp_path, *CURVES, *OFTEN)
        if kill % 3:  # two of three while it trains and scores, the others at any moment from its start
            victim.wait_for("600 steps")
        if victim.wait(moments.uniform(0, 4)) is not None:
            break
        victim.kill()
        resumed |= "goes on from step" in victim.output
    victim = Victim(tmp_path, *CURVES, *OFTEN)
    assert victim.wait() == 0, victim.output
    assert resumed
    assert "Traceback" not in victim.output
    assert kill
    assert content(tmp_path) == whole
    assert runs(tmp_path) == 1
    assert not (tmp_path / "bench-work").exists()


@pytest.mark.parametrize(
    ("place", "nth"),
    [
        ("os:fsync", 25),  # a file is written: what is at hand must be whole
        ("bench.train.checkpoint:write_atomically", 2),
        ("bench.tasks.curves:CurveYardstick.judge", 3),  # after a reference and an evaluation, the last one
        ("bench.track:Store.add_file", 4),  # the trial has ended, a part of it is in the store
        ("bench.journal:Journal.note_delivery", 19),  # it is there, but that is not noted
        ("bench.track:Store.set_status", 3),  # the trial is whole but for its end
    ],
)
def test_sigkill_at_the_worst_moments_changes_nothing(whole, tmp_path, place, nth):
    victim = Victim(tmp_path, *CURVES, *OFTEN, die_in=(place, nth))
    assert victim.wait() == -signal.SIGKILL, victim.output
    victim = Victim(tmp_path, *CURVES)
    assert victim.wait() == 0, victim.output
    assert "not used" not in victim.output
    assert content(tmp_path) == whole
    assert runs(tmp_path) == 1
    assert not (tmp_path / "bench-work").exists()


def test_no_point_is_there_twice_and_clocks_go_forward(whole, tmp_path):
    """The metrics of time differ from run to run; they too have one point a step, and never go back."""
    for _ in range(2):
        victim = Victim(tmp_path, *CURVES, *OFTEN)
        victim.wait_for("step 300/600")
        victim.kill()
    victim = Victim(tmp_path, *CURVES)
    assert victim.wait() == 0, victim.output
    loaded = results.load(f"sqlite:///{tmp_path}/mlflow.db")
    (run_id,) = loaded.trials.loc[loaded.trials["kind"] == "trial", "run_id"]
    for key in CLOCKS:
        points = loaded.client.get_metric_history(run_id, key)
        steps = [point.step for point in points]
        assert len(set(steps)) == len(steps)
        values = [point.value for point in sorted(points, key=lambda point: point.step)]
        assert values == sorted(values)

"""A run that is killed and started again, as often as it takes, ends exactly like one that never was."""

import os
import random
import shutil
import signal
import time
from collections import Counter

import pytest
from stored import CLOCKS, client_of, content, runs
from victim import LONG, Victim

from bench import results

CURVES = ("run", "--algos", "gan", "--steps", "600", "--preset", "smoke", "--set", "ema=0.9")
OFTEN = ("--checkpoint-every", "0.1")
SMOKE = ("run", "--preset", "smoke", "--samples", "200", "--steps")
MANY = [
    (CURVES, 30),
    ((*SMOKE, "24", "--algos", "dcgan", "--set", "augment=ada"), 10),
    ((*SMOKE, "6", "--algos", "cyclegan", "--set", "pool=8", "--set", "batch_size=4"), 10),
]
"""Trials, and how often each is killed: the long form, which takes a quarter of an hour, by BENCH_LONG=1."""
ROWS = MANY if os.environ.get("BENCH_LONG") else [(CURVES, 3)]


def run_of(folder):
    """The id of the one trial's run."""
    frame = results.load(f"sqlite:///{folder}/mlflow.db").trials
    (run_id,) = frame.loc[frame["kind"] == "trial", "run_id"]
    return run_id


@pytest.fixture(scope="module")
def whole(undisturbed):
    """What the uninterrupted run leaves in its store."""
    return undisturbed(*CURVES)


@pytest.mark.parametrize(("arguments", "kills"), ROWS, ids=[row[0][row[0].index("--algos") + 1] for row in ROWS])
def test_sigkill_at_random_moments_changes_nothing(arguments, kills, tmp_path, empty_store):
    (tmp_path / "whole").mkdir()
    shutil.copy(empty_store, tmp_path / "whole")
    unharmed = Victim(tmp_path / "whole", *arguments)
    started = time.monotonic()
    assert unharmed.wait() == 0, unharmed.output
    seconds = time.monotonic() - started

    moments = random.Random(0)
    places = Counter()
    resumed = whole = 0
    while places.total() < kills or not resumed:  # a few kills may all come before the first checkpoint
        victim = Victim(tmp_path, *arguments, *OFTEN)
        if places.total() % 3:  # two of three while it trains and scores, the others at any moment from its start
            victim.wait_for("[1/1]")
        if victim.ended(moments.uniform(0, seconds / 2)) is None:
            places[victim.kill()] += 1
            resumed += "goes on from step" in victim.output
        else:  # it was faster, or the last kill came when all was done: a new trial, so that every kill counts
            assert victim.wait() == 0, victim.output
            assert content(tmp_path) == content(tmp_path / "whole")
            whole += 1
            client_of(tmp_path).delete_run(run_of(tmp_path))
    victim = Victim(tmp_path, *arguments, *OFTEN)
    assert victim.wait() == 0, victim.output
    assert "Traceback" not in victim.output
    assert content(tmp_path) == content(tmp_path / "whole")
    where = ", ".join(f"{number} {place}" for place, number in places.most_common())
    print(f"{places.total()} kills ({where}), {resumed} after going on from a checkpoint, {whole + 1} trials equal")
    assert resumed
    assert runs(tmp_path) == 1
    assert not (tmp_path / "bench-work").exists()


@pytest.mark.parametrize(
    ("place", "nth"),
    [
        ("os:fsync", 25),  # a file is written: what is at hand must be whole
        pytest.param("bench.train.checkpoint:write_atomically", 2, marks=LONG),
        ("bench.tasks.curves:CurveYardstick.judge", 3),  # after a reference and an evaluation, the last one
        pytest.param("bench.track:Store.add_file", 4, marks=LONG),  # the trial has ended, a part of it is in the store
        ("bench.journal:Journal.note_delivery", 19),  # it is there, but that is not noted
        pytest.param("bench.track:Store.set_status", 3, marks=LONG),  # the trial is whole but for its end
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


def test_a_run_that_hangs_fails_its_test_and_is_not_waited_for(tmp_path):
    """One that is halted before its first score."""
    victim = Victim(tmp_path, *CURVES, die_in=("bench.tasks.curves:CurveYardstick.judge", 1, signal.SIGSTOP))
    assert victim.wait_for("1 trial"), victim.output
    with pytest.raises(pytest.fail.Exception, match=r"(?s)still runs after 0.1 s .*\n1 trial, "):
        victim.wait(0.1)
    assert victim.process.exitcode == -signal.SIGKILL


def test_no_point_is_there_twice_and_clocks_go_forward(whole, tmp_path):
    """The metrics of time differ from run to run; they too have one point a step, and never go back."""
    for seen in ("step 300/600", "goes on from step"):
        victim = Victim(tmp_path, *CURVES, *OFTEN)
        assert victim.wait_for(seen), victim.output
        victim.kill()
    victim = Victim(tmp_path, *CURVES)
    assert victim.wait() == 0, victim.output
    client = client_of(tmp_path)
    for key in CLOCKS:
        points = client.get_metric_history(run_of(tmp_path), key)
        steps = [point.step for point in points]
        assert len(set(steps)) == len(steps)
        values = [point.value for point in sorted(points, key=lambda point: point.step)]
        assert values == sorted(values)

"""The hours that `bench plan` tells, by a made-up clock: steps all along the training, and the scorings there are."""

import time
from types import SimpleNamespace

import pytest

from bench import environment
from bench.request import Request
from bench.track import PREFIX
from bench.train.calibrate import Stopwatch, from_store
from bench.train.conditions import Conditions
from bench.train.loop import Loop

DURING, FINAL = 2.0, 10.0
"""Seconds of a scoring."""


@pytest.fixture
def estimate(monkeypatch):
    """The estimate for a request whose steps last as long as `cost` says of the GAN; preset quick, 400 steps."""
    now = [0.0]

    def passes(seconds):
        now[0] += seconds

    def of(cost, **asked):
        def step(loop):
            loop.gan.progress = loop.counts.steps / loop.steps
            loop.counts.steps += 1
            passes(cost(loop.gan))

        conditions = Conditions(Request(preset="quick", device="cpu", offline=True, **asked).grid())
        monkeypatch.setattr(time, "perf_counter", lambda: now[0])
        monkeypatch.setattr(Loop, "_step", step)
        monkeypatch.setattr("bench.train.calibrate.draw", lambda *_: None)
        monkeypatch.setattr(type(conditions.yardstick), "judge", lambda *_, final: passes(FINAL if final else DURING))
        return Stopwatch(conditions)(conditions.plan.cells[0])

    return of


def test_a_trial_lasts_its_steps_its_evaluations_and_its_draws(estimate):
    """Eight evaluations of 2,000 samples, the final one, and two more draws of 4,000."""
    found = estimate(lambda gan: 0.25, algos="gan", steps=400, samples=4_000)
    assert found.seconds == pytest.approx(400 * 0.25 + 8 * DURING + FINAL + 2 * (2 * DURING))
    assert (found.steps, found.source) == (400, "5 steps timed")


def test_steps_that_grow_longer_are_timed_along_the_training(estimate):
    found = estimate(lambda gan: 0.25 if gan.progress < 0.5 else 1.25, algos="gan", steps=400, samples=4_000)
    assert found.seconds == pytest.approx(200 * 0.25 + 200 * 1.25 + 8 * DURING + FINAL + 2 * (2 * DURING))
    assert found.source == "40 steps timed"


def test_one_slow_step_does_not_count_for_all(estimate):
    costs = iter([0.25] * 3 + [9.0] + [0.25] * 99)
    found = estimate(lambda gan: next(costs), algos="gan", steps=400, samples=2_000)
    assert found.seconds == pytest.approx(400 * 0.25 + 8 * DURING + FINAL + 2 * DURING)


def test_images_made_from_images_are_scored_once(estimate):
    found = estimate(lambda gan: 0.25, algos="ccgan", steps=400)
    assert found.seconds == pytest.approx(400 * 0.25 + 8 * DURING + FINAL)


def test_an_epoch_of_unpaired_images_is_one_pass_over_either_kind(estimate):
    """Of the embedded digits 300 sixes and 300 nines are trained on, of which a step takes a batch each."""
    found = estimate(lambda gan: 0.25, algos="cyclegan", task="translation", epochs=2, assignments=("batch_size=10",))
    assert found.steps == 60


def test_what_another_device_took_says_nothing_of_this_one():
    conditions = Conditions(Request(algos="gan", preset="smoke", device="cpu", samples=200, offline=True).grid())

    def took(seconds, device):
        tags = {f"{PREFIX}device": device, f"{PREFIX}status": "finished"}
        return SimpleNamespace(data=SimpleNamespace(tags=tags, params={"steps": "20"}, metrics={"seconds": seconds}))

    here = environment.device_name(conditions.settings.device)
    assert from_store([took(1.0, "a tpu"), took(7.0, here)], conditions).seconds == 7.0
    assert from_store([took(1.0, "a tpu")], conditions) is None

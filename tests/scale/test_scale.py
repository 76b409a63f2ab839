"""`bench scale`: its arithmetic, its made-up stores, and what it says."""

import math
import os
import random
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest
from mlflow.entities import Metric

from bench import database, results, scale, stored
from bench.errors import BenchError
from bench.request import Request
from bench.track import Store, search
from bench.train.interface import Order
from reports import html

SCORED = ("mnist_fid_2k", "mnist_is_2k", "mnist_fid_10k", "mnist_is_10k", "eval_seconds", "log_seconds")


def test_efficiency_is_the_part_of_all_slots_time_in_trials():
    # Two slots for 5 s are 10 s, of which four trials of 2 s take 8; each trial leaves 0.5 s of its slot.
    found = scale.Efficiency(slots=2, trials=4, seconds=2.0, wall=5.0)
    assert (found.efficiency, found.overhead) == (pytest.approx(0.8), pytest.approx(0.5))


def test_a_made_up_store_has_the_trials_cells_and_points_that_were_asked_for(tmp_path):
    uri = f"sqlite:///{tmp_path}/made-up.db"
    scale.fill(Store(uri=uri), trials=12, cells=4, points=20)
    loaded = results.load(uri)
    trials = loaded.trials
    assert (len(trials), trials["fingerprint"].nunique(), trials["cell"].nunique()) == (12, 12, 4)
    assert set(trials.groupby("cell")["seed"].apply(sorted).map(tuple)) == {(0, 1, 2)}
    assert trials["fid"].nunique() == 12
    assert set(loaded.curves.query("metric == 'loss_d'").groupby("run_id").size()) == {20}
    assert loaded.curves["images"].notna().all(), "each point knows where it was logged"


def test_it_measures_what_it_can_without_ray_and_leaves_nothing_behind(command, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = {*tmp_path.iterdir(), tmp_path / "cache"}  # of matplotlib
    code, out, err = command("scale", "--writers", 1, "--trials", 6, "--seconds", 0.3)
    assert (code, err) == (0, "")
    slots, writers, report = out.splitlines()
    assert slots == "slots: not measured without Ray; pip install 'gan-bench[ray]'"
    assert int(re.match(r" +1 writers  ([\d,]+) points/s", writers).group(1).replace(",", "")) > 0
    assert re.match(r" +6 trials   [\d.]+ s for a page of [\d.]+ MB: rows read in [\d.]+ s .* written in", report)
    assert set(tmp_path.iterdir()) <= before
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.fixture
def made_up(tmp_path):
    """A store of twelve invented trials, one of whose values is NaN, and one infinite."""
    store = Store(uri=f"sqlite:///{tmp_path}/made-up.db")
    scale.fill(store, trials=12, cells=4, points=10)
    run_id = store.runs("trial")[3].info.run_id
    store.add_points(run_id, [("loss_d", math.nan, 1, 11), ("loss_g", math.inf, 1, 11)])
    return store


def test_plain_queries_find_what_mlflow_finds(made_up):
    found, expected = database.runs(made_up.client, made_up.experiment_id), search(made_up.client, ["1"], "")
    assert len(found) == 12
    assert [run.info for run in found] == [run.info for run in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.data.tags, one.data.params) == (other.data.tags, other.data.params)
        assert one.data.metrics.keys() == other.data.metrics.keys()
        assert all(
            one.data.metrics[name] == pytest.approx(value, nan_ok=True, rel=0, abs=0)
            for name, value in other.data.metrics.items()
        )


@pytest.mark.parametrize("chosen", [slice(None), slice(2, 9)], ids=["all runs", "seven runs"])
@pytest.mark.parametrize("together", [500, 5])
def test_a_database_and_a_server_give_the_same_points(chosen, together, made_up, monkeypatch):
    """A server's way of asking, put to the same store."""
    monkeypatch.setattr(database, "TOGETHER", together)
    runs = stored.runs(made_up.client, made_up.experiment_id)[chosen]
    ids = None if chosen == slice(None) else [run.info.run_id for run in runs]
    expected = {}
    with monkeypatch.context() as patch:
        patch.setattr(database, "is_database", lambda _: False)
        for metrics in (None, ["mnist_fid_2k"], ["loss_d", "loss_g"]):
            expected[str(metrics)] = stored.Logged(made_up.client, made_up.experiment_id, runs).of(metrics, ids)
    every = stored.runs(made_up.client, made_up.experiment_id)
    for metrics in (None, ["mnist_fid_2k"], ["loss_d", "loss_g"]):
        found = stored.Logged(made_up.client, made_up.experiment_id, every).of(metrics, ids)
        assert set(found["run_id"]) == {run.info.run_id for run in runs}
        assert set(found["metric"]) == set(metrics or ["loss_d", "loss_g", *SCORED])
        pd.testing.assert_frame_equal(found, expected[str(metrics)], check_exact=True)


def test_a_page_of_many_trials_reads_the_points_that_it_shows(made_up, monkeypatch):
    read = []
    honest = database.points
    monkeypatch.setattr(database, "points", lambda *asked: read.append(asked[2:]) or honest(*asked))
    monkeypatch.setattr(database, "TOGETHER", 5)
    loaded = results.load(made_up.uri)
    assert not read
    assert "FID against images seen" in html.render(loaded)
    assert [metrics for metrics, _ in read] == [["mnist_fid_2k"], None]


def test_results_are_of_the_runs_that_are_asked_for(made_up):
    runs = stored.runs(made_up.client, made_up.experiment_id)[2:9]
    assert sorted(results.of_runs(made_up, runs).trials["run_id"]) == sorted(run.info.run_id for run in runs)


def test_curves_of_a_server_are_asked_for_at_once_and_keep_their_order():
    """Each waits for the others of its eight, so that one after the other would never end."""
    together = threading.Barrier(stored.AT_ONCE)

    class Client:
        tracking_uri = "http://server"

        def get_metric_history(self, run_id, key):
            together.wait(30)
            time.sleep(random.random() / 100)
            return [Metric(key, float(step), 0, step) for step in (1, 2)]

    runs = [
        SimpleNamespace(info=SimpleNamespace(run_id=f"run {i}"), data=SimpleNamespace(metrics={"a": 0.0, "b": 0.0}))
        for i in range(stored.AT_ONCE)
    ]
    logged = stored.Logged(Client(), "1", runs)
    expected = [(run.info.run_id, step, key, float(step)) for run in runs for key in "ab" for step in (1, 2)]
    for _ in range(2):  # the second time they are here
        points = logged.of()[["run_id", "step", "metric", "value"]]
        assert list(points.itertuples(index=False, name=None)) == expected
    assert logged.metrics(["run 1"]) == {"a": 1, "b": 1}


class Threads:
    """An engine whose slots start one after the other."""

    work = None
    late = 0.2

    def run(self, orders, watcher, interrupts):
        with ThreadPoolExecutor(len(orders)) as pool:
            yield from pool.map(lambda order: self._one(order, watcher, interrupts), orders)

    def _one(self, order, watcher, interrupts):
        time.sleep(self.late * order.number)
        return self.work(Request(algos=""), order, watcher, interrupts)


@pytest.mark.parametrize("together", [True, False])
def test_what_is_measured_together_begins_when_the_last_is_ready(together, monkeypatch):
    events = []

    def work(*arguments, **given):
        events.append("ready")
        ended = scale.sleep(*arguments, **given)
        events.append("done")
        return ended

    _, ended = scale.timed(Threads(), work, 3, 0.0, together=together)
    assert [each.number for each in ended] == [0, 1, 2]
    assert (events == ["ready"] * 3 + ["done"] * 3) is together


def test_writers_have_their_stores_open_before_the_first_point_is_sent(monkeypatch):
    events = []
    honest = Store.add
    monkeypatch.setattr(Store, "add", lambda *arguments: events.append("open") or honest(*arguments))
    monkeypatch.setattr(Store, "add_points", lambda *_: events.append("point"))
    scale.timed(Threads(), scale.write, 2, 0.01, together=True)
    assert events[:2] == ["open", "open"]
    assert set(events[2:]) == {"point"}


def test_those_that_wait_for_one_that_never_comes_say_so(monkeypatch, tmp_path):
    monkeypatch.setattr(scale, "PATIENCE", 0.05)
    (tmp_path / "meeting").mkdir()
    meeting = scale.Meeting(str(tmp_path / "meeting"), 2)
    with pytest.raises(BenchError, match="of 2 simulated trials only 1 were begun"):
        scale.sleep(Request(algos=""), Order(0, "", "", {}), None, None, seconds=0.0, meeting=meeting)


@pytest.mark.parametrize("option", ["--slots", "--writers", "--trials"])
@pytest.mark.parametrize("text", ["1,0", "9" * 5000])
def test_counts_that_are_none_are_one_line(option, text, command):
    code, _, err = command("scale", option, text)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{option} {text[:40]}: allowed are whole numbers from 1 to 999,999" in err

"""`bench scale`: its arithmetic, its made-up stores, and what it says."""

import os
import re
import sys

import pytest

from bench import results, scale
from bench.track import Store


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
    assert re.match(r" +6 trials   \d[\d,]+ points read in [\d.]+ s .* a page of [\d.]+ MB written in", report)
    assert set(tmp_path.iterdir()) <= before
    assert "MLFLOW_TRACKING_URI" not in os.environ


@pytest.mark.parametrize("option", ["--slots", "--writers", "--trials"])
def test_counts_that_are_none_are_one_line(option, command):
    code, _, err = command("scale", option, "1,0")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{option} 1,0: allowed are whole numbers of at least 1" in err

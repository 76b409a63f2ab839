"""A run that belongs to another one is never in the store without it, whatever the store refused."""

from pathlib import Path

import pytest
from stored import client_of
from victim import CURVES

from bench import spool, sync
from bench.cli.run import _deliver as deliver
from bench.track import PARENT, Store

CLAIM = {"made_by": None, "fresh": False, "finished": lambda: None, "say": lambda text: None}


def begin():
    """A parent and a child of it, begun while the store takes nothing, and the spool that has them."""
    runs = spool.Spool(Store())
    parent = runs.start("the parent", "run")
    return runs, parent, runs.start("a child", "reference", parent)


def parent_of(writer):
    return client_of().get_run(writer.run_id).data.tags.get(PARENT)


def test_a_parent_that_the_store_did_not_take_arrives_before_its_children(gone, monkeypatch):
    gone(0)
    with pytest.warns(UserWarning, match="takes nothing"):
        runs, parent, child = begin()
    gone(10**6)
    monkeypatch.setattr(runs, "_quiet_until", 0.0)
    child.flush()
    assert parent.run_id == parent_of(child)
    child.close("FINISHED")
    parent.close("FINISHED")
    assert not Path(spool.WORK).exists()


def test_a_child_waits_for_the_parent_of_another_process(gone, monkeypatch):
    """Neither the process that trains it nor `bench sync` delivers it without."""
    gone(0)
    with pytest.warns(UserWarning, match="takes nothing"):
        _, parent, _ = begin()
    gone(10**6)
    worker = spool.Spool(Store())
    child = worker.claim("0123", "a trial", parent.id, **CLAIM)
    assert child.run_id is None
    child.close("FINISHED")
    (failure,) = [each for each in sync.sync(Store()).failures if each.startswith("a trial")]
    assert failure == "a trial: the run that it belongs to still waits for the store"
    monkeypatch.setattr(parent._spool, "_quiet_until", 0.0)
    parent.flush()
    assert "a trial" in sync.sync(Store()).delivered
    assert client_of().get_run(Store().find(child.id).info.run_id).data.tags[PARENT] == parent.run_id


def test_the_table_is_of_the_run_whose_parent_came_late(command, gone, monkeypatch):
    """The store is back before the end, but within the time in which no delivery is tried."""
    assert command(*CURVES, "--seeds", "2")[0] == 0
    gone(0)
    monkeypatch.setattr("bench.cli.run._deliver", lambda store: gone(10**6) or deliver(store))
    with pytest.warns(UserWarning, match="takes nothing"):
        code, out, err = command(*CURVES, "--steps", "50")
    assert code == 0, err
    assert "100 steps" not in out.partition("curves, protocol")[2]
    assert "does not take the report" not in err

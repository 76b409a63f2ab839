"""A checkpoint is whole or not used; two are kept; nothing in one is ever executed."""

import hashlib
import os
import pickle

import pytest
import torch

from bench.train.checkpoint import Checkpoints, Damaged


def names(folder):
    return sorted(path.name for path in folder.glob("checkpoint-*"))


@pytest.fixture
def checkpoints(tmp_path):
    kept = Checkpoints(tmp_path)
    for steps in (9, 10, 100):
        kept.save(steps, {"steps": steps, "weights": torch.full((3,), steps)})
    return kept


def steps_of(checkpoints):
    return [state if isinstance(state, Damaged) else state["steps"] for state in checkpoints.load()]


def test_the_newest_two_are_kept_newest_first(checkpoints, tmp_path):
    assert names(tmp_path) == ["checkpoint-10.pt", "checkpoint-100.pt"]
    assert steps_of(checkpoints) == [100, 10]
    assert next(checkpoints.load())["weights"].tolist() == [100, 100, 100]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_one_is_named_and_the_one_before_serves(checkpoints, tmp_path, damage):
    path = tmp_path / "checkpoint-100.pt"
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes({"cut": content[:-100], "flipped": content, "empty": b""}[damage])
    damaged, before = steps_of(checkpoints)
    assert str(damaged) == "checkpoint-100.pt is damaged or cut short"
    assert before == 10


def test_code_in_a_checkpoint_is_not_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    content = pickle.dumps(Evil(), protocol=2)
    (tmp_path / "checkpoint-1.pt").write_bytes(hashlib.sha256(content).digest() + content)
    (damaged,) = Checkpoints(tmp_path).load()
    assert str(damaged) == "checkpoint-1.pt is no checkpoint of this program"
    assert not (tmp_path / "executed").exists()


def test_a_full_disk_leaves_the_one_before_and_no_rest(checkpoints, tmp_path, full_disk):
    full_disk("checkpoint-200")
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(200, {"steps": 200})
    assert names(tmp_path) == ["checkpoint-10.pt", "checkpoint-100.pt"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02]q\x00."])
def test_what_is_no_checkpoint_though_its_digest_fits(tmp_path, content):
    (tmp_path / "checkpoint-1.pt").write_bytes(hashlib.sha256(content).digest() + content)
    (damaged,) = Checkpoints(tmp_path).load()
    assert str(damaged) == "checkpoint-1.pt is no checkpoint of this program"

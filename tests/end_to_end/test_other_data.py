"""`--data`: another set with extractors of its own, from training them to the report; nothing mixes with MNIST's."""

from __future__ import annotations

import numpy as np
import pytest
from idx import write_idx

from bench import results
from bench.features.weights import extractor_folder, extractor_hash


@pytest.fixture
def clothes(tmp_path, monkeypatch, embedded):
    """A folder that passes for Fashion-MNIST: digits upside down, 600 train and 400 test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    folder = tmp_path / "clothes"
    write_idx(folder, embedded.images[:600].flip(2), embedded.labels[:600])
    write_idx(folder, embedded.images[600:1000].flip(2), embedded.labels[600:1000], "t10k")
    return folder


def _archive(data):
    np.savez("digits.npz", data.images[:300, 0].numpy())
    return "digits.npz"


def test_without_an_extractor_one_line_says_how_to_get_it(command, clothes):
    code, _, err = command("run", "--algos", "nsgan", "--data", "fashion_mnist", "--data-dir", clothes)
    assert code == 2
    assert err.startswith("bench: error: scores on fashion_mnist need an extractor of its own")
    assert "bench features train --data fashion_mnist" in err


@pytest.mark.usefixtures("ready_store")
def test_from_the_extractors_to_the_report(command, clothes, tmp_path, embedded):
    data = ("--data", "fashion_mnist", "--data-dir", clothes)
    code, out, err = command("features", "train", *data, "--epochs", "2")
    assert code == 0, err
    own = extractor_hash(extractor_folder("fashion_mnist") / "classifier.safetensors")
    assert own in out
    code, out, err = command("run", "--algos", "nsgan", *data, "--steps", "3", "--samples", "300", "--preset", "smoke")
    assert code == 0, err
    trials = results.load().trials
    row = trials[trials["kind"] == "trial"].iloc[0]
    assert row["fid"] == row["fashion_mnist_fid_300"] > 0
    assert row["fashion_mnist_fid_second_300"] > 0
    assert row["extractor"].startswith(own)
    assert row["dataset"] == "fashion_mnist"
    assert "--data fashion_mnist" in row["command"]
    assert "real train images" in set(trials["name"])
    page = (tmp_path / "bench-report.html").read_text()
    assert "fashion_mnist" in page

    code, out, err = command("latent", row["run_id"][:8], "--data-dir", clothes)
    assert code == 0, err

    # Files of these names hold another set as well.
    others = tmp_path / "others"
    for stem, some in (("train", embedded.rows(slice(600))), ("t10k", embedded.rows(slice(600, 1000)))):
        write_idx(others, some.images.flip(3), some.labels, stem)
    mixed = ("--data", "fashion_mnist", "--data-dir", others)
    for words in (
        ("run", "--algos", "nsgan", "--preset", "smoke", "--samples", "300"),
        ("score", _archive(embedded), "--metrics", "memory"),
    ):
        code, _, err = command(*words, *mixed)
        assert code == 2
        assert "is not the train split that the extractor of fashion_mnist was made from" in err
        assert "bench features train --data fashion_mnist" in err

    # 400 test images make no KID.
    code, _, err = command("run", "--algos", "nsgan", *data, "--steps", "3", "--preset", "smoke")
    assert code == 2
    assert "kid needs 1,000 real test images, and fashion_mnist's extractor was made with 400" in err

    # MNIST's rows stand in a group of their own.
    code, _, err = command("run", "--algos", "nsgan", "--preset", "smoke", "--steps", "3", "--samples", "300")
    assert code == 0, err
    trials = results.load().trials
    assert trials[trials["kind"] == "trial"]["protocol"].nunique() == 2


def test_tasks_with_data_of_their_own_refuse_it(command):
    code, _, err = command("run", "--algos", "gan", "--data", "kmnist")
    assert code == 2
    assert "--data kmnist: the task curves has data of its own; leave --data out" in err


def test_mnists_own_extractor_is_not_overwritten(command):
    code, _, err = command("features", "train")
    assert code == 2
    assert "MNIST's extractors ship with the package; to train others name a folder with --out DIR" in err

"""A stranger's store, file or folder gives figures and pictures, never code; and no more memory than it deserves."""

import io
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save

from bench import frames
from bench.errors import BenchError
from bench.protocol import Protocol


class Evil:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def _packed(form):
    buffer = io.BytesIO()
    if form == "torch":
        torch.save({"generator": Evil()}, buffer)
    else:
        pickle.dump(Evil(), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["torch", "pickle"])
def test_weights_that_are_a_pickle_are_refused_and_not_executed(place, command, form):
    place.file.write_bytes(_packed(form))
    code, _, err = command("sample", place.run)
    assert code == 2
    assert "cannot be read" in err
    assert not Path("executed").exists()


def test_a_store_names_no_module_to_import(place, command):
    """The algorithm that the weights name is looked up among the registered ones."""
    Path("evil_gan.py").write_text("import os\nos.mkdir('executed')\n")
    place.file.write_bytes(save(place.state, place.about | {"algorithm": "evil_gan"}))
    code, _, err = command("sample", place.run)
    assert code == 2
    assert "unknown algorithm 'evil_gan'" in err
    assert not Path("executed").exists()


def test_a_module_in_the_working_directory_is_no_plugin(tmp_path):
    """Only an installed entry point is one, even where Python would find the file."""
    (tmp_path / "my_gan.py").write_text("import os\nos.mkdir('executed')\n")
    script = "import gans; gans.names()"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert not (tmp_path / "executed").exists()


def test_a_parquet_file_that_promises_too_much_is_not_unpacked(tmp_path, monkeypatch):
    """Runs of equal values take next to nothing on the disk."""
    monkeypatch.setattr(frames, "MOST_CELLS", 1_000_000)
    monkeypatch.setattr(pd, "read_parquet", lambda *_: pytest.fail("unpacked"))
    pq.write_table(pa.table({"schema": pa.array([1] * 1_000_001)}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 10_000
    with pytest.raises(BenchError, match=r"damaged: it promises 1,000,001 rows of 1 columns"):
        frames.read(tmp_path / "x.parquet")


@pytest.mark.parametrize("text", ["", "5", "[]", "{}", '{"task": 1}', "[" * 100_000])
def test_a_protocol_of_another_version_is_said(text):
    with pytest.raises(BenchError, match="that this version of bench cannot read"):
        Protocol.from_json(text)

"""The notebooks run top to bottom on a real store, and are committed without outputs."""

from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
from nbclient import NotebookClient

import reports

NOTEBOOKS = sorted(Path(reports.__file__).parent.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_are_three():
    assert [path.stem for path in NOTEBOOKS] == ["bn_on_off", "latent_space", "leaderboard"]


def test_it_is_committed_without_outputs(notebook):
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None)


def test_it_starts_by_loading_the_results(notebook):
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.source == "from bench import results\n\nframe = results.load()"


def test_it_runs_top_to_bottom_and_shows_what_it_is_about(notebook, store_uri, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_uri)
    # Each kernel would build matplotlib's list of fonts anew, and write its history into the user's home.
    monkeypatch.setenv("MPLCONFIGDIR", mpl.get_configdir())
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output.get("data", {}) for output in outputs]
    assert sum("image/svg+xml" in part or "image/png" in part for part in data) >= 2
    texts = [part["text/markdown"] for part in data if "text/markdown" in part]
    assert any("dcgan" in text for text in texts)

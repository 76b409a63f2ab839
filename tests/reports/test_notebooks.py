"""The notebooks run top to bottom, on a live store and on the exported frame beside them; none holds outputs."""

import ast
import re
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest
from nbclient import NotebookClient

import reports
from bench import results
from bench.frames import curves_path

FOLDER = Path(reports.__file__).parent
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EXAMPLE = FOLDER / "example.parquet"
OWN = "own_algorithm"
"""Trains by itself and reads no results."""
READERS = [path for path in NOTEBOOKS if path.stem != OWN]
LOAD = re.compile(r"from bench import results\n\nSOURCES = (\[.*\])\nframe = results\.load\(\*SOURCES\)")


def test_there_are_six():
    named = ["bn_on_off", "budgets", "latent_space", "leaderboard", "own_algorithm", "training_curves"]
    assert [path.stem for path in NOTEBOOKS] == named


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_committed_without_outputs_and_explains_itself(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith("# ")
    for cell in cells:
        assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None)
    assert sum(cell.cell_type == "markdown" for cell in cells) >= len(cells) / 2 - 1


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_it_starts_by_loading_results_that_are_there(path):
    """Run in its own folder, as Jupyter does in a fresh clone, it has something to show."""
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code").source
    sources = ast.literal_eval(LOAD.fullmatch(first).group(1))
    assert sources
    assert all((FOLDER / source).is_file() for source in sources)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a notebook in an empty folder; gives its pictures, Markdown and printed lines."""
    # Each kernel would build matplotlib's list of fonts anew, and write its history into the user's home.
    monkeypatch.setenv("MPLCONFIGDIR", mpl.get_configdir())
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))

    def execute(path, *sources):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if found := LOAD.fullmatch(cell.source):
                cell.source = cell.source.replace(found.group(1), str([str(source) for source in sources]))
        resources = {"metadata": {"path": tmp_path}}
        NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        data = [output.get("data", {}) for output in outputs]
        pictures = sum("image/svg+xml" in part or "image/png" in part for part in data)
        words = [part.get("text/markdown", "") + part.get("text/html", "") for part in data]
        return pictures, "\n".join(words), "".join(output.get("text", "") for output in outputs)

    return execute


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_it_shows_a_live_store(path, run, store_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store_uri)
    pictures, words, _ = run(path)
    assert pictures >= 2
    assert "dcgan" in words


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.stem)
def test_it_shows_an_exported_frame(path, run):
    pictures, words, printed = run(path, EXAMPLE)
    if path.stem == "latent_space":
        assert pictures == 0
        assert "No pictures of interpolation here. An exported file holds none" in printed
    else:
        assert pictures >= 2
        assert "lsgan" in words


def test_your_own_algorithm_is_checked_trained_and_compared(run, tmp_path):
    pictures, words, printed = run(FOLDER / f"{OWN}.ipynb")
    assert "huber_gan keeps all" in printed
    assert pictures == 4
    assert "huber\\_gan bn=off" in words
    trials = results.load(tmp_path, experiment="own_algorithm").trials
    assert set(trials.query("status == 'finished' and kind == 'trial'")["algorithm"]) == {"huber_gan", "lsgan"}


def test_the_example_is_what_it_says_and_small():
    """Three algorithms, BN on and off, three seeds, 40 steps, with curves."""
    frame = results.load(EXAMPLE)
    trials = frame.trials[frame.trials["kind"] == "trial"]
    assert trials.groupby("cell")["seed"].apply(sorted).to_dict() == {
        name: [0, 1, 2] for name in ("dcgan bn=on", "dcgan bn=off", "lsgan bn=on", "lsgan bn=off", "wgan_gp bn=off")
    }
    assert list(frame.trials.query("kind == 'skip'")["cell"]) == ["wgan_gp bn=on"]
    assert set(trials["budget"]) == {"40 steps"}
    assert set(frame.curves["run_id"]) >= set(trials["run_id"])
    assert EXAMPLE.stat().st_size + curves_path(EXAMPLE).stat().st_size < 200_000

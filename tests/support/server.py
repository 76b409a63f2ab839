"""An `mlflow server` on loopback that can be stopped and started again where it was."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request


class Server:
    """Serves a store in `folder` under `uri` while it is entered."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        log = self.folder / "log.txt"
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *options],
                cwd=self.folder, stdout=file, stderr=file, start_new_session=True,
            )  # fmt: skip
        while True:
            assert self.process.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.2)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()

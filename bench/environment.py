"""This machine and this code: device, versions, commit. What a number needs beside it to be believed later."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import inspect
import io
import itertools
import platform
import re
import subprocess
import sys
import tokenize
from pathlib import Path

import torch
from packaging.requirements import Requirement

import bench
from bench.errors import BenchError
from bench.precision import multiply_in

DEVICES = ("auto", "cpu", "cuda", "mps")
_PACKAGES = ("torchvision", "torch-fidelity", "mlflow", "numpy", "pandas")


def pick_device(name: str) -> torch.device:
    """The device called `name`; 'auto' is CUDA, else Apple's MPS, else the CPU. BenchError when it is not here."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if here[kind])
    if name not in here:
        raise BenchError(f"--device {name}: allowed is {', '.join(DEVICES)}")
    if not here[name]:
        raise BenchError(f"--device {name}: no such device here; use --device auto or cpu")
    if name == "cuda":
        multiply_in("fp32")  # unless --precision asks for less
    return torch.device(name)


def device_name(device: torch.device) -> str:
    """The device in words, with the number of threads on a CPU."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads, {platform.machine()})"
    return device.type


def versions() -> dict[str, str]:
    """Versions of everything that can move a number."""
    # torch's own word tells the build too (+cu130, +cpu), which its metadata does not.
    found = {"bench": bench.__version__, "python": platform.python_version(), "torch": torch.__version__}
    return found | {package: importlib.metadata.version(package) for package in _PACKAGES}


def _what_runs(source: str) -> str:
    """Python source without comments, texts that stand alone, and layout: what can change a number."""
    prose = (tokenize.COMMENT, tokenize.NL)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in prose]
    starts = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    kept, before = [], tokenize.NEWLINE
    for token, after in itertools.pairwise(tokens):
        alone = token.type == tokenize.STRING and before in starts and after.type == tokenize.NEWLINE
        if not alone:
            kept.append(token.string if token.string.strip() else tokenize.tok_name[token.type])
        before = token.type
    # Without spaces, for Python 3.12 splits f-strings into tokens and 3.11 does not.
    return "".join("".join(kept).split())


def code(algorithm: type) -> str:
    """Eight hex digits of what runs of an algorithm and of those that it builds on, not of what all share."""
    own = algorithm.__module__.partition(".")[0]
    modules = dict.fromkeys(base.__module__ for base in algorithm.__mro__)
    files = [m for m in modules if m.partition(".")[0] in ("gans", own) and not re.fullmatch(r"gans\.\w+", m)]
    sources = []
    for name in files:
        with contextlib.suppress(OSError, TypeError):  # there may be no file, as in an interactive session
            sources.append(_what_runs(inspect.getsource(sys.modules[name])))
    return hashlib.sha256("".join(sources).encode()).hexdigest()[:8]


def unmet() -> list[str]:
    """What the package asks for and this environment has not, in words."""
    short = []
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # run from its source
        for text in importlib.metadata.requires("gan-bench") or []:
            asked = Requirement(text)
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                found = importlib.metadata.version(asked.name)
                if found not in asked.specifier:
                    short.append(f"{text} ({found} is installed)")
    return short


def commit() -> str:
    """The git commit of this source, '+' behind it when it was changed; empty for an installed package."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)

    try:
        # A virtual environment inside someone's repository is not that repository's code.
        if git("ls-files", "--error-unmatch", Path(__file__).name).returncode:
            return ""
        changed = git("status", "--porcelain", "--untracked-files=no").stdout.strip()
        return git("rev-parse", "--short=12", "HEAD").stdout.strip() + ("+" if changed else "")
    except OSError:  # no git on this machine
        return ""

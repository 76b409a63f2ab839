"""Weights on disk: writes and reads the classifier's safetensors file, and names it by its hash.

Takes paths, gives bytes, a frozen classifier or a hash. Knows neither training nor scoring.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bench.errors import BenchError
from bench.features.classifier import Classifier

FOLDER = Path(__file__).parent
WEIGHTS = "mnist_classifier.safetensors"
RETRAIN = "reinstall the package, or write it anew with 'bench features train'"


def pack(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> bytes:
    """safetensors bytes that depend on the content only.

    safetensors writes metadata in the order of a hash map, which changes from process to process.
    """
    dense = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    content: bytes = save(dense, metadata={"bench": json.dumps(dict(about), sort_keys=True)})
    return content


def unpack(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file that `pack` made, and what was said about them."""
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("bench", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118 (not a dict)
    except FileNotFoundError as error:
        raise BenchError(f"{path} is missing: {RETRAIN}") from error
    except (OSError, SafetensorError, ValueError) as error:
        raise BenchError(f"{path} is not a readable safetensors file: {RETRAIN}") from error


def file_hash(path: Path) -> str:
    """12 hex digits of the sha256 of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:12]
    except OSError as error:
        raise BenchError(f"cannot read {path} ({error.strerror})") from error


def extractor_hash(path: Path = FOLDER / WEIGHTS) -> str:
    """Names the feature space: numbers of different extractors never share a table."""
    return file_hash(path)


def load_classifier(device: torch.device, path: Path = FOLDER / WEIGHTS) -> Classifier:
    """The classifier in eval mode, without gradients; channels last, which is 1.6 times faster on a CPU."""
    tensors, _ = unpack(path)
    classifier = Classifier()
    try:
        classifier.load_state_dict(tensors)
    except RuntimeError as error:
        raise BenchError(f"{path} does not hold the weights of the MNIST classifier: {RETRAIN}") from error
    classifier.eval().requires_grad_(False)
    classifier.to(memory_format=torch.channels_last)
    return classifier.to(device)

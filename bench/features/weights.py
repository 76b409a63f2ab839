"""Weights on disk: where extractors lie, how their safetensors files are written and read, and what names them.

Takes paths, gives bytes, a frozen classifier or a hash. Knows neither training nor scoring. An extractor's folder
holds weights, the reference statistics of real images, and a model card; below it, in `SECOND_FOLDER`, the same of the
second extractor. MNIST's is in this package, those of other data sets are trained by the user.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bench.errors import BenchError
from bench.features.classifier import MAIN, NETWORKS, Classifier, fused

FOLDER = Path(__file__).parent / "mnist"
WEIGHTS = "classifier.safetensors"
SECOND_FOLDER = "second"
RETRAIN = "reinstall the package, or write it anew with 'bench features train'"


def extractor_folder(data: str) -> Path:
    """Where the extractor of a data set lies, whether it is there or not."""
    return FOLDER if data == "mnist" else platformdirs.user_data_path("bench") / "extractors" / data


def find_extractor(data: str) -> Path:
    """The folder of a data set's extractor; BenchError where none was trained yet."""
    folder = extractor_folder(data)
    if not (folder / WEIGHTS).is_file():
        raise BenchError(
            f"scores on {data} need an extractor of its own, and {folder} holds none; "
            f"train it once, in some minutes, with: bench features train --data {data}"
        )
    return folder


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
    tensors, about = unpack(path)
    try:
        classifier = NETWORKS[about.get("architecture", MAIN)]()
        classifier.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        raise BenchError(f"{path} does not hold the weights of one of this package's classifiers: {RETRAIN}") from error
    classifier = fused(classifier).requires_grad_(False)
    classifier.to(memory_format=torch.channels_last)
    return classifier.to(device)

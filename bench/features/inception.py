"""ImageNet's Inception as a second feature space, where its weights can be had: torch-fidelity's extractor.

Takes a weights file and the real test images, gives FID, IS and KID of grey images. Weak on MNIST
(digits are no photographs: it tells blur and noise apart worse than a digit classifier does); it is here because
published figures, those of Lucic et al. 2018 (arXiv:1711.10337) among them, are of this kind and of no other. Its
numbers never mix with those of the classifiers.
"""

from __future__ import annotations

import logging
import socket
from functools import cached_property
from http.client import HTTPException
from pathlib import Path

import platformdirs
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from bench.data import fingerprint
from bench.errors import BenchError
from bench.features.extractor import Space
from bench.features.metrics import KID_SUBSET_SIZE, Statistics, fid, inception_score, kid, statistics
from bench.features.weights import file_hash, pack, unpack
from bench.files import save

NAME = "inception-v3-compat"
DOWNLOAD = "download"
FILE: str = URL_INCEPTION_V3.rsplit("/", 1)[1]
HOW_TO_GET = f"--inception-weights FILE ({FILE}, from {URL_INCEPTION_V3}) or --inception-weights {DOWNLOAD}"
# The defaults of torch-fidelity (`get_default_feature_layer_for_metric`), which published figures use.
FEATURES_LAYER, LOGITS_LAYER = "2048", "logits_unbiased"
# An image is 299 x 299 x 3 inside: more of them at once are slower on a CPU.
BATCH_SIZE = 50
TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


class Inception:
    """The space and what it says of the real test images."""

    def __init__(self, weights: Path | str, real_test: Tensor, device: torch.device) -> None:
        if str(weights) == DOWNLOAD:
            path, remedy = _downloaded(), "delete it and download again"
        else:
            path, remedy = Path(weights), f"give {HOW_TO_GET}"
        self.hash = file_hash(path)
        extractor = _load(path, remedy).to(device)
        self.space = Space(extractor, FEATURES_LAYER, LOGITS_LAYER, device, BATCH_SIZE)
        self._real_test = real_test

    def extract(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 [N, 1, 28, 28] -> features [N, 2048], logits [N, 1008]; the network wants three channels."""
        return self.space.extract(images.expand(-1, 3, -1, -1))

    def scores(self, images: Tensor) -> dict[str, float]:
        """FID and IS of uint8 [N, 1, 28, 28], and KID with its interval where there are images enough for it."""
        features, logits = self.extract(images)
        found = {"fid": fid(statistics(features), self._real_statistics), "is": inception_score(logits)}
        if min(len(images), len(self._real_test)) >= KID_SUBSET_SIZE:
            found |= kid(features, self.real)
        return found

    @cached_property
    def real(self) -> Tensor:
        """Features float32 [N, 2048] of the test images, kept in the user's cache: 10,000 take many minutes on a CPU.

        The cache's name is the hash of all that went in, so that nothing stale can be read from it.
        """
        cached = platformdirs.user_cache_path("bench") / "inception" / f"{self.hash}-{fingerprint(self._real_test)}"
        path = cached.with_name(f"{cached.name}.safetensors")
        features = _read(path)
        if features is None:
            features = self.extract(self._real_test)[0].float()
            _keep(path, features)
        return features

    @cached_property
    def _real_statistics(self) -> Statistics:
        return statistics(self.real.double())


def _load(path: Path, remedy: str) -> FeatureExtractorInceptionV3:
    problem = f"{path} does not hold torch-fidelity's Inception weights; {remedy}"
    layers = [FEATURES_LAYER, LOGITS_LAYER]
    try:
        # torch-fidelity unpickles whatever the file says; this refuses anything but tensors before it does.
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load promises no set of exceptions for a file of another kind
        raise BenchError(problem) from error
    try:
        return FeatureExtractorInceptionV3(NAME, layers, feature_extractor_weights_path=str(path))
    except (RuntimeError, TypeError, AttributeError) as error:
        raise BenchError(problem) from error


def _downloaded() -> Path:
    """The file where torch-fidelity itself keeps it, fetched when it is not there yet."""
    path = Path(str(torch.hub.get_dir())) / "checkpoints" / FILE
    if path.is_file():
        return path
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_S)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), progress=False)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise BenchError(f"cannot download {URL_INCEPTION_V3} ({reason}); give --inception-weights FILE") from error
    finally:
        socket.setdefaulttimeout(before)
    return path


def _read(cached: Path) -> Tensor | None:
    if not cached.is_file():
        return None
    try:
        return unpack(cached)[0]["features"]
    except (BenchError, KeyError):
        log.warning("%s is broken: the features of the real images are computed again", cached)
        return None


def _keep(cached: Path, features: Tensor) -> None:
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        save(cached, pack({"features": features}, {}))
    except (BenchError, OSError) as error:
        log.warning("the features of the real images are not kept: %s", error)

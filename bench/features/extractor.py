"""torch-fidelity's view of a network: registers the classifiers, runs any extractor over images once.

Takes uint8 images, gives features and logits as float64 on the CPU. Knows no metric.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch_fidelity import FeatureExtractorBase, register_feature_extractor
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
from torch_fidelity.utils import get_featuresdict_from_dataset

from bench.data import to_unit
from bench.features.weights import FOLDER, WEIGHTS, extractor_hash, load_classifier

FEATURES_LAYER, LOGITS_LAYER = "features", "logits"


class ClassifierExtractor(FeatureExtractorBase):  # type: ignore[misc]
    """A classifier as torch-fidelity wants it: uint8 in, a tuple of 2-d tensors out."""

    def __init__(
        self, name: str, features_list: list[str], feature_extractor_weights_path: str | None = None, **_: Any
    ) -> None:
        super().__init__(name, features_list)
        path = Path(feature_extractor_weights_path or FOLDER / WEIGHTS)
        # torch-fidelity keys its caches by this name: with other weights it would be served stale features.
        if name != (expected := extractor_name(path)):
            raise ValueError(f"extractor {name!r} does not fit the weights of {expected!r} in {path}")
        self.classifier = load_classifier(torch.device("cpu"), path)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return FEATURES_LAYER, LOGITS_LAYER

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return LOGITS_LAYER if metric == "isc" else FEATURES_LAYER

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        if images.dtype != torch.uint8 or images.shape[1:] != (1, 28, 28):
            raise ValueError(f"images must be uint8 [N, 1, 28, 28], not {images.dtype} {list(images.shape)}")
        features, logits = self.classifier(to_unit(images))
        layers = {FEATURES_LAYER: features, LOGITS_LAYER: logits}
        # The caller's list comes from a set: its order changes between processes.
        return tuple(layers[layer] for layer in self.features_list)


def extractor_name(path: Path = FOLDER / WEIGHTS) -> str:
    return f"bench-{extractor_hash(path)}"


def register_extractor(path: Path = FOLDER / WEIGHTS) -> str:
    """Makes the extractor known to torch-fidelity (once: it refuses a second time) and returns its name."""
    name = extractor_name(path)
    if name not in FEATURE_EXTRACTORS_REGISTRY:
        register_feature_extractor(name, ClassifierExtractor)
    return name


class Images(Dataset[Tensor]):
    """Bare tensors, which torch-fidelity demands (TensorDataset gives tuples)."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


@dataclass(frozen=True)
class Space:
    """A frozen network on a device, and the two of its layers that metrics are made from."""

    extractor: FeatureExtractorBase
    features_layer: str
    logits_layer: str
    device: torch.device
    batch_size: int

    def extract(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """uint8 [N, C, H, W] -> features [N, F], logits [N, K], both float64 on the CPU.

        float64 because a mean of 10,000 float32 rows depends on their order.
        The images move to the device first and torch-fidelity is told `cuda=False`: so any device works.
        """
        # A DataLoader draws from the global generator: scoring during training would change the training.
        with torch.random.fork_rng(devices=[]):
            layers = get_featuresdict_from_dataset(
                Images(images.to(self.device)),
                self.extractor,
                self.batch_size,
                cuda=False,
                save_cpu_ram=True,
                verbose=False,
            )
        return layers[self.features_layer].double(), layers[self.logits_layer].double()


def classifier_space(device: torch.device, path: Path = FOLDER / WEIGHTS, batch_size: int = 200) -> Space:
    name = register_extractor(path)
    extractor = ClassifierExtractor(name, [FEATURES_LAYER, LOGITS_LAYER], str(path)).to(device)
    return Space(extractor, FEATURES_LAYER, LOGITS_LAYER, device, batch_size)

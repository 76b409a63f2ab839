"""What torch-fidelity sees of the classifier."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from bench.data import Dataset, to_unit
from bench.features import extractor_hash, load_classifier
from bench.features.classifier import NETWORKS, fused
from bench.features.extractor import (
    ClassifierExtractor,
    Space,
    classifier_space,
    extractor_name,
    register_extractor,
)
from bench.features.weights import FOLDER, WEIGHTS

CPU = torch.device("cpu")


def test_the_registered_name_holds_the_hash_of_the_weights() -> None:
    name = register_extractor()
    assert extractor_hash() in name
    assert FEATURE_EXTRACTORS_REGISTRY[name] is ClassifierExtractor
    assert register_extractor() == name, "a second registration must be harmless"


def test_a_name_of_other_weights_is_refused() -> None:
    """torch-fidelity's caches are keyed by name only: this name would be served features of other weights."""
    with pytest.raises(ValueError, match="does not fit"):
        ClassifierExtractor("bench-000000000000", ["features"])


@pytest.mark.parametrize("layers", [["features", "logits"], ["logits", "features"], ["logits"]])
def test_layers_come_in_the_order_that_was_asked_for(layers: list[str], embedded: Dataset) -> None:
    """torch-fidelity makes the list from a set, whose order changes between processes."""
    extractor = ClassifierExtractor(extractor_name(), layers)
    widths = [value.shape[1] for value in extractor(embedded.images[:3])]
    assert widths == [{"features": 128, "logits": 10}[layer] for layer in layers]


def test_features_and_logits_are_the_classifiers(space: Space, embedded: Dataset) -> None:
    features, logits = space.extract(embedded.images[:700])
    with torch.inference_mode():
        expected = load_classifier(CPU)(to_unit(embedded.images[:700]))
    assert features.dtype == logits.dtype == torch.float64
    # Batches of 500 + 200 against one of 700: float32 sums in another order.
    torch.testing.assert_close(features, expected[0].double(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits, expected[1].double(), rtol=1e-4, atol=1e-4)


def test_extraction_keeps_the_order_of_images_and_leaves_no_gradient(embedded: Dataset) -> None:
    few = classifier_space(CPU, batch_size=7).extract(embedded.images[:20])[0]
    turned = classifier_space(CPU, batch_size=20).extract(embedded.images[:20].flip(0))[0].flip(0)
    torch.testing.assert_close(few, turned, rtol=1e-4, atol=1e-4)
    assert not few.requires_grad


@pytest.mark.parametrize(
    "images",
    [torch.zeros(2, 1, 28, 28), torch.zeros(2, 3, 28, 28, dtype=torch.uint8), torch.zeros(2, 28, 28).byte()],
)
def test_anything_but_uint8_digits_is_refused(images: torch.Tensor, space: Space) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \[N, 1, 28, 28\]"):
        space.extractor(images)


def test_the_classifier_is_frozen() -> None:
    classifier = load_classifier(CPU)
    assert not classifier.training
    assert not any(weight.requires_grad for weight in classifier.parameters())


def test_weights_can_lie_anywhere(tmp_path: Path, embedded: Dataset, space: Space) -> None:
    copy = tmp_path / WEIGHTS
    copy.write_bytes((FOLDER / WEIGHTS).read_bytes())
    there = classifier_space(CPU, copy).extract(embedded.images[:10])[0]
    torch.testing.assert_close(there, space.extract(embedded.images[:10])[0], rtol=0, atol=0)


@pytest.mark.parametrize("architecture", NETWORKS)
def test_folding_batch_norm_changes_no_feature(architecture: str, embedded: Dataset) -> None:
    torch.manual_seed(0)
    whole = NETWORKS[architecture]()
    images = to_unit(embedded.images[:64])
    whole(images)  # else the running statistics are 0 and 1, which fold into nothing
    whole.eval()
    with torch.inference_mode():
        expected = whole(images)
        assert not any(isinstance(layer, nn.BatchNorm2d) for layer in fused(whole).modules())
        for found, before in zip(whole(images), expected, strict=True):
            torch.testing.assert_close(found, before, rtol=1e-5, atol=1e-5)

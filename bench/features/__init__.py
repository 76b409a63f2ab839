"""The frozen feature extractor: an MNIST classifier, shipped with what it says of the real digits.

Takes uint8 images, gives features, logits and the reference statistics of the real images. Knows nothing of
GANs, trials or stores. Every number made from it carries `extractor_hash()`.
"""

from __future__ import annotations

from bench.features.classifier import Classifier
from bench.features.weights import FOLDER, extractor_hash, load_classifier

__all__ = ["FOLDER", "Classifier", "extractor_hash", "load_classifier"]

"""The model card: says in words what the shipped weights are. Takes measured values, gives Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.features.classifier import MAIN

CARD = "MODEL_CARD.md"

# Written with the weights by `bench features train`: a card edited by hand would claim what nobody measured.
_TEMPLATE = """\
# Feature extractor {extractor} of {data}

A small convolutional classifier. Its {features}-d penultimate features (after ReLU) are the space of {role},
scaled so that their variance over real training images is 1 on average. Every number made with it belongs to
this hash and is comparable with no other.

| | |
|---|---|
| architecture | {architecture} |
| weights | `classifier.safetensors`, float32, {parameters:,} parameters |
| hash | {extractor} (first 12 hex digits of the sha256 of that file) |
| trained on | {train_images:,} training images, data fingerprint {train_fingerprint} |
| tested on | {test_images:,} test images, data fingerprint {test_fingerprint} |
| test accuracy | {accuracy:.2%} |
| real train against test | FID {floor_fid:.3f}, IS {floor_is:.3f} ({train_subset}) |
| IS of the test images | {test_is:.3f} |
| command | `OMP_NUM_THREADS={threads} bench features train {arguments}` |
| recipe | AdamW, one cycle to {learning_rate}, batch {batch_size}, weight decay {weight_decay}, float32 |
| augmentation | rotation to {degrees:g} degrees, scale to {scale:.0%}, shift to {shift:g} pixels |
| seed, epochs | {seed}, {epochs} |
| torch, threads, date | {torch}, {threads}, {date} |
| training time | {train_seconds:.0f} s |

- **Selection.** The number of epochs is fixed beforehand and the last weights are kept: no checkpoint was
  chosen by its accuracy on test images, which is measured once, after training.
- **Reproducible.** The same seed, data, torch version, machine and number of threads give the same bytes.
  Elsewhere rounding differs, and with it the hash: then it is another extractor, though an equally good one.
- **Reference.** `reference.safetensors` holds mean and covariance (float64) of the features, and the logits,
  of all test images and of {train_subset}. It is refused when its extractor hash is not
  that of the weights beside it.
- **Meant for** comparing generators of such images with each other. Not a reader of images from elsewhere: pure
  noise is classified with great confidence, so confidence is no sign of quality.
- **Licence.** The package's. The images that it was trained on are not part of it, only statistics of them.
"""


def model_card(measured: Mapping[str, Any]) -> str:
    """The card of what `bench.features.train` measured."""
    main = measured["architecture"] == MAIN
    role = f"every metric but `{measured['data']}_fid_second_*`" if main else f"`{measured['data']}_fid_second_*` alone"
    # The command trains both, the second one from the next seed.
    seed = measured["seed"] - (0 if main else 1)
    arguments = f"--data {measured['data']} --data-dir DIR --epochs {measured['epochs']} --seed {seed}"
    return _TEMPLATE.format(**measured, role=role, arguments=arguments)

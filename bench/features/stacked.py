"""Scores images of three digits: the modes that occur, how unevenly, and FID of each channel.

Takes samples, gives numbers whose names carry task and sample count. Knows nothing of GANs, trials or stores.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.defaults import MODES
from bench.errors import BenchError
from bench.features.classes import histogram_divergence, shares
from bench.features.extractor import classifier_space
from bench.features.metrics import fid, statistics
from bench.features.reference import load_reference
from bench.protocol import MIN_SAMPLES, metric_name
from bench.samples import Samples
from bench.yardstick import Yardstick


class StackedYardstick(Yardstick):
    """One frozen yardstick of images uint8 [N, 3, 28, 28]."""

    def __init__(self, device: torch.device) -> None:
        self._space = classifier_space(device)
        self._reference = load_reference()
        self.extractor_hash = self._reference.extractor

    def judge(self, samples: Samples, *, final: bool = True) -> dict[str, float]:
        """`modes`: combinations of digits that the classifier reads in at least one sample, of 1,000.

        `kl`: KL of their shares to equal ones, in nats, as published. N samples add about (1,000 - 1) / 2N, 0.019 for
        26,000, and the unequal digits of MNIST 0.004, which the row of real triples shows. `fid`: the mean over the
        channels of each one's FID to the test digits.
        """
        return self._score(samples.images)

    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """The scores of n real triples; {} where there are fewer."""
        return self._score(images[:n]) if len(images) >= n else {}

    def _score(self, images: Tensor) -> dict[str, float]:
        if len(images) < MIN_SAMPLES:
            raise BenchError(
                f"{len(images):,} images are too few to score; give {MIN_SAMPLES} or more (26,000 as published)"
            )
        features, logits = self._space.extract(images.reshape(-1, 1, *images.shape[2:]))
        digits = logits.argmax(1).view(-1, 3)
        found = shares((digits * torch.tensor([100, 10, 1])).sum(1), MODES)
        distances = [
            fid(statistics(part), self._reference.test.statistics)
            for part in features.view(-1, 3, features.shape[1]).unbind(1)
        ]
        scores = {
            "fid": sum(distances) / len(distances),
            "modes": float((found > 0).sum()),
            "kl": histogram_divergence(found, torch.full((MODES,), 1 / MODES, dtype=torch.float64)),
        }
        return {metric_name(name, len(images), "stacked"): value for name, value in scores.items()}

"""Scores images that were made from images: FID, what the classifier reads, and how near they are to their targets.

Takes samples, gives numbers whose names carry the task and the sample count. Knows nothing of GANs, trials or stores.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.data import to_uint8
from bench.features.extractor import classifier_space
from bench.features.metrics import Statistics, accuracy, fid, statistics
from bench.features.reference import load_reference
from bench.features.restored import absolute_error, hole_error, psnr, ssim
from bench.protocol import REFERENCE_SAMPLES, metric_name
from bench.samples import Samples
from bench.yardstick import Yardstick


class ImageYardstick(Yardstick):
    """One frozen yardstick; `kinds`, source and image, are digits where these are not paired."""

    def __init__(self, device: torch.device, prefix: str, kinds: tuple[int, int] | None = None) -> None:
        self._space = classifier_space(device)
        self._reference = load_reference()
        self.extractor_hash = self._reference.extractor
        self._prefix = prefix
        self.kinds = kinds

    def _real(self, digit: int | None) -> Statistics:
        """Statistics of the test images, or of one digit of them."""
        return self._reference.test.statistics if digit is None else self._reference.test.classes[digit]

    def _read(self, images: Tensor, wanted: Tensor, digit: int | None) -> dict[str, float]:
        features, logits = self._space.extract(images)
        return {"fid": fid(statistics(features), self._real(digit)), "accuracy": accuracy(logits, wanted)}

    def judge(self, samples: Samples, *, final: bool = True) -> dict[str, float]:
        """FID and the share that reads as the target; where images are paired PSNR, SSIM and the error in the hole.

        Where they are not: the same two of the way back, and the absolute error of the cycle.
        """
        images, asked = samples.images, samples.asked
        assert asked is not None and asked.source is not None
        source, image = self.kinds or (None, None)
        scores = self._read(images, asked.labels, image)
        if self.kinds is None:
            targets = to_uint8(asked.images)
            scores |= {"psnr": psnr(images, targets), "ssim": ssim(images, targets)}
            if asked.known is not None:
                scores["hole_l1"] = hole_error(images, targets, asked.known)
        elif samples.back is not None and samples.cycled is not None and source is not None:
            back = self._read(samples.back, torch.full_like(asked.labels, source), source)
            scores |= {f"back_{name}": value for name, value in back.items()}
            scores["cycle_l1"] = absolute_error(samples.cycled, to_uint8(asked.source))
        return {metric_name(name, len(images), self._prefix): value for name, value in scores.items()}

    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """The FID of n real training images, of 10,000 digits by the shipped statistics; {} where there are fewer."""
        name = metric_name("fid", n, self._prefix)
        if self.kinds is None and n == REFERENCE_SAMPLES:
            return {name: fid(self._reference.train.statistics, self._reference.test.statistics)}
        if len(images) < n:
            return {}
        features, _ = self._space.extract(images[:n])
        return {name: fid(statistics(features), self._real(self.kinds[1] if self.kinds else None))}

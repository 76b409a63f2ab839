"""Scores generated images: FID and IS by torch-fidelity, from features that are extracted once.

Takes uint8 images, gives numbers whose names carry extractor, metric and sample count. Generated images come
first, real ones second. Knows nothing of GANs, trials or stores.

Conventions: FID against the data set's test images; IS over 10 parts of the images, shuffled with a fixed
seed. Both are biased when images are few, hence the count in the name. The order of images moves no score, and
batch size moves it by less than 1e-4 of itself (rounding).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from bench.errors import BenchError
from bench.features.extractor import classifier_space
from bench.features.inception import HOW_TO_GET, Inception
from bench.features.memorisation import Memory
from bench.features.metrics import accuracy, cluster_accuracy, fid, inception_score, intra_fid, statistics
from bench.features.reference import load_reference
from bench.features.second import Second
from bench.features.weights import SECOND_FOLDER, WEIGHTS, find_extractor
from bench.metrics import METRICS, Metric, Scored, choose, left_out
from bench.protocol import MIN_SAMPLES, REFERENCE_SAMPLES, metric_name
from bench.samples import Samples
from bench.yardstick import Yardstick

DURING = (METRICS["fid"], METRICS["is"])
"""What is scored while a trial trains."""


class Evaluator(Yardstick):
    """One frozen yardstick for all trials of a run.

    `metrics` are those to compute, some of which need a `memory` of the training images; by default the usual ones.
    `inception_weights` is a file, or "download". `real_test` (uint8 [N, 1, 28, 28]) is needed by Inception
    only: what the extractors say of the test images lies beside them. `data` names the data set, whose extractors these
    are and whose name every metric but Inception's carries. BenchError where it has none yet, or where these were
    made from fewer real images than one of `metrics` needs. With `validation` (uint8
    [N, 1, 28, 28]) FID against these images is scored during training too.
    """

    def __init__(
        self,
        device: torch.device,
        inception_weights: Path | str | None = None,
        real_test: Tensor | None = None,
        *,
        data: str = "mnist",
        metrics: Sequence[Metric] | None = None,
        memory: Memory | None = None,
        validation: Tensor | None = None,
        batch_size: int = 200,
    ) -> None:
        self.metrics = choose(None, REFERENCE_SAMPLES) if metrics is None else tuple(metrics)
        self._data = data
        self.memory = memory
        folder = find_extractor(data)
        self._space = classifier_space(device, folder / WEIGHTS, batch_size)
        self._reference = load_reference(folder)
        self._validation = None if validation is None else statistics(self._space.extract(validation)[0])
        self._check_real()
        self._second = Second(device, folder / SECOND_FOLDER, batch_size)
        self.extractor_hash = f"{self._reference.extractor}+{self._second.hash}"
        self._inception: Inception | None = None
        if inception_weights is None:
            self.notice = f"inception_fid and inception_is are left out; to get them give {HOW_TO_GET}"
        elif real_test is None:
            self.notice = (
                "inception_fid and inception_is are left out: they need the real test images, which are not "
                "at hand; give --data-dir DIR"
            )
        else:
            check_images(real_test)
            self._inception = Inception(inception_weights, real_test, device)
            self.inception_hash = self._inception.hash

    def _check_real(self) -> None:
        real = len(self._reference.test.logits)
        short = [metric for metric in self.metrics if metric.least_real > real]
        if short:
            needs = ", ".join(f"{metric.name} needs {metric.least_real:,}" for metric in short)
            raise BenchError(
                f"{needs} real test images, and {self._data}'s extractor was made with {real:,}; train it on the whole "
                "set, or name other --metrics"
            )

    def scored(self, images: Tensor) -> Scored:
        """What metrics read of uint8 images [N, 1, 28, 28]: their features, beside the real ones."""
        features, logits = self._space.extract(images)
        return Scored(images, features, logits, self._reference.test, self._second, self.memory)

    def score(
        self,
        images: Tensor,
        *,
        labels: Tensor | None = None,
        clusters: Tensor | None = None,
        metrics: Sequence[Metric] | None = None,
        inception: bool = True,
        validate: bool = False,
    ) -> dict[str, float]:
        """Scores of uint8 images [N, 1, 28, 28]; `inception=False` leaves the slow network out, `validate` adds FID
        against the validation images where there are such.

        `metrics` are those to compute, by default what the evaluator was made with, as far as N allows. `labels` int64
        [N] are the digits that were asked for: they add the share that the classifier reads so, and the FID of each
        digit by itself where there are enough images. `clusters` [N] are classes that an algorithm found.
        """
        check_images(images)
        n = len(images)
        scored = self.scored(images)
        found: dict[str, float] = {}
        for metric in self.metrics if metrics is None else metrics:
            if n >= metric.least:
                found |= metric.compute(scored)
        if validate and self._validation is not None:
            found["validation_fid"] = fid(scored.statistics, self._validation)
        if labels is not None:
            found["accuracy"] = accuracy(scored.logits, labels)
            if labels.bincount(minlength=len(self._reference.test.classes)).min() >= MIN_SAMPLES:
                found["intra_fid"] = intra_fid(scored.features, labels, self._reference.test.classes)
        if clusters is not None:
            found["cluster_accuracy"] = cluster_accuracy(scored.logits, clusters)
        scores = {metric_name(name, n, self._data): value for name, value in found.items()}
        if inception and self._inception is not None:
            of_inception = self._inception.scores(images)
            scores |= {metric_name(name, n, "inception"): value for name, value in of_inception.items()}
        return scores

    def judge(self, samples: Samples, *, final: bool = True) -> dict[str, float]:
        """The scores of samples, with all that belongs to them; during training FID and IS of the classifier alone."""
        return self.score(
            samples.images,
            labels=samples.labels,
            clusters=samples.clusters,
            metrics=None if final else DURING,
            inception=final,
            validate=not final,
        )

    def read(self, images: Tensor) -> Tensor:
        """The classes that the classifier reads: uint8 [N, 1, 28, 28] -> int64 [N]."""
        classes: Tensor = self._space.extract(images)[1].argmax(1)
        return classes

    def read_by_both(self, images: Tensor) -> dict[str, Tensor]:
        """What the "first" extractor and the "second" one read."""
        return {"first": self.read(images), "second": self._second.read(images)}

    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """Scores of `n` real training digits, without those that look for copies of training images.

        Where there are fewer, FID and IS of 10,000 by the shipped statistics, {} for other numbers.
        """
        if len(images) >= n:
            metrics = [metric for metric in self.metrics if not metric.of_copies]
            return self.score(images[:n], metrics=metrics, inception=False)
        return self.reference_real() if n == REFERENCE_SAMPLES else {}

    def reference_real(self) -> dict[str, float]:
        """10,000 real training digits scored like generated ones, by shipped statistics: the floor of FID."""
        floor, test = self._reference.train, self._reference.test
        n = len(floor.logits)
        return {
            metric_name("fid", n, self._data): fid(floor.statistics, test.statistics),
            metric_name("is", n, self._data): inception_score(floor.logits),
        }

    def left_out(self, n: int) -> str:
        return left_out(n)


def check_images(images: Tensor) -> None:
    """Refuses what would give a number that means something else."""
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1:] != (1, 28, 28):
        raise BenchError(
            f"images of {str(images.dtype).removeprefix('torch.')} {list(images.shape)} cannot be scored; "
            "allowed is uint8 [N, 1, 28, 28] with values 0..255"
        )
    if len(images) < MIN_SAMPLES:
        raise BenchError(
            f"{len(images):,} images are too few to score; give {MIN_SAMPLES} or more "
            f"({REFERENCE_SAMPLES:,} for figures that compare with reports)"
        )

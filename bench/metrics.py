"""The metrics by name: what each needs, what it gives and how it is biased. `bench run --metrics` chooses among them.

A metric reads `Scored`, a set of images whose features were extracted once, and gives numbers by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from bench.errors import BenchError
from bench.features import classes, neighbours
from bench.features.memorisation import Memory
from bench.features.metrics import Statistics, fid, fid_infinity, inception_score, kid, statistics
from bench.features.reference import Real
from bench.features.second import Second

__all__ = ["DEFAULT", "METRICS", "Metric", "Scored", "choose", "left_out"]


@dataclass(frozen=True)
class Scored:
    """Generated images as every metric sees them, beside the real ones they are compared with."""

    images: Tensor
    features: Tensor
    """float64 [N, F]."""
    logits: Tensor
    """float64 [N, K]."""
    real: Real
    second: Second
    memory: Memory | None

    @cached_property
    def statistics(self) -> Statistics:
        """Mean and covariance of the features."""
        return statistics(self.features)

    @cached_property
    def classes(self) -> Tensor:
        """What the classifier reads: int64 [N]."""
        return self.logits.argmax(1)


Numbers = dict[str, float]


@dataclass(frozen=True)
class Metric:
    """One entry of `--metrics`."""

    name: str
    compute: Callable[[Scored], Numbers]
    meaning: str
    """What its numbers are, which way is better, and their bias."""
    least: int = 2
    """Fewest images for which it says anything."""
    least_real: int = 2
    """Fewest real images."""
    needs_images: bool = False
    """Whether it looks at real images themselves, training images or held-out ones (`Scored.memory`)."""
    of_copies: bool = False
    """Whether it looks for copies of training images, so that these cannot be its floor."""


def _classes(scored: Scored) -> Numbers:
    real = classes.shares(scored.real.logits.argmax(1), scored.logits.shape[1])
    fake = classes.shares(scored.classes, scored.logits.shape[1])
    return {
        "class_kl": classes.histogram_divergence(fake, real),
        "missing": float(classes.missing_classes(fake, real)),
        "diversity": classes.diversity(scored.features, scored.classes, scored.real.classes),
    }


def _neighbours(scored: Scored) -> Numbers:
    return neighbours.neighbourhood_scores(neighbours.cloud(scored.features), scored.real.cloud)


def _memory(scored: Scored) -> Memory:
    assert scored.memory is not None
    return scored.memory


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "fid",
            lambda scored: {"fid": fid(scored.statistics, scored.real.statistics)},
            "Frechet distance of features, lower is better; too high for few images",
            least=200,
        ),
        Metric(
            "is",
            lambda scored: {"is": inception_score(scored.logits)},
            "Inception Score on the digit classifier, higher is better, at most 10; too low for few images, blind to "
            "what classes do not show",
            least=200,
        ),
        Metric(
            "kid",
            lambda scored: kid(scored.features, scored.real.features),
            "squared kernel distance of features, of more than 1,000 images with its 95 % interval (kid_low, "
            "kid_high), lower is better; unbiased",
            least=1_000,
            least_real=1_000,
        ),
        Metric(
            "prdc",
            _neighbours,
            "precision, recall (k = 3), density, coverage (k = 5), higher is better; with fewer images precision and "
            "density change and recall and coverage fall, so compare equal numbers",
            least=1_000,
        ),
        Metric(
            "classes",
            _classes,
            "class_kl: KL of the digits' histogram to the real one in nats, lower is better, too high for few images; "
            "missing: digits that hardly occur, too many for few images; diversity: spread within a digit over the "
            "real one, 1 is real; noise within digits raises it too",
            least=200,
        ),
        Metric(
            "fid_second",
            lambda scored: {"fid_second": scored.second.fid(scored.images)},
            "FID on the features of a second, smaller extractor and in its unit, lower is better; an order that only "
            "one of them sees is its taste; too high for few images",
            least=200,
        ),
        Metric(
            "fid_infinity",
            lambda scored: {"fid_infinity": fid_infinity(scored.features, scored.real.statistics)},
            "FID extrapolated to infinitely many samples, lower is better; without the bias of their number",
            least=20_000,
        ),
        Metric(
            "fid_pixels",
            lambda scored: {"fid_pixels": _memory(scored).fid(scored.images)},
            "Frechet distance of raw pixels, lower is better; no classifier has a say in it, so it tells what of a "
            "ranking is the taste of classifiers, and cannot tell a digit from a scrawl of the same ink; too high for "
            "few images",
            least=1_000,
            needs_images=True,
        ),
        Metric(
            "memory",
            lambda scored: _memory(scored).scores(scored.images),
            "copies: share of samples nearer to a training image than 99 % of new real images are, 0.01 is real; "
            "nn_ratio: the median of that distance over the real one, 0 for copies, but below 1 for blank or blurred "
            "images too, and above for noisy ones",
            least=200,
            needs_images=True,
            of_copies=True,
        ),
    )
}
DEFAULT = ("fid", "is", "kid", "prdc", "classes", "fid_second")


def left_out(n: int) -> str:
    """The metrics of `DEFAULT` that n images do not allow, in words; empty where they allow all."""
    short = [metric for metric in map(METRICS.__getitem__, DEFAULT) if metric.least > n]
    return ", ".join(f"{metric.name} (needs {metric.least:,} images)" for metric in short)


def choose(text: str | None, n: int) -> tuple[Metric, ...]:
    """The metrics that `text` names with commas, and FID; by default those of `DEFAULT` that n images allow.

    Raises BenchError for an unknown name, and for a named metric that needs more than n images.
    """
    if text is None:
        return tuple(metric for metric in map(METRICS.__getitem__, DEFAULT) if metric.least <= n)
    names = [name.strip() for name in text.split(",") if name.strip()]
    names = list(METRICS) if "all" in names else names
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        raise BenchError(f"--metrics {text}: allowed are all, {', '.join(METRICS)}, with commas")
    chosen = [METRICS[name] for name in dict.fromkeys(["fid", *names])]
    short = [metric for metric in chosen if metric.least > n]
    if short:
        needs = ", ".join(f"{metric.name} needs {metric.least:,}" for metric in short)
        raise BenchError(f"--metrics {text}: {needs} images, not {n:,}; give more images, or leave it out")
    return tuple(chosen)

"""Features and logits in, numbers out: the metrics of torch-fidelity, with its settings pinned.

Knows neither images nor networks nor where features come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import t
from torch import Tensor
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

# torch-fidelity's defaults and the literature's convention. Pinned: another value is another metric.
IS_SPLITS = 10
IS_SHUFFLE_SEED = 2020
KID_SUBSETS, KID_SUBSET_SIZE = 20, 1_000
"""Each of 10,000 images is in two subsets on average; torch-fidelity's 100 cost seconds and change noise only."""
FID_INFINITY_POINTS = 15

Statistics = dict[str, NDArray[Any]]


def one_order(rows: Tensor) -> Tensor:
    """The places of rows [N, F] along a fixed projection: what is drawn of rows in this order depends on no other."""
    weights = torch.linspace(1, 2, rows.shape[1], dtype=torch.float64, device=rows.device)
    return (rows.double() @ weights).argsort(stable=True)


def statistics(features: Tensor) -> Statistics:
    """Mean "mu" [F] and covariance "sigma" [F, F] of float64 features [N, F]."""
    result: Statistics = fid_features_to_statistics(features)
    return result


def fid(fake: Statistics, real: Statistics) -> float:
    """Frechet distance of two Gaussians, |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); lower is better.

    Biased upwards for few images, so compare equal numbers of them only. Equal sets come out as a rounding
    error around 0, which is cut off there.
    """
    return max(0.0, float(fid_statistics_to_metric(fake, real, verbose=False)[KEY_METRIC_FID]))


def inception_score(logits: Tensor) -> float:
    """exp of the mean KL(p(y|x) || p(y)), between 1 and the number of classes; higher is better.

    The mean over 10 parts of the shuffled images, as in the literature; p(y) is that of the part. Few images
    bias the score downwards, so compare equal numbers of them only. Blind to what classes do not show: one
    perfect image of each class scores as high as real digits.
    """
    # Below -745 a probability underflows to 0, and torch-fidelity's 0 * log 0 is NaN; e^-700 is as good as 0.
    bounded = (logits.double() - logits.double().amax(1, keepdim=True)).clamp_min(-700)
    scores = isc_features_to_metric(
        bounded[one_order(bounded)], splits=IS_SPLITS, shuffle=True, rng_seed=IS_SHUFFLE_SEED
    )
    return float(scores[KEY_METRIC_ISC_MEAN])


def kid(fake: Tensor, real: Tensor) -> dict[str, float]:
    """Kernel distance of features [N, F] and [M, F], the unbiased squared MMD of a cubic kernel, and its 95 % interval.

    The mean over 20 random subsets of 1,000 (Bińkowski et al. 2018, arXiv:1801.01401), hence unbiased for any number
    of images from there on; equal distributions scatter around 0. Any two subsets share a part r = 1,000 / N of the
    images and so of the noise: they spread with 1 - r of a subset's variance, the variance of their mean is r +
    (1 - r) / 20 of it, and the interval is Student's of 19 degrees of freedom. Where every subset is the whole, r = 1,
    nothing spreads and there is no interval. N is the fewer of the two numbers: of unequal ones it is rather wide.
    """
    result = kid_features_to_metric(
        fake[one_order(fake)].float(),
        real.float(),
        kid_subsets=KID_SUBSETS,
        kid_subset_size=KID_SUBSET_SIZE,
        rng_seed=IS_SHUFFLE_SEED,
        verbose=False,
    )
    mean, biased = float(result[KEY_METRIC_KID_MEAN]), float(result[KEY_METRIC_KID_STD])
    shared = KID_SUBSET_SIZE / min(len(fake), len(real))
    if shared == 1:
        return {"kid": mean}
    variance = biased**2 * KID_SUBSETS / (KID_SUBSETS - 1) / (1 - shared)
    half = float(t.ppf(0.975, KID_SUBSETS - 1)) * math.sqrt(variance * (shared + (1 - shared) / KID_SUBSETS))
    return {"kid": mean, "kid_low": mean - half, "kid_high": mean + half}


def fid_infinity(features: Tensor, real: Statistics) -> float:
    """FID as it would be of infinitely many samples: a line through FID of subsets against 1 / N, read off at 0.

    Chong and Forsyth 2020, arXiv:1911.07023, with random subsets of 15 sizes from a quarter of the features [N, F] to
    all. The finite number of real images leaves its own bias.
    """
    sizes = np.linspace(len(features) / 4, len(features), FID_INFINITY_POINTS).round().astype(int)
    rng = torch.Generator().manual_seed(IS_SHUFFLE_SEED)
    features = features[one_order(features)]
    values = [fid(statistics(features[torch.randperm(len(features), generator=rng)[:n]]), real) for n in sizes]
    _, intercept = np.polyfit(1 / sizes, values, 1)
    return float(intercept)


def intra_fid(features: Tensor, labels: Tensor, real: Sequence[Statistics]) -> float:
    """The mean over classes of the FID between what was asked for as that class and its real images.

    Features [N, F] of generated images, `labels` [N] that were asked for. Miyato and Koyama 2018, arXiv:1802.05637,
    section 5.2. As biased as FID of a tenth of the images.
    """
    distances = [fid(statistics(features[labels == digit]), stats) for digit, stats in enumerate(real)]
    return float(np.mean(distances))


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """The share of images that the classifier reads as what was asked for: logits [N, classes], labels [N]."""
    return (logits.argmax(1) == labels.to(logits.device)).double().mean().item()


def cluster_accuracy(logits: Tensor, clusters: Tensor) -> float:
    """The accuracy when each cluster is named after a class of its own, in the way that makes it largest.

    The assignment is one to one, so that naming every cluster after one class does not pay.
    """
    classes = logits.shape[1]
    counts = torch.zeros(int(clusters.max()) + 1, classes, dtype=torch.int64)
    counts.index_put_((clusters.cpu(), logits.argmax(1).cpu()), torch.ones((), dtype=torch.int64), accumulate=True)
    rows, columns = linear_sum_assignment(counts.numpy(), maximize=True)
    return float(counts[rows, columns].sum() / len(clusters))

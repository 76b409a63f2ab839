"""The losses of the class in naive loops over images, one image and one number at a time."""

import math


def naive_cross_entropy(logits, labels):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        total -= math.log(math.exp(row[label]) / sum(math.exp(v) for v in row))
    return total / len(labels)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def naive_contrastive(codes, proxies, labels, t):
    total = 0.0
    for i in range(len(labels)):
        numerator = denominator = math.exp(cosine(codes[i], proxies[i]) / t)
        for k in range(len(labels)):
            if k == i:
                continue
            term = math.exp(cosine(codes[i], codes[k]) / t)
            denominator += term
            if labels[k] == labels[i]:
                numerator += term
        total -= math.log(numerator / denominator)
    return total / len(labels)


def naive_data_to_data(codes, proxies, labels, t, m):
    """The paper's fraction: [s - m]_- of the own proxy over that and [s - (1 - m)]_+ of other classes' images."""
    total = 0.0
    for i in range(len(labels)):
        positive = math.exp(min(cosine(codes[i], proxies[i]) - m, 0) / t)
        negatives = 0.0
        for k in range(len(labels)):
            if labels[k] != labels[i]:
                negatives += math.exp(max(cosine(codes[i], codes[k]) - (1 - m), 0) / t)
        total -= math.log(positive / (positive + negatives))
    return total / len(labels)

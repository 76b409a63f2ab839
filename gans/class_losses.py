"""Losses of the class: what D says of images and their labels in, a scalar to minimise out.

`logits` [N, K] are raw: the softmax is here, once. `labels` are int64 [N]. `codes` [N, E] are embeddings of images and
`proxies` [N, E] those of their labels; only their directions count. Every function refuses other shapes, because a
wrong one broadcasts silently. Each docstring gives the paper and its formula.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, relu


def check_labels(labels: Tensor, *codes: Tensor) -> None:
    """Raises ValueError unless `labels` is [N] and every tensor of `codes` [N, K], of one common shape."""
    shapes = {tuple(c.shape) for c in codes}
    if labels.ndim != 1 or len(shapes) != 1 or any(len(s) != 2 or s[0] != len(labels) for s in shapes):
        raise ValueError(f"labels must be [N] and codes [N, K], not {tuple(labels.shape)} and {sorted(shapes)}")


def class_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """-E log softmax(l)_y. Odena, Olah, Shlens 2016, arXiv:1610.09585: minus one term of its L_C."""
    check_labels(labels, logits)
    return cross_entropy(logits, labels)


def known_cross_entropy(logits: Tensor, labels: Tensor, known: Tensor) -> Tensor:
    """The mean of -log softmax(l)_y over the images whose label is `known`, bool [N]; 0 where none is.

    Salimans et al. 2016, arXiv:1606.03498, section 5: the supervised part of D's loss.
    """
    check_labels(labels, logits)
    if known.shape != labels.shape:
        raise ValueError(f"known must be {tuple(labels.shape)}, not {tuple(known.shape)}")
    return (cross_entropy(logits, labels, reduction="none") * known).sum() / known.sum().clamp(min=1)


def twin_d(real_logits: Tensor, fake_twin_logits: Tensor, labels: Tensor) -> Tensor:
    """CE(C(x), y) + CE(M(G(z, y)), y): C learns of reals, its twin M of fakes. Gong et al. 2019, arXiv:1907.02690."""
    return class_cross_entropy(real_logits, labels) + class_cross_entropy(fake_twin_logits, labels)


def twin_g(fake_logits: Tensor, fake_twin_logits: Tensor, labels: Tensor) -> Tensor:
    """CE(C(G(z, y)), y) - CE(M(G(z, y)), y). Gong et al. 2019, arXiv:1907.02690."""
    return class_cross_entropy(fake_logits, labels) - class_cross_entropy(fake_twin_logits, labels)


def discriminative_d(real_logits: Tensor, fake_logits: Tensor, labels: Tensor) -> Tensor:
    """CE(C(x), y) + CE(C(G(z, y)), K + y) of 2K logits, K + y a fake of class y. Hou et al. 2021, arXiv:2107.10060."""
    fake_labels = labels + fake_logits.shape[1] // 2
    return class_cross_entropy(real_logits, labels) + class_cross_entropy(fake_logits, fake_labels)


def discriminative_g(fake_logits: Tensor, labels: Tensor) -> Tensor:
    """CE(C(G(z, y)), y) - CE(C(G(z, y)), K + y) of 2K logits. Hou et al. 2021, arXiv:2107.10060."""
    fake_labels = labels + fake_logits.shape[1] // 2
    return class_cross_entropy(fake_logits, labels) - class_cross_entropy(fake_logits, fake_labels)


def cosines(codes: Tensor, proxies: Tensor) -> tuple[Tensor, Tensor]:
    """The cosine of every code with its own proxy, [N], and with every code, [N, N]."""
    codes, proxies = normalize(codes, dim=1), normalize(proxies, dim=1)
    with torch.autocast(codes.device.type, enabled=False):
        return (codes * proxies).sum(1), codes @ codes.T


def log_sum(first: Tensor, others: Tensor, counted: Tensor) -> Tensor:
    """log(e^a_i + sum_k e^b_ik) over the k that are `counted`: a [N], b [N, M], bool [N, M] -> [N]."""
    others = others.masked_fill(~counted, -torch.inf)
    return torch.cat([first[:, None], others], 1).logsumexp(1)


def contrastive(codes: Tensor, proxies: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The 2C loss: codes are drawn to their label's proxy and to the codes of their own class, away from all others.

    -E_i log [e^(p_i / t) + sum_{k != i, y_k = y_i} e^(s_ik / t)] / [e^(p_i / t) + sum_{k != i} e^(s_ik / t)], p_i the
    cosine of code and proxy, s_ik that of two codes. Kang, Park 2020, arXiv:2006.12681.
    """
    check_labels(labels, codes, proxies)
    to_proxy, to_codes = cosines(codes, proxies)
    another = ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    alike = another & (labels[:, None] == labels)
    first, others = to_proxy / temperature, to_codes / temperature
    return (log_sum(first, others, another) - log_sum(first, others, alike)).mean()


def data_to_data(codes: Tensor, proxies: Tensor, labels: Tensor, temperature: float, margin: float) -> Tensor:
    """The data-to-data cross-entropy D2D-CE: a softmax of the own proxy against codes of other classes, with margins.

    E_i [q_i + log(e^-q_i + sum_{y_k != y_i} e^([s_ik + m - 1]_+ / t))], q_i = [m - p_i]_+ / t, p_i the cosine of code
    and proxy, s_ik that of two codes. Kang et al. 2021, arXiv:2111.01118. StudioGAN takes the largest exponent of the
    sum out of the sum alone, which is another function.
    """
    check_labels(labels, codes, proxies)
    to_proxy, to_codes = cosines(codes, proxies)
    easy_positive = -relu(margin - to_proxy) / temperature
    easy_negative = relu(to_codes + margin - 1) / temperature
    return (log_sum(easy_positive, easy_negative, labels[:, None] != labels) - easy_positive).mean()

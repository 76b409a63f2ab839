"""The latent space in pictures: interpolation, arithmetic on digits, nearest training images, sweeps of codes.

Takes a GAN that is ready to generate (eval mode, latents seeded), gives pictures. Knows nothing of trials or stores.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize

from bench.data import Dataset, as_given
from bench.features.memorisation import Memory, nearest
from bench.pictures import Picture, image_grid
from bench.train.sampling import BATCH_SIZE, stored
from gans import GAN, Batch

Reader = Callable[[Tensor], Tensor]
"""uint8 images [N, 1, 28, 28] -> the digits a classifier reads, int64 [N]."""

ROWS, STEPS = 8, 10
EXAMPLES = 1_000
"""Samples in which a digit's latents are looked for."""
EQUATIONS = ((3, 1, 7), (8, 3, 5), (9, 4, 6), (7, 1, 0))
"""a - b + c, digits."""


def slerp(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """Points on the arc from `start` to `end` [N, L] at `share` [S] of its angle: [N, S, L].

    Lengths go over linearly. A straight line would pass near the origin, where a Gaussian in many dimensions has no
    mass (Shoemake 1985; White 2016, arXiv:1609.04468).
    """
    lengths = torch.stack([start.norm(dim=1), end.norm(dim=1)], 1)
    start, end = start / lengths[:, :1], end / lengths[:, 1:]
    angle = (start * end).sum(1).clamp(-1, 1).acos()[:, None]
    share = share[None].to(start)
    # Of two equal directions the arc has no length, and the weights are those of the straight line.
    flat = angle.sin() < 1e-6
    weights = [
        torch.where(flat, part, torch.sin(part * angle) / angle.sin().clamp_min(1e-6)) for part in (1 - share, share)
    ]
    points = weights[0][..., None] * start[:, None] + weights[1][..., None] * end[:, None]
    length = torch.lerp(lengths[:, :1], lengths[:, 1:], share)
    return points * length[..., None]


def usual_length(vectors: Tensor, latent: Tensor) -> Tensor:
    """The directions of `vectors` [M, L] at the mean length of `latent` [N, L]."""
    scaled: Tensor = normalize(vectors, dim=1) * latent.norm(dim=1).mean()
    return scaled


def digit_latents(latent: Tensor, digits: Tensor) -> dict[int, Tensor]:
    """The mean latent of each digit that is there, at the mean length of `latent` [N, L]: [L] each.

    A mean is much shorter than what it is of, and the generator has never seen vectors so short.
    """
    present = digits.unique()
    means = torch.stack([latent[digits == digit].mean(0) for digit in present])
    return dict(zip(present.tolist(), usual_length(means, latent), strict=True))


def make(gan: GAN, latent: Tensor, labels: Tensor) -> Tensor:
    """Images of latents [N, L] and the labels [N] that are asked for, as uint8 [N, 1, 28, 28] on the CPU."""
    parts = zip(latent.split(BATCH_SIZE), labels.to(gan.device).split(BATCH_SIZE), strict=True)
    return torch.cat(
        [stored(gan, gan.generate(Batch(gan.field.blank(len(z), gan.device), wanted), z)) for z, wanted in parts]
    )


def closest_pairs(gan: GAN, memory: Memory) -> Picture:
    """Of 1,000 samples those that lie nearest to a training image, which stands below each; call it within `frozen`."""
    samples = make(gan, gan.latent(EXAMPLES), torch.arange(EXAMPLES) % 10)
    return image_grid(torch.cat(memory.closest(samples, STEPS)), STEPS)


def latent_pictures(gan: GAN, data: Dataset, read: Reader) -> dict[str, Picture]:
    """Every picture that makes sense for this algorithm, by name; call it within `frozen`.

    Arithmetic needs a generator whose latents decide on the digit, hence none that obeys labels. Codes that stand
    behind the noise of a latent stay as they are in an interpolation, and no sum is made of them: between two classes
    there is none.
    """

    rows = torch.arange(ROWS) % 10
    start, end = gan.latent(ROWS), gan.latent(ROWS)
    noise, coded = gan.config.latent_dim, start.shape[1] > gan.config.latent_dim
    between = slerp(start[:, :noise], end[:, :noise], torch.linspace(0, 1, STEPS))
    strips = torch.cat([between, start[:, None, noise:].expand(-1, STEPS, -1)], 2).flatten(0, 1)
    pictures = {"interpolation": image_grid(make(gan, strips, rows.repeat_interleave(STEPS)), STEPS)}
    fakes = make(gan, gan.latent(10), torch.arange(10))
    beside = torch.cat([fakes[:, None], data.images[nearest(fakes, data.images, 4)[1]]], 1)
    pictures["neighbours"] = image_grid(beside.transpose(0, 1).flatten(0, 1), 10)
    if not gan.conditional and not coded:
        latent = gan.latent(EXAMPLES)
        digits = read(make(gan, latent, torch.zeros(EXAMPLES, dtype=torch.int64)))
        found = digit_latents(latent, digits.to(latent.device))
        terms = [
            [found[a], found[b], found[c], found[a] - found[b] + found[c]]
            for a, b, c in EQUATIONS
            if {a, b, c} <= set(found)
        ]
        if terms:
            vectors = usual_length(torch.stack([vector for term in terms for vector in term]), latent)
            pictures["arithmetic"] = image_grid(make(gan, vectors, torch.zeros(len(vectors), dtype=torch.int64)), 4)
    originals = data.some(2 * STEPS)
    rebuilt = gan.reconstruct(as_given(originals.to(gan.device)))
    if rebuilt is not None:
        pairs = zip(originals.split(STEPS), stored(gan, rebuilt).split(STEPS), strict=True)
        pictures["reconstructions"] = image_grid(torch.cat([part for pair in pairs for part in pair]), STEPS)
    for name, sweep in gan.sweeps(gan.latent(ROWS)).items():
        steps = sweep.shape[1]
        labels = rows.repeat_interleave(steps)
        pictures[f"sweep_{name}"] = image_grid(make(gan, sweep.flatten(0, 1), labels), steps)
    return pictures

"""What a generator makes: samples and reconstructions. Leaves the GAN as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.data import Dataset, as_given, to_uint8
from gans import GAN, Batch

BATCH_SIZE = 500
"""Images that are generated together."""


@contextmanager
def frozen(gan: GAN, generator: nn.Module, seed: int) -> Iterator[None]:
    """Inside, `gan` is in eval mode, generates with `generator`, and draws the latents that `seed` fixes."""
    training, rng, own = gan.training, gan.rng, gan.generator
    gan.eval()
    gan.generator = generator.eval()
    gan.rng = torch.Generator(gan.device).manual_seed(seed)
    try:
        with torch.inference_mode():
            yield
    finally:
        gan.generator, gan.rng = own, rng
        gan.train(training)


def stored(gan: GAN, elements: Tensor) -> Tensor:
    """Elements [N, ...] as a data set holds them, on the CPU: images as uint8, what is no image as it is."""
    return (to_uint8(elements) if gan.field.pixels else elements).cpu()


@dataclass(frozen=True)
class Samples:
    """What was generated, on the CPU."""

    images: Tensor
    """As a data set holds them: uint8 [N, 1, 28, 28], or curves float32 [N, 1, 1, 16]."""
    labels: Tensor | None
    """The digits that were asked for, int64 [N]; None where the generator does not obey labels."""
    clusters: Tensor | None
    """The class of its own that each latent asked for, int64 [N]; None where the algorithm has none."""


def draw(
    gan: GAN, generator: nn.Module, data: Dataset | None, n: int, seed: int, batch_size: int = BATCH_SIZE
) -> Samples:
    """n samples, fixed by `seed`.

    What `gan` is conditioned on are rows of `data` drawn at random, so that labels follow the training marginal;
    without data, blank images and the labels 0 to 9 in turn.
    """
    if data is None:
        labels, images = torch.arange(n) % 10, gan.field.blank(n)
    else:
        rows = torch.randint(len(data.images), (n,), generator=torch.Generator().manual_seed(seed))
        labels, images = data.labels[rows], data.images[rows]
    fakes, clusters = [], []
    with frozen(gan, generator, seed):
        for part in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            batch = Batch(as_given(part[0].to(gan.device)), part[1].to(gan.device))
            latent = gan.latent(len(batch))
            fakes.append(stored(gan, gan.generate(batch, latent)))
            clusters.append(gan.clusters(latent))
    found = [cluster.cpu() for cluster in clusters if cluster is not None]
    return Samples(torch.cat(fakes), labels if gan.conditional else None, torch.cat(found) if found else None)


def sample_images(
    gan: GAN, generator: nn.Module, data: Dataset | None, n: int, seed: int, batch_size: int = BATCH_SIZE
) -> Tensor:
    """The images of `draw`."""
    return draw(gan, generator, data, n, seed, batch_size).images


def some(data: Dataset, n: int) -> Tensor:
    """n of the data's elements, or all if there are fewer, in an order that is random and always the same."""
    return data.images[torch.randperm(len(data.images), generator=torch.Generator().manual_seed(0))[:n]]


def reconstructions(gan: GAN, generator: nn.Module, images: Tensor, seed: int) -> Tensor | None:
    """What `gan` makes of uint8 images [N, 1, 28, 28] by way of their latents; None where it has no encoder."""
    parts = []
    with frozen(gan, generator, seed):
        for part in images.split(BATCH_SIZE):
            rebuilt = gan.reconstruct(as_given(part.to(gan.device)))
            if rebuilt is None:
                return None
            parts.append(stored(gan, rebuilt))
    return torch.cat(parts)


def shown(gan: GAN, generator: nn.Module, data: Dataset | None, rows: int, seed: int) -> tuple[Tensor, int]:
    """Samples for a picture of `rows` rows, and its columns: as many, or one a digit where labels are obeyed."""
    columns = 10 if gan.conditional else rows
    return sample_images(gan, generator, None if gan.conditional else data, rows * columns, seed), columns

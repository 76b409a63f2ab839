"""What a generator makes: samples to score, grids and the training GIF. Leaves the GAN as it found it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from bench.data import Dataset, to_uint8, to_unit
from gans import GAN, Batch

Picture = NDArray[np.uint8]
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


@dataclass(frozen=True)
class Samples:
    """What was generated, on the CPU."""

    images: Tensor
    """uint8 [N, 1, 28, 28]"""
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
        labels, images = torch.arange(n) % 10, torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
    else:
        rows = torch.randint(len(data.images), (n,), generator=torch.Generator().manual_seed(seed))
        labels, images = data.labels[rows], data.images[rows]
    fakes, clusters = [], []
    with frozen(gan, generator, seed):
        for part in zip(images.split(batch_size), labels.split(batch_size), strict=True):
            batch = Batch(to_unit(part[0].to(gan.device)), part[1].to(gan.device))
            latent = gan.latent(len(batch))
            fakes.append(to_uint8(gan.generate(batch, latent)).cpu())
            clusters.append(gan.clusters(latent))
    found = [cluster.cpu() for cluster in clusters if cluster is not None]
    return Samples(torch.cat(fakes), labels if gan.conditional else None, torch.cat(found) if found else None)


def sample_images(
    gan: GAN, generator: nn.Module, data: Dataset | None, n: int, seed: int, batch_size: int = BATCH_SIZE
) -> Tensor:
    """The images of `draw`: uint8 [n, 1, 28, 28]."""
    return draw(gan, generator, data, n, seed, batch_size).images


def reconstructions(gan: GAN, generator: nn.Module, images: Tensor, seed: int) -> Tensor | None:
    """What `gan` makes of uint8 images [N, 1, 28, 28] by way of their latents; None where it has no encoder."""
    parts = []
    with frozen(gan, generator, seed):
        for part in images.split(BATCH_SIZE):
            rebuilt = gan.reconstruct(to_unit(part.to(gan.device)))
            if rebuilt is None:
                return None
            parts.append(to_uint8(rebuilt).cpu())
    return torch.cat(parts)


def sample_grid(gan: GAN, generator: nn.Module, data: Dataset | None, rows: int, seed: int) -> Picture:
    """`rows` rows of samples: as many columns, or one column a digit where the generator obeys labels."""
    columns = 10 if gan.conditional else rows
    images = sample_images(gan, generator, None if gan.conditional else data, rows * columns, seed)
    return image_grid(images, columns)


def enlarged(picture: Picture, scale: int) -> Picture:
    """Each pixel as a square of `scale` pixels."""
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def image_grid(images: Tensor, columns: int, scale: int = 1) -> Picture:
    """uint8 [N, 1, H, W] -> one grey picture, row by row, with 2 pixels between images, enlarged `scale` times."""
    n, _, height, width = images.shape
    rows = -(-n // columns)
    canvas = np.full((rows * (height + 2) + 2, columns * (width + 2) + 2), 64, dtype=np.uint8)
    for i, image in enumerate(images[:, 0].numpy()):
        top, left = 2 + i // columns * (height + 2), 2 + i % columns * (width + 2)
        canvas[top : top + height, left : left + width] = image
    return enlarged(canvas, scale)


def png_bytes(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def gif_bytes(frames: Sequence[Picture], seconds: float = 6.0) -> bytes:
    """The frames as an endless GIF of about `seconds` a round, resting on the last.

    In 16 shades of grey, which nobody tells from 256 at this size and which make the file a third.
    """
    pictures = [Image.fromarray((np.rint(frame / 17) * 17).astype(np.uint8)) for frame in frames]
    each = max(int(1000 * seconds / len(frames)), 40)
    buffer = io.BytesIO()
    durations = [each] * (len(frames) - 1) + [1500]
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return buffer.getvalue()

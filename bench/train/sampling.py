"""What a generator makes: samples and reconstructions. Leaves the GAN as it found it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from bench.data import Dataset, as_given, to_uint8
from bench.pictures import Picture
from bench.samples import Samples
from bench.tasks import Task
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


def draw(gan: GAN, generator: nn.Module, examples: Batch, seed: int, batch_size: int = BATCH_SIZE) -> Samples:
    """A sample for each of the examples that it is asked for, which lie on the CPU; latents are fixed by `seed`."""
    parts: dict[str, list[Tensor]] = {"images": [], "clusters": [], "back": [], "cycled": []}
    with frozen(gan, generator, seed):
        for start in range(0, len(examples), batch_size):
            batch = examples.rows(slice(start, start + batch_size)).to(gan.device)
            latent = gan.latent(len(batch))
            images = gan.generate(batch, latent)
            made = {"images": images, "back": gan.back(batch.images), "cycled": gan.back(images)}
            for name, elements in made.items():
                if elements is not None:
                    parts[name].append(stored(gan, elements))
            clusters = gan.clusters(latent)
            if clusters is not None:
                parts["clusters"].append(clusters.cpu())
    together = {name: torch.cat(tensors) for name, tensors in parts.items() if tensors}
    return Samples(**together, asked=examples, labels=examples.labels if gan.conditional else None)


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


def shown(gan: GAN, generator: nn.Module, task: Task, data: Dataset | None, rows: int, seed: int) -> Picture:
    """A picture of about `rows` lines of samples: as many columns, or ten where each belongs to a digit or a source."""
    columns = 10 if gan.conditional or task.lines > 1 else rows
    count = columns * max(rows // task.lines, 1)
    examples = task.examples(None if gan.conditional else data, count, seed)
    return task.picture(draw(gan, generator, examples, seed), columns)

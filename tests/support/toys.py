"""Small problems that every family learns in seconds, and how far a generator is from them."""

import math
from dataclasses import replace

import torch
from torch import nn

from bench.train.loop import Loop
from gans import Batch
from gans.fields import DIGITS


def ring(n, rng, *, radius=1.0, spread=0.2):
    """Points [n, 2] of eight Gaussians on a circle, `spread` their standard deviation."""
    angle = torch.randint(8, (n,), generator=rng) * (math.pi / 4)
    return radius * torch.stack([angle.cos(), angle.sin()], 1) + spread * torch.randn(n, 2, generator=rng)


def one_mode(n, rng):
    """One Gaussian, standard deviation 0.3, away from where an untrained G puts its points."""
    return torch.tensor([1.0, 0.0]) + 0.3 * torch.randn(n, 2, generator=rng)


def energy_distance(x, y):
    """Szekely's 2 E|x - y| - E|x - x'| - E|y - y'| of [N, ...], zero for equal distributions."""
    x, y = x.flatten(1), y.flatten(1)
    return (2 * torch.cdist(x, y).mean() - torch.cdist(x, x).mean() - torch.cdist(y, y).mean()).item()


class Draws:
    """A stream of batches without labels, drawn by `sample(n, rng)`."""

    def __init__(self, sample, batch_size, rng):
        self.sample, self.batch_size, self.rng = sample, batch_size, rng

    def next(self):
        return Batch(self.sample(self.batch_size, self.rng), torch.zeros(self.batch_size, dtype=torch.int64))


def distances(gan, sample, *, steps, batch_size=64, seed=1, evaluated=1000):
    """The energy distance of G's points from the data's before and after `steps` steps of the runner's loop.

    `sample(n, rng)` draws data; G's latents are the same both times, and its weights those that a trial evaluates.
    """
    rng = torch.Generator().manual_seed(seed)
    data, latent = sample(evaluated, rng), torch.randn(evaluated, gan.config.latent_dim, generator=rng)
    loop = Loop(gan, Draws(sample, batch_size, rng), steps)

    def distance():
        with torch.no_grad():
            return energy_distance(loop.generator(latent), data)

    before = distance()
    loop.run(steps)
    return before, distance()


def small_field(width):
    """Images on fully connected nets of `width` units, with which a step takes a few milliseconds."""

    class SmallTrunk(nn.Sequential):
        features = width

        def __init__(self, bn, dropout, channels=1):
            super().__init__(nn.Flatten(), nn.Linear(784 * channels, width), nn.LeakyReLU(0.2))

    def generator(inputs):
        layers = (nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, 784), nn.Tanh())
        return nn.Sequential(*layers, nn.Unflatten(1, (1, 28, 28)))

    return replace(DIGITS, name="small", generator=generator, trunk=SmallTrunk)


SMALL = small_field(64)

"""GANs of a handful of weights, and gradients of them by finite differences."""

from collections import OrderedDict

import torch
from oracles import make_gan
from torch import nn

from gans import Batch


def restart(gan, seed=5):
    """The same noise from here on."""
    gan.rng = torch.Generator().manual_seed(seed)
    return gan


def uniform(name="nsgan", **config):
    """The algorithm as it is after init, by default on the uniform nets, without what is random in D."""
    return make_gan(name, **{"bn": False, "dropout": 0.0, **config})


def toy(name="nsgan", **config):
    """A GAN on images [N, 1, 1, 2] whose nets have a handful of weights."""
    gan = uniform(name, latent_dim=3, **config)
    gan.generator = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Unflatten(1, (1, 1, 2)))
    trunk = nn.Sequential(nn.Flatten(), nn.Linear(2, 4), nn.Tanh())
    head = nn.Sequential(nn.Linear(4, 1, bias=False), nn.Flatten(0))
    gan.discriminator = nn.Sequential(OrderedDict(trunk=trunk, head=head))
    return restart(gan)


def points(n=6):
    return Batch(torch.randn(n, 1, 1, 2, generator=torch.Generator().manual_seed(8)) + 1, torch.arange(n))


def gradients(loss, module):
    return torch.autograd.grad(loss, list(module.parameters()))


def central_differences(value, module, h=1e-5):
    """The gradient of `value()` with respect to every parameter of the module."""
    found = []
    for parameter in module.parameters():
        entries, slopes = parameter.data.view(-1), torch.empty(parameter.numel())
        for i, entry in enumerate(entries.tolist()):
            entries[i] = entry + h
            high = value()
            entries[i] = entry - h
            low = value()
            entries[i] = entry
            slopes[i] = (high - low) / (2 * h)
        found.append(slopes.view_as(parameter))
    return found


def assert_gradients_agree(found, expected):
    for f, e in zip(found, expected, strict=True):
        assert e.abs().max() > 1e-4, "the test asks for nothing"
        # a central difference errs by h^2 = 1e-10 and by rounding, 1e-16 / h = 1e-11
        torch.testing.assert_close(f, e, rtol=1e-6, atol=1e-8)


def difference(found, expected):
    """Of two gradients, relative to the second."""
    found, expected = (nn.utils.parameters_to_vector(gradient) for gradient in (found, expected))
    return ((found - expected).norm() / expected.norm()).item()

"""The first six rows learn a toy: small nets and a small budget beat the untrained generator."""

import pytest
import torch
from torch import nn
from toys import distances, one_mode, ring

import gans

LATENT = 8


def mlp(inputs, outputs, *last):
    """[N, ...] -> [N, outputs], then `last`."""
    hidden = [nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, outputs), *last)


def trained(name, sample, **config):
    """The energy distance of G's points, images of two pixels, from the data's before and after training."""
    torch.manual_seed(0)
    cls = gans.get(name)
    gan = cls(cls.Config(latent_dim=LATENT, **{"lr_g": 5e-4, "lr_d": 1e-3, **config}))
    gan.rng = torch.Generator().manual_seed(0)
    gan.generator, gan.discriminator = mlp(LATENT, 2, nn.Unflatten(1, (1, 1, 2))), mlp(2, 1, nn.Flatten(0))
    return distances(gan, lambda n, rng: sample(n, rng).view(n, 1, 1, 2), steps=600 * gan.config.n_d)


# Rates, clip and weight are the toy's: nets of 64 units need others than images do.
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("dcgan", {}),
        ("dcgan_tutorial", {}),
        ("lsgan", {"coding": "binary"}),
        ("lsgan", {"coding": "tutorial"}),
        ("ragan", {}),
        ("wgan", {"clip": 0.1, "lr_g": 5e-4, "lr_d": 5e-4}),
        ("wgan_gp", {"lambda_gp": 1.0, "lr_g": 1e-3}),
    ],
    ids=str,
)
def test_it_learns_a_ring_of_eight_gaussians(name, config):
    before, after = trained(name, ring, **config)
    assert before > 0.5
    assert after < before / 5


def test_lsgan_in_chi2_coding_learns_one_gaussian():
    """It loses modes of the ring: G wants scores of zero, which its points have wherever D cannot tell them."""
    before, after = trained("lsgan", one_mode, coding="chi2", lr_g=2e-4, lr_d=2e-3)
    assert before > 1.2
    assert after < before / 3

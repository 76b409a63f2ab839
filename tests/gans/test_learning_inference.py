"""Every row with an encoder learns two digits with small nets: samples and reconstructions get clearly better."""

import pytest
import torch
from toys import distances, small_field

import gans

LATENT = 4
NAMES = [name for name in gans.names() if gans.get(name).info.family == "inference"]


def small_gan(name, monkeypatch):
    monkeypatch.setattr("gans.inference.aae.WIDTH", 64)
    torch.manual_seed(0)
    cls = gans.get(name)
    settings = {"latent_dim": LATENT, "lr_g": 1e-3, "lr_d": 1e-3} | ({"lr_e": 1e-3} if name == "aae" else {})
    gan = cls(cls.Config(**settings), small_field(128))
    gan.rng = torch.Generator().manual_seed(0)
    return gan


def reconstruction_error(gan, images):
    with torch.no_grad():
        return (gan.reconstruct(images) - images).square().mean().item()


@pytest.mark.parametrize("name", NAMES)
def test_samples_and_reconstructions_of_two_digits_get_better(name, two_digits, monkeypatch):
    """Of digits not trained on. Under each of two seeds samples come from 29 to 7 or less, errors from 0.96 to 0.26."""
    gan = small_gan(name, monkeypatch)
    seen, held_out = two_digits[:800], two_digits[800:]

    def sample(n, rng):
        return seen[torch.randint(len(seen), (n,), generator=rng)]

    error = reconstruction_error(gan, held_out)
    before, after = distances(gan, sample, steps=450, batch_size=32, seed=0, evaluated=500)
    assert before > 25
    assert after < before / 3
    assert error > 0.9
    assert reconstruction_error(gan, held_out) < error / 3

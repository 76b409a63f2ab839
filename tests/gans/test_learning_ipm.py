"""The IPM rows and the further penalties learn a toy: small nets and a small budget beat the untrained generator."""

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from toys import distances, ring

import gans

STEPS = 250
LATENT = 8


def mlp(inputs, outputs):
    """[N, inputs] -> [N, outputs]."""
    layers = [nn.Linear(inputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, outputs)]
    return nn.Sequential(*layers)


class Points(nn.Module):
    """latent -> points as images [N, 1, 1, 2], within [-1, 1] as the uniform generator's."""

    def __init__(self):
        super().__init__()
        self.net = mlp(LATENT, 2)

    def forward(self, latent):
        return self.net(latent).tanh().view(-1, 1, 1, 2)


class Critic(nn.Module):
    """Points -> scores [N] or codes [N, outputs], in the parts that an autoencoder's clipping looks for."""

    def __init__(self, outputs):
        super().__init__()
        self.trunk, self.head = nn.Sequential(nn.Flatten(), *mlp(2, 64)), nn.Linear(64, outputs)
        self.decoder = nn.Sequential(mlp(outputs, 2), nn.Unflatten(1, (1, 1, 2)))

    def forward(self, images):
        return (
            self.head(self.trunk(images)).squeeze(1) if self.head.out_features == 1 else self.head(self.trunk(images))
        )


def small_ring(n, rng):
    """The ring within [-1, 1]: [n, 1, 1, 2]."""
    return ring(n, rng, radius=0.7, spread=0.05).view(n, 1, 1, 2)


# What is the toy's and not the row's: faster rates for small nets, two turns of D, and weights for its small distances.
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("wgan_lp", {}),
        ("wgan_div", {}),
        ("dragan", {"lambda_gp": 1.0, "lr_g": 5e-4, "lr_d": 2e-3}),
        ("fisher_gan", {"bn": False, "rho": 1e-3}),
        ("sobolev_gan", {"rho": 1e-3}),
        ("cramer_gan", {"code_dim": 16}),
        ("mmd_gan", {"clip": 0.1}),
        ("mmd_gan_gp", {}),
        ("mmd_gan_rep", {}),
        ("mmd_gan_rep", {"kernel": "bounded"}),
    ],
)
def test_beats_the_untrained_generator(name, config):
    torch.manual_seed(0)
    cls = gans.get(name)
    gan = cls(cls.Config(latent_dim=LATENT, **{"lr_g": 1e-3, "lr_d": 1e-3, "n_d": 2, **config}))
    gan.rng = torch.Generator().manual_seed(0)
    gan.generator, gan.discriminator = Points(), Critic(getattr(gan.config, "code_dim", 1))
    if name == "mmd_gan_rep":
        for layer in gan.discriminator.modules():
            if isinstance(layer, nn.Linear):
                spectral_norm(layer)
    if name != "mmd_gan":
        del gan.discriminator.decoder
    before, after = distances(gan, small_ring, steps=STEPS * gan.config.n_d)
    assert after < before / 5

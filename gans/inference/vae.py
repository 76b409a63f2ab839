"""VAE, the reference that is no GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.inference.base import Autoencoder, bernoulli_nll, gaussian_nll
from gans.registry import register


@register(
    "vae",
    family="inference",
    year=2013,
    paper="Kingma, Welling: Auto-Encoding Variational Bayes, arXiv:1312.6114",
    track="inference",
    reference=True,
)
class VAE(Autoencoder):
    """No GAN: the variational autoencoder with the same generator, for reference; it has no discriminator.

    Losses:
        * L_E,G = -ELBO = E [KL(q(z|x) || N(0, I)) - log p(x|z^)], z^ ~ q(z|x) = E(x), sums over latents and pixels
        * likelihood=bce: p(x|z) a Bernoulli of every pixel, x and its mean G(z) mapped from [-1, 1] to [0, 1]
        * likelihood=gaussian: p(x|z) = N(G(z), sigma^2 I) on the same scale

    Deviations:
        * nets: E is the uniform trunk and a linear layer to mean and log variance, 1,387,272 parameters; there is no D.
        * paper: convolutional nets with batch norm and 100 latents, not an MLP of 500 units and at most 200; Adam, not
          Adagrad. Samples are the means G(z), not draws of pixels; grey pixels are Bernoulli targets as they are. The
          mean is kept 1e-6 from 0 and 1.
        * settings: `bn` is that of E's trunk; `lr_d`, `n_d` and the settings of D have no meaning.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(Autoencoder.Config):
        lr_g: float = option(1e-3, "learning rate of G and E", source="Adam paper")
        beta1: float = option(0.9, source="Adam paper")
        likelihood: str = option(
            "bce", "distribution of a pixel around G(z)", source="paper, for MNIST", choices=("bce", "gaussian")
        )
        sigma: float = option(
            0.1,
            "standard deviation of a pixel in [0, 1] where it is Gaussian",
            source="ours: about the error that is left, the most likely one",
            low=1e-3,
            high=1,
        )

    config: Config
    fields = ("digits",)
    conflicts = dict.fromkeys(
        (
            *("dropout", "spectral_norm", "minibatch", "pack", "augment", "instance_noise", "label_smoothing"),
            *("top_k", "feature_matching", "latent_step", "unroll"),
        ),
        "there is no discriminator",
    )

    def new_discriminator(self) -> nn.Module:
        return nn.Identity()

    @classmethod
    def skip(cls, config: GAN.Config) -> str | None:
        return "there is no discriminator that could take n_d turns" if config.n_d != 1 else super().skip(config)

    def nll(self, decoded: Tensor, images: Tensor) -> Tensor:
        """-log p(x|z) in nats of each image: [N]."""
        if self.config.likelihood == "bce":
            return bernoulli_nll(decoded, images)
        return gaussian_nll(decoded, images, self.config.sigma)

    def g_turn(self, batch: Batch) -> Scalars:
        posterior = self.posterior(batch.images)
        divergence = posterior.divergence().mean()
        error = self.nll(self.generator(posterior.sample(self.rng)), batch.images).mean()
        return {"loss": divergence + error, "kl": divergence, "error": error}

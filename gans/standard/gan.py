"""The tutorial's first GAN, on curves."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "gan",
    family="standard",
    year=2014,
    paper="Goodfellow et al.: Generative Adversarial Nets, arXiv:1406.2661; nets of the tutorial's gan.py",
)
class ClassicGAN(NSGAN):
    """The first GAN on the tutorial's first data, parabolas of 16 points, with its fully connected nets.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z)))) (eq. 1)
        * L_G = -E log sig(D(G(z))) (section 3)

    Deviations:
        * paper: Adam, not SGD with momentum; curves and one hidden layer of 32 units, not digits and maxout.
        * tutorial: D's turn comes first and sees 32 reals and 32 fresh fakes in separate passes, where its step trains
          G on 64 fakes and then D on 32 reals and the first 32 of those in one batch; G and D have an Adam each; the
          curves are 60,000 that are gone through again and again, not drawn afresh.

    Same as:
        * `nsgan` with bn=off, dropout=0, latent_dim=10, batch_size=32: bit for bit, on either task
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        bn: bool = option(False, source="tutorial: none in its gan.py")
        dropout: float = option(0.0, source="tutorial: none in its gan.py")
        latent_dim: int = option(10, source="tutorial")
        batch_size: int = option(32, source="tutorial")

    config: Config
    fields = ("curves", "digits", "stacked")

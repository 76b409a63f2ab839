"""Instance noise."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "instance_noise",
    family="trick",
    year=2016,
    paper="Sonderby et al.: Amortised MAP Inference for Image Super-resolution, arXiv:1610.04490; Arjovsky, Bottou: "
    "Towards Principled Methods for Training GANs, arXiv:1701.04862",
)
class InstanceNoise(NSGAN):
    """GAN whose D sees reals and fakes under Gaussian noise that fades.

    Losses:
        * L_D = -E log sig(D(x + e)) - E log(1 - sig(D(G(z) + e))), e ~ N(0, s^2 I) for each image
        * L_G = -E log sig(D(G(z) + e))
        * s falls linearly from instance_noise to 0 over the training

    Deviations:
        * paper: the uniform nets and the settings of `nsgan`, so that one thing differs; the linear fall is that of the
          first author's notes, where the papers leave it open.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with instance_noise=0.1: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        instance_noise: float = option(0.1, source="its author's notes: sigma 0.1, annealed")

    config: Config

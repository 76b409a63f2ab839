"""LOGAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "logan",
    family="trick",
    year=2019,
    paper="Wu et al.: LOGAN: Latent Optimisation for Generative Adversarial Networks, arXiv:1912.00953",
)
class LOGAN(NSGAN):
    """GAN that trains on latents which have been moved to where D scores higher.

    Losses:
        * z' = z + m dz, dz = latent_step g / (0.1 + ||g||^2), g_i = grad_{z_i} sum_j D(G(z)_j), m = 1 for 80 % of the
          latents, else 0
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z')))), differentiated through dz
        * L_G = -E log sig(D(G(z'))) + 0.1 E ||m dz||^2, differentiated through dz

    Deviations:
        * paper: z is normal and z' not clipped, where it is uniform; evaluation draws z and moves nothing; the weight
          of the distance is StudioGAN's, which adds it to D's loss too and takes dz before the mask; batch norm in the
          uniform G couples the images of a batch, so that g_i has a part of the others' scores; the uniform nets and
          the settings of `nsgan`, but without batch norm and dropout in D.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with bn=off, dropout=0, latent_step=0.9: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        bn: bool = option(False, source="it would couple the latents of a batch beyond what G's does")
        dropout: float = option(0.0, source="its noise would enter the gradient that latents follow")
        latent_step: float = option(0.9, source="paper: alpha 0.9")

    config: Config

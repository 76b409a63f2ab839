"""Top-k training."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.registry import register
from gans.standard.nsgan import NSGAN


@register(
    "topk_gan",
    family="trick",
    year=2020,
    paper="Sinha et al.: Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples, "
    "arXiv:2002.06224",
)
class TopKGAN(NSGAN):
    """GAN whose G learns from its best fakes only.

    Losses:
        * L_D = -E log sig(D(x)) - E log(1 - sig(D(G(z))))
        * L_G = the mean of -log sig(D(G(z))) over the k fakes with the largest D(G(z))
        * k falls linearly from N to top_k N over the training

    Deviations:
        * paper: k falls by a factor of 0.99 an epoch to 0.75 or 0.5 N; here with the share of the training, so that it
          falls in short ones too; the uniform nets and the settings of `nsgan`, so that one thing differs.
        * tutorial: has no such script.

    Same as:
        * `nsgan` with top_k=0.5: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(NSGAN.Config):
        top_k: float = option(0.5, source="paper, section 3.2: at least half a batch")

    config: Config

"""SNGAN."""

from __future__ import annotations

from dataclasses import dataclass

from gans.config import option
from gans.factors import LIPSCHITZ
from gans.registry import register
from gans.standard.hinge import Hinge


@register(
    "sngan",
    family="regularised",
    year=2018,
    paper="Miyato et al.: Spectral Normalization for Generative Adversarial Networks, arXiv:1802.05957",
)
class SNGAN(Hinge):
    """Hinge GAN whose D has every weight divided by its largest singular value.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+
        * L_G = -E D(G(z))
        * every weight of D, the head's too, is W / sigma(W), W as a matrix [outputs, the rest]; sigma by one power
          iteration a forward pass in train mode

    Deviations:
        * paper: the uniform nets; D's optimiser settings are those of its plain CNNs (Adam 2e-4, 0.5, 0.999, one turn),
          not of its ResNets (0, 0.9, five turns).
        * tutorial: has no such script.

    Same as:
        * `hinge` with bn=off, dropout=0, spectral_norm=on: bit for bit
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(Hinge.Config):
        bn: bool = option(False, source="paper: none in D; its scale would undo the normalisation")
        dropout: float = option(0.0, source="paper: none")
        spectral_norm: bool = option(True, source="paper")

    config: Config
    conflicts = Hinge.conflicts | LIPSCHITZ

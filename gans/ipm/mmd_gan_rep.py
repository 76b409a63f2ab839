"""MMD GAN with the repulsive loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from gans import kernels
from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.factors import SINGLE_CODES
from gans.registry import register


@register(
    "mmd_gan_rep",
    family="ipm",
    year=2018,
    paper="Wang, Sun, Halgamuge: Improving MMD-GAN Training with Repulsive Loss Function, arXiv:1812.09916",
)
class MMDGANRep(GAN):
    """MMD GAN whose D, spectrally normalised, drives the codes of reals apart and those of fakes together.

    Losses:
        * L_D = E k(h(x), h(x')) - E k(h(G(z)), h(G(z'))) over pairs of different images,
          k(a, b) = exp(-||a - b||^2 / 2)
        * kernel=bounded, in L_D only: squared distances of reals at most 4, of fakes at least 0.25
        * L_G = the unbiased squared MMD of h(x) and h(G(z)), k unbounded

    Deviations:
        * paper: spectral norm as torch has it, of the reshaped weight, where the paper's is that of the convolution;
          without the constant that the authors multiply each normalised layer by, since the uniform trunk has 3 layers
          and not 8; cross terms over all pairs, where their code leaves out i = j; learning rates do not decay. D is
          the uniform trunk with 16 outputs.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="batch norm's scale would undo the spectral norm")
        dropout: float = option(0.0, source="a code is to be one function of its image")
        lr_g: float = option(2e-4, source="authors' my_test_cifar.py")
        lr_d: float = option(5e-4, source="authors' my_test_cifar.py")
        n_d: int = option(1, source="authors' code")
        spectral_norm: bool = option(True, source="paper")
        code_dim: int = option(16, "length of the code h(x)", source="authors' my_test_cifar.py", low=2)
        kernel: str = option(
            "gaussian",
            "kernel of D's loss: gaussian, or bounded, which stops distances that are large or small enough",
            source="authors' my_test_cifar.py",
            choices=("gaussian", "bounded"),
        )

    config: Config
    conflicts = GAN.conflicts | SINGLE_CODES

    def build_discriminator(self) -> nn.Module:
        """images [N, 1, 28, 28] -> codes [N, code_dim]."""
        return self.uniform_discriminator(self.config.code_dim)

    def d_turn(self, batch: Batch) -> Scalars:
        real_codes, fake_codes = self.scores(batch.images), self.scores(self.constant_fakes(batch))
        real_kernel = fake_kernel = kernels.gaussian
        if self.config.kernel == "bounded":
            real_kernel, fake_kernel = partial(kernels.gaussian, high=4.0), partial(kernels.gaussian, low=0.25)
        loss = kernels.repulsive_d(real_kernel, fake_kernel, real_codes, fake_codes)
        return {"loss": loss, "mmd2": kernels.mmd2_unbiased(kernels.gaussian, real_codes, fake_codes)}

    def g_turn(self, batch: Batch) -> Scalars:
        real_codes, fake_codes = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": kernels.mmd2_unbiased(kernels.gaussian, real_codes, fake_codes)}

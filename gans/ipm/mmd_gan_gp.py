"""MMD GAN with a gradient penalty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from gans import kernels, penalties
from gans.base import GAN, Batch, Scalars
from gans.config import option
from gans.factors import CODES
from gans.registry import register


@register(
    "mmd_gan_gp",
    family="ipm",
    year=2018,
    paper="Binkowski et al.: Demystifying MMD GANs, arXiv:1801.01401",
)
class MMDGANGP(GAN):
    """GAN that minimises the MMD of codes h, learned by a critic with a penalty on the slope of MMD's witness.

    Losses:
        * M^2 = the unbiased squared MMD of h(x) and h(G(z)), k(a, b) = sum of (1 + ||a - b||^2 / (2 alpha))^-alpha over
          alpha in {0.1, 1, 10}, + linear a.b
        * L_D = -M^2 + lambda_gp E (||grad w(x^)||_2 - 1)^2 + lambda_act (E |layers(x)|^2 + E |layers(G(z))|^2);
          w(x^) = E_x k(h(x^), h(x)) - E_z k(h(x^), h(G(z))), the witness, x^ = e x + (1 - e) G(z), e ~ U[0, 1] an
          image; |layers|^2 = the mean square of each of D's layers' outputs, summed over the layers
        * L_G = M^2

    Deviations:
        * paper: kernel and weights as in the mnist.sh of the authors' code, whose estimator keeps a part of the linear
          kernel's diagonal; here it is left out. Neither its clipping of gradients to norm 1 nor its schedule of the
          learning rate. Images in [-1, 1], where a slope of 1 is one of 2 on that code's [0, 1]. z is normal, not
          uniform. D is the uniform trunk with 16 outputs.
        * tutorial: has no such script.
    """

    @dataclass(frozen=True, kw_only=True)
    class Config(GAN.Config):
        bn: bool = option(False, source="a slope per image needs a score per image")
        dropout: float = option(0.0, source="the slope and the codes are to be of one function")
        lr_g: float = option(1e-4, source="authors' main.py")
        lr_d: float = option(1e-4, source="authors' main.py")
        beta1: float = option(0.5, source="authors' main.py")
        beta2: float = option(0.9, source="authors' model.py")
        n_d: int = option(5, source="authors' main.py")
        code_dim: int = option(16, "length of the code h(x)", source="authors' mnist.sh", low=2)
        linear: float = option(1.0, "weight of the linear kernel", source="authors' mnist.sh", low=0)
        lambda_gp: float = option(1.0, "weight of the gradient penalty", source="authors' mnist.sh", low=0)
        lambda_act: float = option(1.0, "weight of the activation penalty", source="authors' mnist.sh", low=0)

    config: Config
    conflicts = GAN.conflicts | CODES | penalties.PER_IMAGE

    def build_discriminator(self) -> nn.Module:
        """images [N, 1, 28, 28] -> codes [N, code_dim]."""
        return self.uniform_discriminator(self.config.code_dim)

    @property
    def kernel(self) -> kernels.Kernel:
        """The mixture of rational quadratics with the linear kernel."""
        return partial(kernels.rational_quadratic, alphas=(0.1, 1.0, 10.0), linear=self.config.linear)

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images [N, 1, 28, 28] -> codes [N, code_dim], and the mean square of each layer's output, summed."""
        outputs: list[Tensor] = []
        layers = [m for m in self.discriminator.modules() if isinstance(m, nn.LeakyReLU | nn.ReLU)]
        hooks = [
            layer.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output)) for layer in layers
        ]
        codes: Tensor = self.discriminator(images)
        for hook in hooks:
            hook.remove()
        return codes, torch.stack([o.square().mean() for o in [*outputs, codes]]).sum()

    def d_turn(self, batch: Batch) -> Scalars:
        real, fake = self.see(batch.images), self.see(self.constant_fakes(batch))
        (real_codes, real_squares), (fake_codes, fake_squares) = self.encode(real), self.encode(fake)

        def witness(images: Tensor) -> Tensor:
            return kernels.witness(self.kernel, self.discriminator(images), real_codes, fake_codes)

        mmd2 = kernels.mmd2_unbiased(self.kernel, real_codes, fake_codes)
        penalty = self.config.lambda_gp * penalties.gradient_penalty(witness, real, fake, self.rng)
        activation = self.config.lambda_act * (real_squares + fake_squares)
        return {"loss": -mmd2 + penalty + activation, "mmd2": mmd2, "penalty": penalty, "activation": activation}

    def g_turn(self, batch: Batch) -> Scalars:
        real_codes, fake_codes = self.scores(batch.images), self.scores(self.fakes(batch))
        return {"loss": kernels.mmd2_unbiased(self.kernel, real_codes, fake_codes)}

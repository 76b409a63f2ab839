"""A third party's GAN: what CONTRIBUTING shows, as an installable package."""

from torch import Tensor
from torch.nn.functional import relu

from gans import GAN, register


@register(
    "example_gan",
    family="margin",
    year=2017,
    paper="Lim, Ye: Geometric GAN, arXiv:1705.02894",
)
class ExampleGAN(GAN):
    """GAN with the hinge loss.

    Losses:
        * L_D = E [1 - D(x)]_+ + E [1 + D(G(z))]_+
        * L_G = -E D(G(z))

    Deviations:
        * paper: the uniform nets.
    """

    def d_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return relu(1 - real_scores).mean() + relu(1 + fake_scores).mean()

    def g_loss(self, fake_scores: Tensor) -> Tensor:
        return -fake_scores.mean()

"""What G's turn minimises when a factor changes it: feature matching, mode seeking, LOGAN, unrolling, top-k."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.func import functional_call

from gans.losses import check_scores
from gans.networks import at_least_single

if TYPE_CHECKING:
    from gans.base import GAN, Batch, Scalars

LOGAN_DAMPING = 0.1
"""beta of the natural gradient; LOGAN paper."""
LOGAN_SHARE = 0.8
"""Share of the latents that are moved; LOGAN paper."""
LOGAN_TRANSPORT = 0.1
"""Weight in G's loss of the squared distance that latents were moved; StudioGAN's LOGAN.yaml."""


def best(scores: Tensor, share: float) -> Tensor:
    """The largest `share` of scores [N], at least one of them: [K]. Sinha et al. 2020, arXiv:2002.06224."""
    check_scores(scores)
    return scores.topk(max(round(share * len(scores)), 1)).values


def feature_distance(real: Tensor, fake: Tensor) -> Tensor:
    """||E phi(x) - E phi(G(z))||^2 of features [N, F]. Salimans et al. 2016, arXiv:1606.03498, section 3.1."""
    return (at_least_single(real).mean(0) - at_least_single(fake).mean(0)).square().sum()


def mode_seeking(images: Tensor, latent: Tensor) -> Tensor:
    """1 / (E |G(z1) - G(z2)| / E |z1 - z2| + 1e-5), z1 the first half of `latent` and z2 the second.

    Mao et al. 2019, arXiv:1903.05628, inverted to be minimised as in the official code.
    """
    (image1, image2), (z1, z2) = images.chunk(2), latent.chunk(2)
    return 1 / ((image1 - image2).abs().mean() / (z1 - z2).abs().mean() + 1e-5)


def natural_step(gradient: Tensor, alpha: float, damping: float = LOGAN_DAMPING) -> Tensor:
    """alpha g / (damping + ||g||^2) for every latent's gradient g, [N, L]. Wu et al. 2019, arXiv:1912.00953."""
    return alpha * gradient / (damping + gradient.square().sum(1, keepdim=True))


def risen_latents(gan: GAN, batch: Batch) -> tuple[Tensor, Tensor]:
    """LOGAN's latents and the mean squared distance by which they were moved, both differentiable.

    Each moves along g_i = grad_{z_i} sum_j D(G(z)_j), its own score's gradient but for batch norm in G, which couples
    the images of a batch.
    """
    latent = gan.latent(len(batch)).requires_grad_()
    (gradient,) = torch.autograd.grad(gan.scores(gan.generate(batch, latent)).sum(), latent, create_graph=True)
    moved = torch.rand(len(latent), 1, device=latent.device, generator=gan.rng) < LOGAN_SHARE
    step = moved * natural_step(gradient, gan.config.latent_step)
    return latent + step, step.square().sum(1).mean()


def unrolled_weights(gan: GAN, batch: Batch, steps: int, lr: float) -> dict[str, Tensor]:
    """D's weights after `steps` steps of gradient descent on its turn's loss, as functions of G's weights.

    Metz et al. 2017, arXiv:1611.02163; the graph is kept, for without it this is a mere look ahead.
    """
    weights: dict[str, Tensor] = {f"discriminator.{name}": p for name, p in gan.discriminator.named_parameters()}
    for _ in range(steps):
        loss = functional_call(gan, weights, (gan.d_turn, batch))["loss"]
        gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
        weights = {
            name: weight - lr * gradient for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        }
    return weights


def feature_matching_turn(gan: GAN, batch: Batch) -> Scalars:
    """G's loss where it matches D's features."""
    trunk: Callable[[Tensor], Tensor] = gan.discriminator.trunk  # type: ignore[assignment]
    # Features of reals are constants to G, unless it looks ahead to the D that they come from.
    with torch.set_grad_enabled(bool(gan.config.unroll)):
        real = trunk(gan.see(batch.images))
    return {"loss": feature_distance(real, trunk(gan.see(gan.fakes(batch))))}


def g_objective(gan: GAN, batch: Batch) -> Scalars:
    """G's loss with every factor that is on: the algorithm's own turn where none is."""
    config = gan.config
    turn = (lambda batch: feature_matching_turn(gan, batch)) if config.feature_matching else gan.g_turn
    if config.unroll:
        weights = unrolled_weights(gan, batch, config.unroll, config.unroll_lr)
        scalars: Scalars = functional_call(gan, weights, (turn, batch))
    else:
        scalars = turn(batch)
    if config.latent_step:
        scalars |= {"loss": scalars["loss"] + LOGAN_TRANSPORT * gan.transport, "transport": gan.transport}
    if config.mode_seeking:
        half = batch.rows(slice(0, len(batch) // 2)).repeated(2)
        latent = gan.latent(len(half))
        seeking = mode_seeking(gan.generate(half, latent), latent)
        scalars |= {"loss": scalars["loss"] + config.mode_seeking * seeking, "mode_seeking": seeking}
    return scalars

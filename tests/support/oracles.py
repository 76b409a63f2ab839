"""What tests of losses ask: a small GAN by name, one of its turns, D's optimum on two points, the slope of a loss."""

import torch

import gans
from gans.contract import make

# The data and the generator on two points, as counts of a batch of ten: every loss then sees the exact expectations.
POINTS_REAL, POINTS_FAKE = torch.tensor([0] * 8 + [1] * 2), torch.tensor([0] * 3 + [1] * 7)


def make_gan(name, **config):
    return make(gans.get(name), **config)


def turn(gan, name):
    return next(t for t in gan.turns() if t.name == name)


def optimum(loss):
    """The scores of the two points that minimise `loss(real scores, fake scores)`, found numerically."""
    scores = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [scores], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-18, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss(scores[POINTS_REAL], scores[POINTS_FAKE])
        value.backward()
        return value

    optimizer.step(closure)
    return scores.detach(), closure().item()


def slope(loss, *scores):
    """The derivative of `loss` with respect to each score vector."""
    leaves = [s.clone().requires_grad_() for s in scores]
    loss(*leaves).backward()
    return [leaf.grad for leaf in leaves]

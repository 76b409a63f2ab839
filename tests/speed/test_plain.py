"""Every algorithm's step is that of a plain runner, and DCGAN's that of a script which knows nothing of the harness."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from torch.optim import SGD

import gans
from bench.speed.naive import PEER, NaiveScript
from gans import contract
from gans.networks import Dropout, ImageConvolution, UpConvolution

CPU = torch.device("cpu")


class PlainDropout:
    """Dropout with the mask as it was first made: words compared, a product with booleans, a product with the scale.

    Random words are dealt out in the order of memory, so each call takes the strides that the runner's had.
    """

    def __init__(self, strides):
        self.strides = iter(strides)

    def __call__(self, layer, features):
        if not layer.training or layer.p == 0:
            return features
        words = torch.empty((features.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        keep = words.as_strided(features.shape, next(self.strides)) >= layer.threshold
        return features * keep * (1 / layer.keep_probability)


def plain_image_convolution(self, features):
    return F.conv2d(F.pad(features, (1, 2, 1, 2)), self.weight, self.bias)


def plain_up_convolution(self, features):
    return F.conv_transpose2d(features, self.weight, self.bias, 2, 1, self.output_padding)


def make_plain(gan, strides, monkeypatch):
    """Contiguous layout, no in-place activations, and torch's own layers in the place of ours."""
    gan.to(memory_format=torch.contiguous_format)
    for module in gan.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    dropout = PlainDropout(strides)
    monkeypatch.setattr(Dropout, "forward", lambda layer, features: dropout(layer, features))
    monkeypatch.setattr(ImageConvolution, "forward", plain_image_convolution)
    monkeypatch.setattr(UpConvolution, "forward", plain_up_convolution)


def strides_of_dropout(gan):
    """A list that fills with the strides of every input of a dropout layer in train mode."""
    strides = []
    for module in gan.modules():
        if isinstance(module, Dropout):
            module.register_forward_pre_hook(
                lambda layer, inputs: strides.append(inputs[0].stride()) if layer.training and layer.p else None
            )
    return strides


def ordinary(optimizer):
    """The same optimizer without its fused kernel, of parameters that have their gradients."""
    for group in optimizer.param_groups:
        if "fused" in group:
            group["fused"] = None
    return optimizer


@pytest.mark.parametrize("name", gans.names())
def test_a_step_is_that_of_a_plain_runner(name, float64, monkeypatch):
    """Losses, gradients and updated weights of all turns, in float64; both draw the same random numbers."""
    cls = gans.get(name)
    ours, plain = contract.make(cls), contract.make(cls)
    batch = contract.real_batch(field=ours.field)
    torch.manual_seed(1)
    strides = strides_of_dropout(ours)
    found = [(turn.take(batch), [p.grad for p in turn.parameters]) for turn in ours.turns()]
    make_plain(plain, strides, monkeypatch)
    torch.manual_seed(1)
    for turn, (scalars, gradients) in zip(plain.turns(), found, strict=True):
        plain.zero_grad()
        expected = turn.loss(batch)
        expected["loss"].backward()
        # Sums in another order: 1e-16 in each, which batch norm and the penalties' second derivatives enlarge.
        torch.testing.assert_close(scalars, expected, rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(gradients, [p.grad for p in turn.parameters], rtol=1e-6, atol=1e-9)
        ordinary(turn.optimizer).step()
        if turn.after is not None:
            turn.after()
    torch.testing.assert_close(ours.state_dict(), plain.state_dict(), rtol=1e-6, atol=1e-7)


def hwc_to_chw(rows):
    """Rows of 7 x 7 x 128 features in Keras's order -> the same rows in torch's."""
    return rows.reshape(7, 7, 128, *rows.shape[1:]).permute(2, 0, 1, *range(3, rows.ndim + 2)).reshape(rows.shape)


def copy_weights(gan, script):
    """Gives the script our weights, the 6,272 features in its own order."""
    with torch.no_grad():
        for ours, theirs in ((gan.generator, script.g), (gan.discriminator, script.d)):
            for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
                if mine.shape[0] == 6272:
                    its.copy_(hwc_to_chw(mine))
                elif mine.shape == (1, 6272):
                    its.copy_(hwc_to_chw(mine.T).T)
                else:
                    its.copy_(mine)


def test_the_naive_script_computes_what_ours_does(float64, monkeypatch):
    """Losses and gradients of a step, given equal weights, images and latents, and no dropout.

    Plain gradient descent in Adam's place: Adam's first step shows little more than a gradient's sign.
    """
    gan = contract.make(gans.get(PEER), dropout=0.0)
    batch = contract.real_batch(8)
    script = NaiveScript(batch.images, 8, CPU, dropout=0.0)
    copy_weights(gan, script)
    latents = [torch.randn(8, 100) for _ in range(2)]
    for owner in (gan, script):
        given = iter(latents)
        monkeypatch.setattr(owner, "latent", lambda n, given=given: next(given))
    descents = [replace(turn, optimizer=SGD(turn.parameters, lr=0.1)) for turn in gan.turns()]
    script.adam_d, script.adam_g = (SGD(net.parameters(), lr=0.1) for net in (script.d, script.g))
    losses = [turn.take(batch)["loss"].item() for turn in descents]
    assert list(script.step()) == pytest.approx(losses, rel=1e-10)
    after = NaiveScript(batch.images, 8, CPU, dropout=0.0)
    copy_weights(gan, after)
    for ours, theirs in ((after.g, script.g), (after.d, script.d)):
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            # Rounding as above: 1e-16 in a sum, enlarged where batch norm divides by little.
            torch.testing.assert_close(mine, its, rtol=1e-6, atol=1e-9)

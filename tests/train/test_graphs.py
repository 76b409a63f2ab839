"""What makes a turn fit for a CUDA graph, and needs no GPU to be seen: nothing changes from Python, places are kept."""

import pytest
import torch

import gans
from bench.train.graphs import put_back
from gans.contract import make, real_batch

ANNEALED = {"instance_noise", "js_reg", "lecam", "pggan", "r3gan", "topk_gan"}
"""Rows whose settings change along the training."""


@pytest.mark.parametrize("name", gans.names())
def test_rows_that_ask_for_the_progress_are_those_that_are_annealed(name):
    gan = make(gans.get(name))
    turns = gan.turns()
    gan.progress = 0.3
    gan.progress_was_read = False
    for turn in turns:
        turn.take(real_batch(field=gan.field))
    assert gan.progress_was_read == (name in ANNEALED)


@pytest.mark.parametrize("name", gans.names())
def test_buffers_are_put_back_with_their_values(name):
    """As in a replay: the next update reads what this one wrote, from where the first one read."""

    def trained(after):
        gan = make(gans.get(name))
        turns, places = gan.turns(), dict(gan.named_buffers())
        for _ in range(2):
            for turn in turns:
                turn.take(real_batch(field=gan.field))
                after(gan, places)
        return gan, places

    kept, places = trained(put_back)
    assert all(buffer is places[key] for key, buffer in kept.named_buffers())
    plain, _ = trained(lambda *_: None)
    for key, value in plain.state_dict().items():
        assert torch.equal(value, kept.state_dict()[key]), key


def test_a_batch_is_copied_whole_and_into_its_own_memory():
    batch = real_batch(field=make(gans.get("ccgan")).field)
    copy = batch.copy()
    assert len(copy.parts()) == len(batch.parts()) == 4
    for own, part in zip(copy.parts(), batch.parts(), strict=True):
        assert torch.equal(own, part)
        assert own.data_ptr() != part.data_ptr()

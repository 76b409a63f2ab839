"""What makes a turn fit for a CUDA graph, and needs no GPU to be seen: nothing changes from Python, places are kept."""

from contextlib import nullcontext

import pytest
import torch

import gans
from bench.train.graphs import WARM_UP, Replayed, put_back
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


class Place:
    """A stream or a graph, of which there is none here."""

    def __getattr__(self, _):
        return lambda *_: None


ANNEALED_TURN = ("topk_gan", "g")


class OnCpu(Replayed):
    """Captures by taking the update, which a GPU would not do, and replays by taking it again, as a GPU does."""

    def _capture(self, batch):
        super()._capture(batch)

        def again():
            places = dict(self._gan.named_buffers())
            self._values.copy_(torch.stack(list(self._turn.take(self._batch).values())))
            put_back(self._gan, places)

        self._graph.replay = again


@pytest.fixture
def on_cpu(monkeypatch):
    """torch's streams and graphs played without a GPU."""
    for name in ("CUDAGraph", "Stream", "current_stream", "default_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: Place())
    for name in ("graph", "stream"):
        monkeypatch.setattr(torch.cuda, name, lambda *_, **__: nullcontext())


def batches(gan, sizes):
    for number, n in enumerate(sizes):
        whole = real_batch(n, gan.field)
        yield whole.rows(torch.arange(n).roll(number))


@pytest.mark.parametrize("name", ["dcgan", "bgan", "began", "topk_gan", "sngan", "acgan"])
def test_what_is_replayed_is_the_turn_on_the_new_batch(name, on_cpu):
    """Scalars too, of which one of bgan and of began is a buffer; a batch of another size is taken as ever."""
    sizes = [8] * WARM_UP + [8, 8, 4, 8]
    replayed, plain = (make(gans.get(name), dropout=0.0) for _ in range(2))
    players = [OnCpu(turn, replayed) for turn in replayed.turns()]
    turns = plain.turns()
    for number, (batch, same) in enumerate(zip(batches(replayed, sizes), batches(plain, sizes), strict=True)):
        for player, turn in zip(players, turns, strict=True):
            replayed.progress = plain.progress = number / 10
            if number == WARM_UP and (name, turn.name) != ANNEALED_TURN:
                turn.take(same)  # the capture, see `OnCpu`
            expected, found = turn.take(same), player.take(batch)
            assert list(found) == list(expected)
            for key, value in expected.items():
                assert torch.equal(found[key], value), (number, turn.name, key)
    for key, value in plain.state_dict().items():
        assert torch.equal(value, replayed.state_dict()[key]), key
    for player, turn in zip(players, turns, strict=True):
        assert (player._graph is None) == ((name, turn.name) == ANNEALED_TURN)


def test_a_turn_that_cannot_be_captured_says_how_to_go_on(on_cpu, monkeypatch):
    gan = make(gans.get("dcgan"))
    player = Replayed(gan.turns()[0], gan)
    for batch in batches(gan, [8] * WARM_UP):
        player.take(batch)

    def refuses(*_):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(gan.discriminator, "forward", refuses)
    reason = r"turn d cannot be captured \(operation not permitted when stream is capturing\); leave --graphs out"
    with pytest.raises(RuntimeError, match=reason):
        player.take(real_batch(8, gan.field))

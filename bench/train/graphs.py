"""Turns as CUDA graphs: all kernels of an update, captured once and replayed together.

These nets are so small that a GPU waits for Python to launch the next kernel. A replay repeats what was captured, so a
turn qualifies that does the same in every step: one that never asks how much of the training is done
(`GAN.progress`); whatever else changes from step to step is in buffers and optimizers, which live on the device. The
numbers are those of the kernels alone: same operations, same order, same random streams.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.errors import first_line
from gans import GAN, Batch, Scalars, Turn

WARM_UP = 3
"""Updates before the capture, in which libraries choose their kernels and optimizers make their state."""


class Replayed:
    """Takes a turn's updates as `Turn.take` does: at first like it, then by replaying one of them."""

    def __init__(self, turn: Turn, gan: GAN) -> None:
        self._turn, self._gan = turn, gan
        self._taken = 0
        self._annealed = False
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream = _side_stream(gan.device)

    def take(self, batch: Batch) -> Scalars:
        """One update; gives the scalars of its loss. A batch of another size than the captured one is taken as ever."""
        if self._annealed or (self._graph is not None and len(batch) != len(self._batch)):
            return self._turn.take(batch)
        if self._taken < WARM_UP:
            return self._warm_up(batch)
        if self._graph is None:
            self._capture(batch)
        assert self._graph is not None
        for place, new in zip(self._batch.parts(), batch.parts(), strict=True):
            place.copy_(new)
        self._graph.replay()
        return dict(zip(self._names, self._values.clone().unbind(), strict=True))

    def _warm_up(self, batch: Batch) -> Scalars:
        """An update on the stream of the capture; finds out whether the turn may be captured."""
        self._taken += 1
        self._gan.progress_was_read = False
        current = torch.cuda.current_stream(self._gan.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            scalars = self._turn.take(batch)
        current.wait_stream(self._stream)
        self._annealed = self._gan.progress_was_read
        return scalars

    def _capture(self, batch: Batch) -> None:
        """Raises RuntimeError, with the turn's name and a way out, where the turn does what a graph cannot hold."""
        _keep_on_device(self._turn)
        self._batch = batch.copy()
        graph = torch.cuda.CUDAGraph()
        if self._gan.rng is not None:
            graph.register_generator_state(self._gan.rng)
        try:
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                places = dict(self._gan.named_buffers())
                scalars = self._turn.take(self._batch)
                # A copy, before buffers are put back: a scalar may be one of them.
                self._names, self._values = list(scalars), torch.stack(list(scalars.values()))
                put_back(self._gan, places)
        except RuntimeError as error:
            cause = first_line(error.__context__ or error)
            raise RuntimeError(f"turn {self._turn.name} cannot be captured ({cause}); leave --graphs out") from error
        self._graph = graph


def _side_stream(device: torch.device) -> torch.cuda.Stream:
    """The current stream where it is a trial's own, else a new one: the default stream takes no captures.

    A turn warms up where it is captured, as autograd and cuBLAS remember streams, and graphs that may run at once must
    not share one.
    """
    current = torch.cuda.current_stream(device)
    return torch.cuda.Stream(device) if current == torch.cuda.default_stream(device) else current


def put_back(gan: GAN, places: dict[str, Tensor]) -> None:
    """Copies every buffer that is another tensor now to where it was: a replay reads and writes the same places."""
    for name, buffer in list(gan.named_buffers()):
        place = places[name]
        if buffer is not place:
            place.copy_(buffer)
            module, _, own = name.rpartition(".")
            gan.get_submodule(module)._buffers[own] = place


def _keep_on_device(turn: Turn) -> None:
    """Lets the optimizer count its steps on the device, also one that was resumed from a training without graphs."""
    for group in turn.optimizer.param_groups:
        if "capturable" in group:
            group["capturable"] = True
    for parameter, state in turn.optimizer.state.items():
        if isinstance(state.get("step"), Tensor):
            state["step"] = state["step"].to(parameter.device)

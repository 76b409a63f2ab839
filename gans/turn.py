"""What a step is made of: a batch of reals, and the turns that the players take on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gans.errors import GANError

Scalars = dict[str, Tensor]


@dataclass(frozen=True)
class Batch:
    """Real images float32 [N, 1, 28, 28] in [-1, 1], their labels int64 [N], and what they are to be made from."""

    images: Tensor
    labels: Tensor
    source: Tensor | None = None
    """What `generate` is to make an image of, float32 [N, C, H, W]; on image-to-image fields only."""
    known: Tensor | None = None
    """1 where the source's pixel is the image's, 0 in the hole, float32 [N, 1, H, W]; where there are holes only."""

    def __len__(self) -> int:
        return len(self.images)

    def _slots(self) -> tuple[Tensor | None, ...]:
        return self.images, self.labels, self.source, self.known

    def parts(self) -> list[Tensor]:
        """The tensors that it has, always in the same order."""
        return [part for part in self._slots() if part is not None]

    def copy(self) -> Batch:
        """The batch in memory of its own."""
        return self._each(torch.clone)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(*(None if part is None else change(part) for part in self._slots()))  # type: ignore[arg-type]

    def rows(self, rows: slice | Tensor) -> Batch:
        """Some of its elements."""
        return self._each(lambda part: part[rows])

    def repeated(self, times: int) -> Batch:
        """The batch after itself, `times` times in all."""
        return self._each(lambda part: torch.cat([part] * times))

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return self._each(lambda part: part.to(device))


@dataclass(frozen=True)
class Turn:
    """One player's update.

    `loss` takes a batch and gives scalars, of which "loss" is minimised with respect to the optimizer's parameters; the
    others are logged. `every` = k takes the turn in each k-th step. `after` runs when the update is done.
    """

    name: str
    loss: Callable[[Batch], Scalars]
    optimizer: Optimizer
    every: int = 1
    after: Callable[[], None] | None = None

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The player's parameters: those that its optimizer holds."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def take(self, batch: Batch) -> Scalars:
        """One update of this player, whether due or not; gives the scalars of its loss, detached.

        Gradients are taken with respect to the player's own parameters alone, which leaves the others' untouched and
        spares D's weight gradients in G's turn. Raises GANError for a loss that is not one number.
        """
        self.optimizer.zero_grad(set_to_none=True)
        scalars = self.loss(batch)
        loss = scalars["loss"]
        if loss.ndim:
            raise GANError(f"the loss of turn '{self.name}' has shape {list(loss.shape)}: take its mean")
        loss.backward(inputs=self.parameters)
        self.optimizer.step()
        if self.after is not None:
            self.after()
        return {name: value.detach() for name, value in scalars.items()}

"""What a generator made, as it goes from the trainer to whatever scores or draws it. All on the CPU."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gans import Batch


@dataclass(frozen=True)
class Samples:
    """Generated elements, and what belongs to them."""

    images: Tensor
    """As a data set holds them: uint8 [N, 1, 28, 28], or curves float32 [N, 1, 1, 16]."""
    asked: Batch | None = None
    """What each was made from and what it may be compared with; None where it was not made from anything."""
    labels: Tensor | None = None
    """The digits that were asked for, int64 [N]; None where the generator does not obey labels."""
    clusters: Tensor | None = None
    """The class of its own that each latent asked for, int64 [N]; None where the algorithm has none."""
    back: Tensor | None = None
    """`asked.images` translated to the kind of the source; None where there is no way back."""
    cycled: Tensor | None = None
    """`images` translated back, what should be the source again; None where there is no way back."""

    def first(self, n: int) -> Samples:
        """The first n of them."""

        def head(part: Tensor | None) -> Tensor | None:
            return None if part is None else part[:n]

        asked = None if self.asked is None else self.asked.rows(slice(n))
        others = map(head, (self.labels, self.clusters, self.back, self.cycled))
        return Samples(self.images[:n], asked, *others)

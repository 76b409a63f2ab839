"""What a yardstick is: it scores generated elements, by metrics named by `bench.protocol.metric_name`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import Tensor

from bench.samples import Samples

if TYPE_CHECKING:
    from bench.features.memorisation import Memory


class Yardstick(ABC):
    """One frozen yardstick for all trials of a run."""

    extractor_hash: str
    inception_hash = ""
    """12 hex digits of Inception's weights, for the protocol; empty without them."""
    notice: str | None = None
    """What it leaves out and how to get it, in one line."""
    memory: Memory | None = None
    """Of the training images, where samples are looked for among them."""

    @abstractmethod
    def judge(self, samples: Samples, *, final: bool = True) -> dict[str, float]:
        """Scores of samples; `final=False`, during training, leaves out what takes long."""

    @abstractmethod
    def floor(self, images: Tensor, n: int) -> dict[str, float]:
        """Scores of `n` of the real elements, what generated ones may hope for; {} where there are fewer."""

    def reference_real(self) -> dict[str, float]:
        """Such scores without any data, by what is shipped."""
        return {}

    def left_out(self, n: int) -> str:
        """Its usual metrics that n images do not allow, in words."""
        return ""

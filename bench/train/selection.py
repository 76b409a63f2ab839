"""Selection of a step: the weights that had the lowest FID against validation images are those that are scored.

Takes scores and networks, gives the networks back as they were then. The validation images are training images that
nobody trains on; test images have no part in it, or the final score would be of what was chosen by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from bench.train.loop import Loop

VALIDATION_FID = "validation_fid"
"""The metric that decides."""


class Best:
    """The best weights so far."""

    def __init__(self) -> None:
        self.fid = math.inf
        self.step = 0
        self._weights: dict[str, Any] = {}

    def offer(self, fid: float, loop: Loop) -> None:
        """Keeps what the loop holds now, if its FID is the lowest; of equal ones the first stays."""
        if fid < self.fid:
            self.fid, self.step = fid, loop.counts.steps
            networks = {"networks": loop.gan.state_dict(), "generator": loop.generator.state_dict()}
            self._weights = deepcopy(networks | {"progress": loop.gan.progress})

    def put_back(self, loop: Loop) -> None:
        """Makes the loop's networks what they were at the best step; those that grow follow the progress."""
        loop.gan.load_state_dict(self._weights["networks"])
        loop.generator.load_state_dict(self._weights["generator"])
        loop.gan.progress = self._weights.get("progress", 1.0)  # a checkpoint of an older version has none

    def state_dict(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        return {"fid": self.fid, "step": self.step, "weights": self._weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from there."""
        self.fid, self.step, self._weights = state["fid"], state["step"], state["weights"]

"""The harness: plans a grid, trains, scores and records each trial. Knows algorithms only through the registry."""

from __future__ import annotations

__version__ = "0.1.0"

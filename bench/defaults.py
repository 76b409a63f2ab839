"""What the command line, which imports nothing heavy, and the rest of the harness must agree on. Knows nothing else."""

from __future__ import annotations

EXPERIMENT = "bench"
"""The MLflow experiment."""
CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints of a trial."""
BUDGETS = ("steps", "epochs", "g_updates")
"""The units of a budget, each an option of `bench run`."""

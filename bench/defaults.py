"""What the command line or reports, which import nothing heavy, and the rest of the harness must agree on."""

from __future__ import annotations

EXPERIMENT = "bench"
"""The MLflow experiment."""
CHECKPOINT_EVERY = 60.0
"""Seconds between two checkpoints of a trial."""
BUDGETS = ("steps", "epochs", "g_updates")
"""The units of a budget, each an option of `bench run`."""
BN_CHOICES = {"on": (True,), "off": (False,), "on/off": (True, False), "on,off": (True, False)}
"""What --bn takes, and the values of the factor."""
EMBEDDED = "mnist5k"
"""The name of the 5,000 digits that stand in for MNIST where it is not at hand."""
MODES = 1_000
"""Of stacked digits."""

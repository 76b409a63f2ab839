"""Many trials and processes, and none of what takes them longer."""

import pytest


@pytest.fixture(autouse=True)
def quick(quick):
    """For every test here."""

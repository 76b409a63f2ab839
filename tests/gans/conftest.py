"""Data that the learning tests share."""

import pytest


@pytest.fixture
def two_digits(digits):
    """1,000 zeros and ones in [-1, 1]."""
    return digits.images[digits.labels < 2][:1000].float() / 127.5 - 1

"""What tests of algorithms share."""

import pytest
import torch


@pytest.fixture
def float64():
    """Double precision where nothing else is asked for."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def two_digits(digits):
    """1,000 zeros and ones in [-1, 1]."""
    return digits.images[digits.labels < 2][:1000].float() / 127.5 - 1

"""The exceptions of this package; each message is one line for the user.

GANError
 +-- ConfigError         a field or value that an algorithm's Config does not allow (also a ValueError)
 +-- UnknownAlgorithm    a name that nothing is registered under (also a LookupError)
 +-- RegistrationError   a duplicate or ill-formed name, or a class that is no GAN (also a ValueError)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GANError(Exception):
    """Root of this package's errors."""


class ConfigError(GANError, ValueError):
    """A field or a value that the algorithm's Config does not allow."""


class UnknownAlgorithm(GANError, LookupError):
    """No algorithm is registered under this name."""


class RegistrationError(GANError, ValueError):
    """An algorithm that cannot be registered."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'wgan_gp'?` for the nearest names, all lower-case, or the empty string when none is near."""
    near = difflib.get_close_matches(name.lower(), list(known), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""

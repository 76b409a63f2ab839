"""GAN algorithms on one uniform field. Imports torch only and knows nothing of the harness.

An algorithm is a subclass of `GAN`, registered with `@register`; see CONTRIBUTING for one in five minutes.
"""

from __future__ import annotations

from gans.base import GAN, Batch, Scalars, Turn
from gans.config import BaseConfig, Option, option
from gans.errors import ConfigError, GANError, RegistrationError, UnknownAlgorithm
from gans.registry import AlgorithmInfo, families, get, names, register

__all__ = [
    "GAN",
    "AlgorithmInfo",
    "BaseConfig",
    "Batch",
    "ConfigError",
    "GANError",
    "Option",
    "RegistrationError",
    "Scalars",
    "Turn",
    "UnknownAlgorithm",
    "families",
    "get",
    "names",
    "option",
    "register",
]

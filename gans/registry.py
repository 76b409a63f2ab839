"""The registry: names -> algorithms.

Built-in algorithms register by being a module below `gans`; third parties by an entry point in the group
`gans.algorithms` whose value names a module to import or a function to call.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import itertools
import pkgutil
import re
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from typing import TypeVar

import gans
from gans.base import GAN
from gans.errors import GANError, RegistrationError, UnknownAlgorithm, did_you_mean

ENTRY_POINTS = "gans.algorithms"
TRACKS = ("noise-to-image", "label-conditional", "architecture", "inference", "image-to-image", "curves")

_algorithms: dict[str, type[GAN]] = {}
_Algorithm = TypeVar("_Algorithm", bound=type[GAN])


@dataclass(frozen=True)
class AlgorithmInfo:
    """What is said of an algorithm in lists and tables."""

    name: str
    family: str
    year: int
    paper: str
    track: str
    needs_labels: bool
    reference: bool
    """Whether it is no GAN and only stands beside them, never named the best."""
    summary: str
    losses: tuple[str, ...]
    deviations: tuple[str, ...]
    same_as: tuple[str, ...]
    """Rows that are the same or close to it, each with how."""

    def relations(self) -> dict[str, tuple[str, ...]]:
        """`same_as` by how near: the rows of 'Same as' train bit for bit alike and are no evidence of their own."""
        same = tuple(item for item in self.same_as if "bit for bit" in item)
        return {"Same as": same, "Close to": tuple(item for item in self.same_as if item not in same)}


def _section(docstring: str, title: str) -> tuple[str, ...]:
    """The items, one a `* ` bullet, of the docstring's section `Title:`."""
    match = re.search(rf"^{title}:\n((?:[ ]+.*\n?|\n)*)", docstring, re.MULTILINE)
    items = re.split(r"^\s*\* ", match.group(1), flags=re.MULTILINE)[1:] if match else []
    return tuple(" ".join(item.split()) for item in items)


def register(
    name: str,
    *,
    family: str,
    year: int,
    paper: str,
    track: str = "noise-to-image",
    needs_labels: bool = False,
    reference: bool = False,
) -> Callable[[_Algorithm], _Algorithm]:
    """Class decorator that registers a GAN under `name`.

    The class docstring is its documentation: a summary line, and the sections `Losses:`, `Deviations:` and, where there
    is such a row, `Same as:` ("`name` with field=value: how"), one `* ` bullet an item. Raises RegistrationError on an
    ill-formed or taken name, an unknown track, no GAN, or one that has a name already.
    """

    def add(cls: _Algorithm) -> _Algorithm:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise RegistrationError(f"algorithm name '{name}' must be lower-case letters, digits and underscores")
        if name in _algorithms:
            taken = _algorithms[name]
            raise RegistrationError(
                f"algorithm '{name}' is already registered by {taken.__module__}; choose another name"
            )
        if not (isinstance(cls, type) and issubclass(cls, GAN)):
            raise RegistrationError(f"algorithm '{name}' must be a subclass of gans.GAN, not {cls!r}")
        if "info" in vars(cls):
            raise RegistrationError(
                f"algorithm '{name}': {cls.__name__} is registered as '{cls.info.name}' already; register a subclass"
            )
        if track not in TRACKS:
            raise RegistrationError(f"algorithm '{name}': unknown track '{track}'; one of {', '.join(TRACKS)}")
        docstring = inspect.cleandoc(cls.__doc__ or "")
        cls.info = AlgorithmInfo(
            name=name,
            family=family,
            year=year,
            paper=paper,
            track=track,
            needs_labels=needs_labels,
            reference=reference,
            summary=docstring.partition("\n")[0],
            losses=_section(docstring, "Losses"),
            deviations=_section(docstring, "Deviations"),
            same_as=_section(docstring, "Same as"),
        )
        _algorithms[name] = cls
        return cls

    return add


@cache
def _import_families() -> None:
    """Imports every built-in algorithm; raises GANError for a file that cannot be imported."""
    for family in pkgutil.iter_modules(gans.__path__):
        if family.ispkg:
            package = importlib.import_module(f"gans.{family.name}")
            for module in pkgutil.iter_modules(package.__path__):
                _import(f"{package.__name__}.{module.name}")


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except GANError:
        raise
    except Exception as error:  # a file that someone is writing
        frame = traceback.extract_tb(error.__traceback__)[-1]
        # A SyntaxError names its own file and line.
        place = "" if isinstance(error, SyntaxError) else f" ({frame.filename}, line {frame.lineno})"
        raise GANError(
            f"{module} cannot be imported: {type(error).__name__}: {error}{place}; mend its file or move it away"
        ) from error


@cache
def _plugins() -> Iterator[EntryPoint]:
    """Those not loaded yet: one iterator for all, so that a plugin which asks for names begins nothing anew."""
    return iter(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _load() -> None:
    """Imports every built-in algorithm and every plugin, once; a broken plugin is a warning that names it."""
    _import_families()
    for entry_point in _plugins():
        try:
            loaded = entry_point.load()
            if inspect.isfunction(loaded):
                loaded()
        except Exception as error:  # a stranger's plugin must not take the others down
            warnings.warn(
                f"algorithm plugin '{entry_point.name}' ({entry_point.value}) is left out: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )


def names() -> list[str]:
    """Every registered name, sorted."""
    _load()
    return sorted(_algorithms)


def get(name: str) -> type[GAN]:
    """The algorithm registered under `name`; UnknownAlgorithm with the nearest names, or a family's, if none is."""
    _load()
    if name in _algorithms:
        return _algorithms[name]
    if name in families():
        members = ", ".join(cls.info.name for cls in families()[name])
        raise UnknownAlgorithm(f"'{name}' is a family of algorithms: {members}; name one of them")
    hint = did_you_mean(name, _algorithms) or f"; {len(_algorithms)} are known"
    raise UnknownAlgorithm(f"unknown algorithm '{name}'{hint} ('bench list' shows all)")


def families() -> dict[str, list[type[GAN]]]:
    """Every registered algorithm by family, families in order of the alphabet, the older of a family first."""
    order = sorted(map(get, names()), key=lambda cls: (cls.info.family, cls.info.year, cls.info.name))
    return {family: list(members) for family, members in itertools.groupby(order, key=lambda cls: cls.info.family)}

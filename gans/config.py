"""Typed settings of an algorithm: a frozen dataclass whose fields carry meaning, source and range.

Takes declarations (`option`), gives validated objects, their description for people and their parsing from text.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, get_type_hints

from gans.errors import ConfigError, did_you_mean

MOST = 1e300
"""No setting is as large; a whole number may be too large even to become a float."""
_BOOLEANS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


def option(
    default: Any,
    meaning: str | None = None,
    *,
    source: str | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[Any, ...] | None = None,
) -> Any:
    """A Config field: `meaning` with unit, `source` of the default, inclusive range or allowed `choices`.

    A subclass that only changes a default repeats nothing: what it leaves out is inherited.
    """
    given = {"meaning": meaning, "source": source, "low": low, "high": high, "choices": choices}
    return dataclasses.field(default=default, metadata={k: v for k, v in given.items() if v is not None})


@dataclass(frozen=True)
class Option:
    """What is known of one Config field."""

    name: str
    type: type
    default: Any
    meaning: str
    source: str
    low: float | None
    high: float | None
    choices: tuple[Any, ...] | None

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        if self.type is bool:
            return "on or off"
        kind = {int: "a whole number", float: "a number", str: "text"}[self.type]
        low = "" if self.low is None else f" of at least {self.low:g}"
        high = "" if self.high is None else f"{' and' if low else ' of'} at most {self.high:g}"
        return kind + low + high

    def validate(self, value: Any) -> Any:
        """The value itself, an int widened where a float is due; ConfigError when it is not allowed."""
        if self.type is float and type(value) is int:
            value = float(value) if abs(value) < MOST else math.inf
        wrong = type(value) is not self.type or (self.choices is not None and value not in self.choices)
        if not wrong and self.type in (int, float):
            wrong = (
                not abs(value) < MOST
                or (self.low is not None and value < self.low)
                or (self.high is not None and value > self.high)
            )
        if wrong:
            raise ConfigError(f"{self.name}={value}: allowed is {self.allowed}")
        return value

    def parse(self, text: str) -> Any:
        """The typed value that `text` means; ConfigError when it means none."""
        text = text.strip()
        value: Any = text
        try:
            if self.type is bool:
                value = _BOOLEANS.get(text.lower(), text)
            elif self.type in (int, float):
                value = self.type(text)
        except ValueError:
            pass
        return self.validate(value)


@dataclass(frozen=True, kw_only=True)
class BaseConfig:
    """Root of every Config: validates itself, describes itself, and survives a round trip through a dict."""

    def __post_init__(self) -> None:
        for spec in self.options():
            object.__setattr__(self, spec.name, spec.validate(getattr(self, spec.name)))

    @classmethod
    def options(cls) -> list[Option]:
        """Every field, described, metadata inherited from the classes that first declared it."""
        types = get_type_hints(cls)
        specs = []
        for field in dataclasses.fields(cls):
            known: dict[str, Any] = {}
            for parent in reversed(cls.__mro__):
                declared = parent.__dict__.get("__dataclass_fields__", {}).get(field.name)
                known.update(declared.metadata if declared is not None else {})
            specs.append(
                Option(
                    field.name,
                    types[field.name],
                    field.default,
                    known.get("meaning", ""),
                    known.get("source", ""),
                    known.get("low"),
                    known.get("high"),
                    known.get("choices"),
                )
            )
        return specs

    @classmethod
    def own_options(cls, base: type[BaseConfig]) -> list[Option]:
        """The fields that `base` lacks or gives another default."""
        shared = {spec.name: spec.default for spec in base.options()}
        return [spec for spec in cls.options() if spec.name not in shared or spec.default != shared[spec.name]]

    @classmethod
    def option(cls, name: str) -> Option:
        """The field called `name`; ConfigError with the nearest names when there is none."""
        specs = {spec.name: spec for spec in cls.options()}
        if name not in specs:
            allowed = did_you_mean(name, specs) or f"; fields are {', '.join(specs)}"
            raise ConfigError(f"unknown field '{name}'{allowed}")
        return specs[name]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The Config with these typed values; ConfigError on an unknown field or a value not allowed."""
        for name in values:
            cls.option(name)
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Every field and its value, in order of declaration."""
        return dataclasses.asdict(self)

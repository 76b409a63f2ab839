"""A plan's file: the options of `bench run` in YAML, checked against the options themselves.

Takes a file and the command's parameters, gives their values as the command line would. The JSON schema is made of the
same parameters. Nothing in a file is executed.
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from bench.defaults import BN_CHOICES
from bench.errors import BenchError

MOST_BYTES = 100_000
"""Of a file, which takes a second or two to parse."""
LISTS = {"algos", "metrics"}
"""Options whose text holds several names, with commas; a file may list them."""
TYPES = {"boolean": bool, "integer": int, "number": (int, float), "string": str, "array": list}
OWN = {"plan", "help", "schema", "no_timing"}
"""Parameters that say what to do with a plan, not what it is."""


def keys(parameters: Iterable[click.Parameter]) -> dict[str, click.Option]:
    """The keys that a file may have: the options' own names."""
    options = [option for option in parameters if isinstance(option, click.Option) and option.name not in OWN]
    return {option.opts[0].removeprefix("--"): option for option in options}


def _kind(option: click.Option) -> dict[str, Any]:
    """The JSON schema of an option's value."""
    kind = option.type
    if option.is_flag:
        return {"type": "boolean"}
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        limits = {"exclusiveMinimum" if kind.min_open else "minimum": kind.min, "maximum": kind.max}
        found = {name: limit for name, limit in limits.items() if limit is not None}
        return {"type": "integer" if isinstance(kind, click.IntRange) else "number"} | found
    if option.multiple or option.name in LISTS:
        return {"type": ["string", "array"], "items": {"type": "string"}}
    if option.name == "bn":  # YAML reads on and off as yes and no
        return {"type": ["string", "boolean"], "enum": [*BN_CHOICES, True, False]}
    return {"type": "string"}


def schema(parameters: Iterable[click.Parameter]) -> dict[str, Any]:
    """The JSON schema of a plan's file."""
    properties = {}
    for key, option in keys(parameters).items():
        properties[key] = {"description": option.help or ""} | _kind(option)
        if not (option.required or option.multiple) and isinstance(option.default, (bool, int, float, str)):
            properties[key]["default"] = option.default
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plan of bench run",
        "type": "object",
        "properties": properties,
        "required": ["algos"],
        "additionalProperties": False,
    }


def read(path: Path, parameters: Iterable[click.Parameter], context: click.Context) -> dict[str, Any]:
    """Parameter -> value, typed. BenchError names the file, the key, and what is allowed."""
    known = keys(parameters)
    values = {}
    for key, value in _mapping(path).items():
        if key not in known:
            from gans.errors import did_you_mean

            near = did_you_mean(key, known) if isinstance(key, str) else ""
            raise BenchError(f"{path}: unknown key {_shown(key)}{near or ';'} allowed are {', '.join(known)}")
        option = known[key]
        assert option.name is not None
        values[option.name] = _typed(path, key, option, value, context)
    return values


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a device may have no end
            raise BenchError(f"{path} is no file; a plan is one")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise BenchError(f"{path} has more than {MOST_BYTES:,} bytes, which no plan needs; split it into several")
        return content.decode()
    except FileNotFoundError as error:
        import gans

        if str(path) in gans.names():
            raise BenchError(
                f"no plan file '{path}'; algorithms are given with --algos, several with commas: --algos dcgan,lsgan"
            ) from error
        commas = "" if path.suffix in (".yaml", ".yml") else "; values of one option are joined with commas, no spaces"
        raise BenchError(f"no plan file '{path}'; write one with the options of 'bench run' as keys{commas}") from error
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read: {error}") from error


def _mapping(path: Path) -> Mapping[Any, Any]:
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML is not typed
        """Without aliases: a few lines of aliases of aliases stand for a text of any length. And without repeats."""

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                raise BenchError(f"{path}: aliases ('*name') are not taken; write out what they stand for")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            for name, times in Counter(names).items():
                if times > 1:
                    raise BenchError(f"{path}: the key {_shown(name)} stands there {times} times; write it once")
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    try:
        found = yaml.load(_text(path), Loader)
    except yaml.YAMLError as error:
        raise BenchError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise BenchError(f"{path} cannot be read, a value in it has no form of YAML's: {error}") from error
    if not isinstance(found, dict):
        raise BenchError(f"{path} holds no keys; a plan is made of lines like 'algos: dcgan, wgan_gp'")
    return found


def _shown(value: Any) -> str:
    """The beginning of a value, as Python writes it."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no more than 4,300 digits
        return "a number of thousands of digits"


def _typed(path: Path, key: str, option: click.Option, value: Any, context: click.Context) -> Any:
    kind = _kind(option)
    names = [kind["type"]] if isinstance(kind["type"], str) else kind["type"]
    fits = any(isinstance(value, TYPES[name]) for name in names)  # type: ignore[arg-type]
    if isinstance(value, bool) and "boolean" not in names:
        fits = False
    if isinstance(value, list) and not all(isinstance(item, str) for item in value):
        fits = False
    if not fits or ("enum" in kind and value not in kind["enum"]):
        allowed = ", ".join(map(str, kind["enum"])) if "enum" in kind else " or ".join(_WORDS[name] for name in names)
        raise BenchError(f"{path}: {key}: {_shown(value)}; allowed is {allowed}")
    if isinstance(value, bool) and not option.is_flag:
        value = "on" if value else "off"
    if option.name in LISTS and isinstance(value, list):
        value = ",".join(value)
    if option.multiple and isinstance(value, str):
        value = [value]
    try:
        return option.type_cast_value(context, value)
    except click.BadParameter as error:
        raise BenchError(f"{path}: {key}: {error.message}") from error
    except (ValueError, OverflowError) as error:
        raise BenchError(f"{path}: {key}: {_shown(value)} is far beyond any range") from error


_WORDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list of texts",
}

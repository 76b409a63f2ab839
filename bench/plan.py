"""The plan: a grid of algorithms and factors expanded into trials, with every meaningless cell a reported skip.

Takes text as the command line gives it, gives typed trials. Every mistake in it is one line (`BenchError`).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gans
from bench.defaults import BN_CHOICES
from bench.errors import BenchError
from bench.settings import as_text

Misfit = Callable[[type[gans.GAN], Any], str | None]
MOST_TRIALS = 100_000
"""Of one plan; so many take weeks on any machine."""


@dataclass(frozen=True)
class Cell:
    """An algorithm with one configuration: the trials that differ only in seed."""

    algorithm: str
    config: gans.GAN.Config

    @property
    def settings(self) -> dict[str, Any]:
        """`bn`, and every other field that differs from the algorithm's defaults."""
        return {
            spec.name: getattr(self.config, spec.name)
            for spec in type(self.config).options()
            if spec.name == "bn" or getattr(self.config, spec.name) != spec.default
        }

    @property
    def label(self) -> str:
        """The row's name, equal exactly for equal cells: 'dcgan bn=on lr_d=0.0004'."""
        return " ".join([self.algorithm, *(f"{name}={as_text(value)}" for name, value in self.settings.items())])

    @property
    def arguments(self) -> list[str]:
        """The arguments of `bench run` that name this cell."""
        settings = self.settings
        arguments = ["--algos", self.algorithm, "--bn", as_text(settings.pop("bn"))]
        for name, value in settings.items():
            arguments += ["--set", f"{name}={as_text(value)}"]
        return arguments


@dataclass(frozen=True)
class Trial:
    """A cell with one seed."""

    cell: Cell
    seed: int

    def fingerprint(self, protocol_id: str) -> str:
        """Sixteen hex digits, equal exactly when a rerun would repeat this trial under this protocol."""
        key = [self.cell.algorithm, self.cell.config.to_dict(), self.seed, protocol_id]
        return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.cell.label} seed={self.seed}"


@dataclass(frozen=True)
class Skip:
    """A cell that makes no sense, and why."""

    cell: Cell
    reason: str


@dataclass(frozen=True)
class Plan:
    """The grid, expanded. Trials run seed by seed, so that an interrupted run has whole comparisons."""

    trials: tuple[Trial, ...]
    skips: tuple[Skip, ...]

    @property
    def cells(self) -> list[Cell]:
        """The cells that will run, in order."""
        return list(dict.fromkeys(trial.cell for trial in self.trials))


def split_names(text: str) -> list[str]:
    """'dcgan, wgan' -> ['dcgan', 'wgan'], without repeats."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def algorithms(text: str) -> list[str]:
    """The names that `text` means, without repeats: of algorithms, of families, or all, with commas.

    An algorithm that is called like a family is the algorithm.
    """
    groups = {family: [cls.info.name for cls in members] for family, members in gans.families().items()}
    groups |= {"all": gans.names()} | {name: [name] for name in gans.names()}
    return list(dict.fromkeys(name for word in split_names(text) for name in groups.get(word, [word])))


def _factors(
    algorithm: str, bn: str | None, assignments: Iterable[str], all_names: Sequence[str]
) -> dict[str, list[Any]]:
    """Field -> its values for this algorithm, parsed by its Config."""
    config = gans.get(algorithm).Config
    factors: dict[str, list[Any]] = {} if bn is None else {"bn": list(BN_CHOICES[bn])}
    for assignment in assignments:
        target, separator, values = assignment.partition("=")
        owner, dot, field = target.strip().rpartition(".")
        if not separator or not field or not values.strip():
            raise BenchError(
                f"--set {assignment}: write field=value or algorithm.field=value, several values with commas"
            )
        if dot and owner not in all_names:
            raise BenchError(f"--set {assignment}: '{owner}' is not among the run's algorithms {', '.join(all_names)}")
        if dot and owner != algorithm:
            continue
        try:
            parsed = [config.option(field).parse(value) for value in values.split(",")]
        except gans.ConfigError as error:
            raise BenchError(
                f"--set {assignment}: {algorithm}: {error} ('bench show {algorithm}' lists all)"
            ) from error
        if field in factors:
            raise BenchError(f"--set {assignment}: {field} is given twice for {algorithm}; list its values with commas")
        factors[field] = list(dict.fromkeys(parsed))
    return factors


def expand(
    algorithms: Sequence[str],
    *,
    bn: str | None = None,
    assignments: Sequence[str] = (),
    seeds: int = 1,
    first_seed: int = 0,
    misfit: Misfit | None = None,
) -> Plan:
    """The grid algorithms x bn x assigned values x seeds; `misfit` says of the task why an algorithm cannot play.

    `bn` is on, off, on/off or None (each algorithm's own default). Raises BenchError on anything that cannot be meant.
    """
    if not algorithms:
        raise BenchError("no algorithm given; name some with --algos, 'bench list' shows all")
    if bn is not None and bn not in BN_CHOICES:
        raise BenchError(f"--bn {bn}: allowed is on, off or on/off")
    cells: list[Cell] = []
    skips: list[Skip] = []
    for algorithm in algorithms:
        cls = gans.get(algorithm)
        factors = _factors(algorithm, bn, assignments, algorithms)
        size = seeds * (len(cells) + len(skips) + math.prod(map(len, factors.values())))
        if size > MOST_TRIALS:
            raise BenchError(
                f"the grid has {size:,} trials or more, allowed are {MOST_TRIALS:,}; split it into several runs"
            )
        for values in itertools.product(*factors.values()):
            config = cls.Config.from_dict(dict(zip(factors, values, strict=True)))
            cell = Cell(algorithm, config)
            reason = cls.skip(config) or (misfit(cls, config) if misfit else None)
            if reason is None:
                cells.append(cell)
            else:
                skips.append(Skip(cell, reason))
    seed_range = range(first_seed, first_seed + seeds)
    return Plan(tuple(Trial(cell, seed) for seed in seed_range for cell in cells), tuple(skips))


def command(cell: Cell, *, seeds: int, first_seed: int, options: Sequence[str]) -> str:
    """The shell line that reruns a cell, `options` being those of the run that every cell shares."""
    arguments = ["bench", "run", *cell.arguments, "--seeds", str(seeds)]
    if first_seed:
        arguments += ["--first-seed", str(first_seed)]
    return shlex.join([*arguments, *options])

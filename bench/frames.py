"""Exported files: frames of results written as parquet or CSV by the file's ending, and read back exactly.

Two flat tables: rows in `results.parquet`, the points of their curves beside it in `results.curves.parquet`. Every
float survives to the last bit. Grids of samples may lie beside them (`bench.album`); weights, animations and pictures
of the latent space are not part of it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from bench.columns import CURVES, DTYPES, PROTOCOL, TRIALS, Column, typed
from bench.errors import BenchError, one_line
from bench.files import save
from bench.protocol import Protocol

FORMATS = (".parquet", ".csv")
SCHEMA = 2
"""Version of the columns; raise it when `bench.columns` or `bench.protocol.Protocol` change."""
MOST_CELLS = 200_000_000
"""Of a parquet file, which may promise far more than it takes on the disk."""
METRIC = r"[A-Za-z0-9][A-Za-z0-9_. -]*"
"""Names that every store takes."""
AGAIN = "write one with: bench export results.parquet"


def curves_path(path: Path) -> Path:
    """The file beside `path` that holds the points."""
    return path.with_name(f"{path.stem}.curves{path.suffix}")


def check_ending(path: Path) -> None:
    """BenchError unless it says in which format."""
    if path.suffix not in FORMATS:
        raise BenchError(f"{path}: the ending says in which format; allowed is {' or '.join(FORMATS)}")


def write(trials: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Writes both tables, each whole or not at all. BenchError for another ending."""
    check_ending(path)
    flat = trials.copy()
    for column in TRIALS:
        if column.kind == "json":
            flat[column.name] = flat[column.name].map(json.dumps).astype("str")
    flat.insert(0, "schema", SCHEMA)
    save(curves_path(path), _bytes(curves, path.suffix))
    save(path, _bytes(flat, path.suffix))


def _bytes(frame: pd.DataFrame, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".csv":
        # Readers end a line at a bare carriage return too, unless it is quoted.
        frame.to_csv(buffer, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    else:
        frame.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def read(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows and points of a file that `write` made.

    BenchError when it is none, is damaged, of another schema version, empty, or when the columns of a row's protocol do
    not give the protocol's id. Without the file of points there are none, which a warning says.
    """
    check_ending(path)
    trials = _rows(path)
    beside = curves_path(path)
    if not beside.exists():
        warnings.warn(f"{beside} is not there, so {path} has no curves", stacklevel=2)
        return trials, typed(pd.DataFrame(columns=[column.name for column in CURVES]), CURVES)
    curves = _table(_raw(beside), beside, CURVES)
    strange = set(curves["run_id"]) - set(trials["run_id"])
    if strange:
        raise BenchError(f"{beside} holds curves of runs that {path} lacks ({min(strange)[:8]} ...); export both again")
    return trials, curves


def _rows(path: Path) -> pd.DataFrame:
    raw = _raw(path)
    if "schema" not in raw:
        raise BenchError(f"{path} is no file of bench; {AGAIN}")
    others = set(raw["schema"].map(str)) - {str(SCHEMA)}
    if others:
        raise BenchError(
            f"{path} has schema version {', '.join(sorted(others))}, this bench reads {SCHEMA}; "
            "export it again with this version, or read it with the one that wrote it"
        )
    if raw.empty:
        raise BenchError(f"{path} holds no rows; {AGAIN}")
    trials = _table(raw.drop(columns="schema"), path, TRIALS)
    for number, row in enumerate(trials.to_dict("records"), start=1):
        if row["kind"] not in ("trial", "reference", "skip"):
            raise BenchError(f"{path}, row {number}: kind is '{row['kind']}'; allowed is trial, reference or skip")
        if _protocol_id(row) != row["protocol"]:
            raise BenchError(
                f"{path}, row {number} ({row['name']}): the columns of its protocol do not give the id "
                f"'{row['protocol']}', so they are not what was measured; export it again"
            )
        whole = isinstance(row["config"], dict) and isinstance(row["versions"], dict) and _is_texts(row["deviations"])
        if not whole or pd.isna(row["started"]):
            raise BenchError(f"{path}, row {number} ({row['name']}): no config, versions, deviations or start; {AGAIN}")
        if row["kind"] == "trial" and (pd.isna(row["seed"]) or not row["fingerprint"]):
            raise BenchError(f"{path}, row {number} ({row['name']}): a trial without seed or fingerprint; {AGAIN}")
    return trials


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _protocol_id(row: dict[Any, Any]) -> str | None:
    values = {name: row[name] for name in PROTOCOL}
    return None if any(pd.isna(value) for value in values.values()) else Protocol(**values).id


def _raw(path: Path) -> pd.DataFrame:
    """A file's table, of a CSV all as text."""
    try:
        if path.suffix == ".parquet":
            about = pq.read_metadata(path)
            if about.num_rows * about.num_columns > MOST_CELLS:
                raise ValueError(f"it promises {about.num_rows:,} rows of {about.num_columns:,} columns")
            return pd.read_parquet(path)
        frame = pd.read_csv(path, dtype="str", keep_default_na=False)
        # Only a line that is too short leaves something out.
        if frame.isna().any(axis=None) or not path.read_bytes().endswith(b"\n"):
            raise ValueError("it is cut off")
        return frame
    except FileNotFoundError as error:
        raise BenchError(f"no file {path}; {AGAIN}") from error
    except (ValueError, OSError) as error:  # those of pyarrow and of the CSV parser are ValueErrors
        cause = one_line(error, 150)
        raise BenchError(f"{path} is empty or damaged: {cause}; export it again") from error


def _table(frame: pd.DataFrame, path: Path, columns: tuple[Column, ...]) -> pd.DataFrame:
    """The table with its types."""
    known = {column.name: column for column in columns}
    lacking = [name for name in known if name not in frame]
    if lacking:
        raise BenchError(f"{path} lacks {', '.join(lacking)}; export it again")
    wrong = [name for name in {*frame.columns, *frame.get("metric", ())} if not re.fullmatch(METRIC, str(name))]
    if wrong:
        raise BenchError(f"{path}: {min(map(ascii, wrong))[:80]} is no name of a column or metric; export it again")
    for name in frame.columns:
        column = known.get(name, Column(name, "number", ""))
        try:
            frame[name] = _parsed(frame[name], column.kind)
            frame = frame.astype({name: DTYPES[column.kind]})
        except (ValueError, KeyError, TypeError) as error:
            raise BenchError(f"{path}, column {name}: not of type {column.kind}: {error}; export it again") from error
    return typed(frame, columns)


def _parsed(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    """Text as a CSV has it -> values; those of parquet have their types already, but for JSON, and may be missing."""
    if kind == "text" and values.isna().any():
        raise ValueError("a value is missing")
    if kind == "text" or (kind != "json" and not pd.api.types.is_string_dtype(values)):
        return values
    if kind == "time":
        return pd.to_datetime(values, format="ISO8601")
    parse: dict[str, Callable[[str], Any]] = {
        "whole": int,
        "number": float,
        "yes/no": {"True": True, "False": False}.__getitem__,
        "json": json.loads,
    }
    missing = {"number": float("nan")}.get(kind)
    return pd.Series([parse[kind](value) if value else missing for value in values], values.index, dtype="object")

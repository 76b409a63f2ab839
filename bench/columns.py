"""The columns of a frame of results: names, types, meaning. The one place for who reads a store, a file or a report."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd

from bench.protocol import Protocol

RESULTS = ("finished", "diverged")
"""The statuses of trials with a result, which another try would only repeat."""
UNTRAINED = "untrained generator"
"""The name of the row of reference that learning is measured from."""
POSITION = ("g_updates", "d_updates", "images", "seconds")
"""How far a trial had come, in each unit; logged beside every point of a curve."""
DTYPES = {
    "text": "str",
    "whole": "Int64",
    "number": "float64",
    "yes/no": "boolean",
    "time": "datetime64[ms]",
    "json": "object",
}


@dataclass(frozen=True)
class Column:
    """One column; `kind` is a key of DTYPES. JSON is text in files and a list or dict in memory."""

    name: str
    kind: str
    meaning: str


TRIALS = tuple(
    Column(*entry)
    for entry in (
        ("run_id", "text", "id of the MLflow run in the store where it was measured or imported"),
        ("parent_id", "text", "id of the run of 'bench run' that it belongs to"),
        ("kind", "text", "trial, reference or skip"),
        ("name", "text", "name of the row"),
        ("algorithm", "text", "registered name; empty for references, as is all that follows from it"),
        ("family", "text", "family of the algorithm"),
        ("no_gan", "text", "'yes' for a row that stands for comparison only"),
        ("paper", "text", "where the algorithm comes from"),
        ("track", "text", "rows of one track may be ranked together"),
        ("cell", "text", "algorithm and settings: the trials that differ only in seed"),
        ("status", "text", "finished, diverged, failed, interrupted, running or skipped"),
        ("reason", "text", "why it is not finished"),
        ("diagnosis", "text", "what the numbers say of the training: healthy, or what is wrong, with the evidence"),
        ("preset", "text", "preset of the run"),
        ("device", "text", "what it was trained on"),
        ("command", "text", "the command that reruns the cell"),
        ("commit", "text", "git commit of the source, '+' behind it when changed; empty for an installed package"),
        ("code", "text", "hash of the algorithm's source; what other code trained is not taken for done"),
        ("imported", "text", "exported file that it was read or imported from; empty where it was measured"),
        ("year", "whole", "of the algorithm"),
        ("seed", "whole", "of the trial"),
        ("bn", "yes/no", "batch norm in the discriminator"),
        ("config", "json", "every setting of the algorithm"),
        ("protocol", "text", "id of the protocol; figures of two protocols never compare"),
        ("protocol_text", "text", "the protocol in words"),
        ("task", "text", "protocol: the task"),
        ("dataset", "text", "protocol: the training data"),
        ("data_fingerprint", "text", "protocol: hash of the training data"),
        ("data_images", "whole", "protocol: examples in the training data"),
        ("budget", "text", "protocol: how long a trial trains"),
        ("samples", "whole", "protocol: samples scored at the end"),
        ("weights", "text", "protocol: which of G's weights are scored, raw or ema"),
        ("extractor", "text", "protocol: hash of the extractor of features"),
        ("inception", "text", "protocol: hash of the Inception weights, empty without them"),
        ("reference", "text", "protocol: what samples are compared with"),
        ("prefix", "text", "protocol: first part of the names of its metrics"),
        ("precision", "text", "protocol: what trials compute in, fp32, tf32 or bf16"),
        ("validation", "whole", "protocol: training images set aside to choose the step by; 0: it is the last"),
        ("selection", "text", "protocol: among which steps, and by how many samples; empty where it is the last"),
        ("steps", "whole", "steps of the budget"),
        ("g_updates", "number", "updates of the generator that were made"),
        ("d_updates", "number", "updates of the discriminator"),
        ("images", "number", "real images seen"),
        ("seconds", "number", "of training, without scoring and recording"),
        ("eval_seconds", "number", "seconds of scoring"),
        ("log_seconds", "number", "seconds of recording"),
        ("params_g", "whole", "parameters of the generator"),
        ("params_d", "whole", "parameters of all other networks"),
        ("versions", "json", "versions of bench, Python and the packages that can move a number"),
        ("started", "time", "UTC"),
        ("fingerprint", "text", "equal for trials that repeat each other; empty for other rows"),
        ("deviations", "json", "in what the algorithm differs from its paper and the tutorial"),
        ("fid", "number", "the protocol's FID, a copy of its column, e.g. mnist_fid_10k"),
        ("is_", "number", "the protocol's Inception Score, likewise"),
    )
)  # fmt: skip
FURTHER = "any other column: a metric by its name in the store ('bench metrics'), its last value, a number"
CURVES = (
    Column("run_id", "text", "the row's"),
    Column("step", "whole", "when it was logged"),
    Column("metric", "text", "name in the store"),
    Column("value", "number", "its value"),
    *(Column(name, "number", f"{name} by that step") for name in POSITION),
)
NAMES = [column.name for column in TRIALS]
PROTOCOL = [field.name for field in fields(Protocol)]


def typed(frame: pd.DataFrame, columns: tuple[Column, ...] = TRIALS) -> pd.DataFrame:
    """The frame with all `columns` first and of their types, and its further ones as numbers behind them."""
    names = [column.name for column in columns]
    further = [name for name in frame.columns if name not in names]
    types = {column.name: DTYPES[column.kind] for column in columns} | dict.fromkeys(further, DTYPES["number"])
    # A copy is in one piece: of a hundred pieces, which stores of several tasks have, pandas warns.
    return frame.reindex(columns=[*names, *further]).astype(types).copy()

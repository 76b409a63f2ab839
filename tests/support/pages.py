"""The scripts that make the documentation, which are no modules of the package, and how their tables name cells."""

import importlib
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def script(name):
    """docs/NAME.py as a module; it may import its neighbours, as a script and a hook of MkDocs may."""
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(DOCS))


def with_bn(row, switch):
    """The cell of a row of BN's table: 'nsgan dropout=0.0' with 'on' is 'nsgan bn=on dropout=0.0'."""
    algorithm, _, more = row.partition(" ")
    return f"{algorithm} bn={switch} {more}".strip()

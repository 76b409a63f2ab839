"""The scripts that make the documentation, which are no modules of the package."""

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

"""The scripts that make the documentation, which are no modules of the package."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def script(name):
    """docs/NAME.py as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

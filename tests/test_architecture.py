"""The house's rules that no type checker sees: one way of imports, no algorithm named in the harness, short files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gans

ROOT = Path(__file__).parents[1]
ROOMS = {"gans": {"gans"}, "bench": {"bench", "gans"}, "reports": {"reports", "bench", "gans"}}
COMPOSITION_ROOT = ROOT / "bench" / "cli"


def sources(room):
    return sorted((ROOT / room).rglob("*.py"))


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        yield from (module.partition(".")[0] for module in modules)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    for path in sources(room):
        allowed = set(ROOMS) if path.is_relative_to(COMPOSITION_ROOT) else ROOMS[room]
        foreign = {name for name in imported_rooms(path) if name in ROOMS} - allowed
        assert not foreign, f"{path.relative_to(ROOT)} imports {foreign}"


def test_gans_import_torch_only():
    allowed = {*sys.stdlib_module_names, "torch", "gans"}
    for path in sources("gans"):
        assert set(imported_rooms(path)) <= allowed, path


@pytest.mark.parametrize("room", ["bench", "reports"])
def test_the_harness_names_no_algorithm(room):
    """Only as the hint of a command to type; a script to compare speed with is of one algorithm, and says of which."""
    for path in set(sources(room)) - {ROOT / "bench" / "speed" / "naive.py"}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in gans.names(), f"{path.relative_to(ROOT)}:{node.lineno} names {node.value}"


@pytest.mark.parametrize(("room", "limit"), [*((room, 300) for room in ROOMS), ("tests", 350)])
def test_no_module_is_long(room, limit):
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources(room)}
    assert not {path: n for path, n in lengths.items() if n > limit}


@pytest.mark.parametrize("room", ROOMS)
def test_no_shell_is_started(room):
    """Programs are started by a list of words, so that no text that comes from outside is ever a command."""
    shells = {"system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell"}
    for path in sources(room):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            assert not (isinstance(node, ast.keyword) and node.arg == "shell"), where
            assert not (isinstance(node, (ast.Attribute, ast.alias)) and _name(node) in shells), where


def _name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.name


def loaded_by(code):
    script = f"{code}\nimport sys; print(*sorted(m for m in sys.modules if '.' not in m))"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_the_command_line_starts_without_heavy_libraries():
    heavy = {"torch", "mlflow", "torch_fidelity", "pandas", "matplotlib", "seaborn", "scipy", "numpy"}
    assert not heavy & set(loaded_by("import bench.cli"))


def test_results_are_read_without_torch():
    assert "torch" not in loaded_by("import bench.results, reports.html, reports.duel")


def test_gans_starts_without_the_harness():
    assert not {"mlflow", "torch_fidelity", "bench", "pandas", "matplotlib"} & set(loaded_by("import gans"))

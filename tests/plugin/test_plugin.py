"""A stranger's algorithm, installed with pip, is found through its entry point; a broken one harms nobody."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent / "example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example plugin installed into a folder of its own, as pip does it anywhere."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name in ("pyproject.toml", "example_gan.py"):
        (source / name).write_text((EXAMPLE / name).read_text())
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def bench(site, *arguments):
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-c", "from bench.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_plugin_is_listed_and_planned(installed):
    listed = json.loads(bench(installed, "list", "--json").stdout)
    assert {"example_gan", "dcgan"} <= {entry["name"] for entry in listed}
    plan = bench(installed, "plan", "--algos", "example_gan", "--bn", "on/off", "--no-timing")
    assert plan.returncode == 0, plan.stderr
    assert "example_gan bn=off" in plan.stdout


def test_plugin_passes_the_contract(installed):
    checked = bench(installed, "check", "example_gan")
    assert checked.returncode == 0, checked.stdout


def test_broken_plugin_is_one_warning_that_names_it(installed):
    (installed / "example_gan.py").write_text("raise RuntimeError('no GPU in this house')")
    listed = bench(installed, "list", "--json")
    assert listed.returncode == 0
    assert "example_gan" not in listed.stdout
    assert listed.stderr == (
        "bench: warning: algorithm plugin 'example_gan' (example_gan) is left out: RuntimeError: no GPU in this house\n"
    )

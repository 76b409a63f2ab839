"""What README and CONTRIBUTING say is there."""

import re
import shlex
from pathlib import Path

import pytest

import gans
from bench import tasks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}


def commands():
    """Every `bench ...` line of an indented block, without its comment; each once."""
    lines = (line for text in PAGES.values() for line in re.findall(r"^    (?:.*&& )?(bench .*)$", text, re.MULTILINE))
    return list(dict.fromkeys(line.partition("#")[0].strip() for line in lines))


def test_readme_names_every_algorithm():
    table = README[README.index("## The algorithms") : README.index("## The tutorial's scripts")]
    named = set(re.findall(r"`([a-z][a-z0-9_]*)`", table))
    assert set(gans.names()) <= named


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith(("bench run", "bench plan"))])
def test_runs_of_the_pages_can_be_planned(command, line, tmp_path):
    (tmp_path / "plan.yaml").write_text(re.search(r"```yaml\n(.*?)```", PAGES["scaling.md"], re.DOTALL).group(1))
    code, _, err = command("plan", *shlex.split(line)[2:], "--no-timing")
    assert code == 0, err


def test_no_net_is_larger_than_the_limits_say():
    said = float(re.search(r"nets of under (\S+) million parameters each", README).group(1))
    fields = {name: tasks.choose(None, [name]).field for name in gans.names()}
    nets = [net for name, field in fields.items() for net in gans.get(name)(field=field).children()]
    most = max(sum(weights.numel() for weights in net.parameters()) for net in nets) / 1e6
    assert said - 0.1 < most < said


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(#+) ",
        r"^    ([^#\n]*[^#\s])",  # commands, without their comments
        r"`((?:bench|mlflow|mkdocs|pip) [^`]*)`",
        r"\]\((?!README)([^)]+)\)",
        r"^\| (.* \| \d+\.\d+ \| \d+\.\d+ \| .*)\|$",  # what was measured
        r"`([a-z][a-z0-9_]*)`",
    ],
)
def test_the_chinese_readme_says_the_same(pattern):
    chinese = (ROOT / "README.zh.md").read_text()
    found = re.findall(pattern, README, re.MULTILINE)
    assert found
    assert re.findall(pattern, chinese, re.MULTILINE) == found


def test_contributing_example_keeps_the_contract(command, monkeypatch):
    """The five-minute GAN, to the letter, passes `bench check`."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    monkeypatch.setattr(gans.registry, "_algorithms", {name: gans.get(name) for name in gans.names()})
    exec(compile(code, "CONTRIBUTING.md", "exec"), {"__name__": "contributing"})
    exit_code, out, _ = command("check", "my_hinge")
    assert exit_code == 0, out

"""What README and CONTRIBUTING say is there."""

import math
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import scipy.stats
from measured import FINISHED, TRIALS
from pages import script, with_bn
from statsmodels.stats.multitest import multipletests

import gans
from bench import results, tasks

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


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    """In the repository, where pages are read as they are."""
    links = set(re.findall(r"\]\((?!http)([^)#]+)[)#]", path.read_text()))
    assert {link for link in links if not (path.parent / link).exists()} == set()


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


@pytest.fixture(scope="module")
def readme():
    return script("readme")


@pytest.fixture(scope="module")
def figures():
    return results.load(ROOT / "reports" / "quick.parquet")


class TestMeasured:
    """What the READMEs say of GANs is what the committed figures say."""

    def test_tables_are_made_of_file_and_code(self, readme, figures):
        shown = {path.name: path.read_text() for path in readme.PAGES}
        for name, board in {"README.md": "headline", "README.zh.md": "headline", "findings.md": "leaderboard"}.items():
            assert f"<!-- {board} -->" in shown[name]
            assert "<!-- batch_norm -->" in shown[name]
        for name, text in shown.items():
            assert readme.filled(text, figures) == text, f"{name}: python docs/readme.py"

    @pytest.mark.parametrize("page", ["README.md", "docs/findings.md"])
    def test_means_are_those_of_the_file_s_trials(self, page):
        """Worked out here without any of the report's code."""
        lines = re.findall(
            r"^\| (\S+) \| `(.+?)` \| (\d)/\3[^|]* \| (\S+) \[(\S+), (\S+)\] \| (\S+) \|",
            (ROOT / page).read_text(),
            re.MULTILINE,
        )
        assert len(lines) > 20
        for rank, cell, seeds, *said in lines:
            fids = FINISHED.loc[FINISHED["cell"] == cell, "fid"]
            assert fids.size == int(seeds) >= 3
            half = scipy.stats.t.ppf(0.975, fids.size - 1) * fids.std() / math.sqrt(fids.size)
            is_ = FINISHED.loc[FINISHED["cell"] == cell, "is_"].mean()
            expected = (fids.mean(), fids.mean() - half, fids.mean() + half, is_)
            assert [float(number) for number in said] == pytest.approx(expected, abs=0.0051)
            assert re.fullmatch(r"\d+(-\d+)?", rank)

    def test_effects_of_batch_norm_are_those_of_the_file_s_trials(self):
        """Worked out here by scipy and statsmodels, of each row by itself: fewer than fifteen do not lend."""
        fids = TRIALS.set_index(["cell", "seed"])["fid"]
        table = README.partition("<!-- batch_norm -->")[2].partition("<!-- end -->")[0]
        rows = re.findall(
            r"^\| `?([^|`]+)`? \| [-\w]+ \| (\d) \| (\S+) \[(\S+), (\S+)\] \| (\S+) \| (.*) \|$", table, re.MULTILINE
        )
        assert 2 < len(rows) < 15
        own = [name for name, *_, said in rows if "repeats" not in said and "mean" not in name]
        found = {
            name: (fids[with_bn(name, "on")] - fids[with_bn(name, "off")]).dropna()
            for name, *_ in rows
            if "mean" not in name
        }
        found[f"mean of {len(own)}"] = pd.concat([found[name] for name in own], axis=1, join="inner").mean(axis=1)
        asked = [name for name in found if name in own or "mean" in name]
        p = dict(
            zip(
                asked,
                multipletests([scipy.stats.ttest_1samp(found[name], 0).pvalue for name in asked], method="holm")[1],
                strict=True,
            )
        )
        for name, seeds, *numbers, said_p, said in rows:
            values = found[name]
            half = scipy.stats.t.ppf(0.975, values.size - 1) * scipy.stats.sem(values)
            assert values.size == int(seeds) >= 3
            assert [float(number) for number in numbers] == pytest.approx(
                (values.mean(), values.mean() - half, values.mean() + half), abs=0.0051
            )
            if name not in asked:
                assert (said_p, said) == ("-", "repeats dcgan to the last digit")
                continue
            assert said_p == "<0.001" if p[name] < 0.0005 else float(said_p) == pytest.approx(p[name], abs=0.00051)
            better = "better without" if values.mean() > 0 else "better with"
            assert said == (better if p[name] <= 0.05 else "not separable")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("<!-- board -->\n<!-- end -->", "no table 'board'; there are: batch_norm, leaderboard"),
            ("<!-- leaderboard -->\n", "has no end"),
        ],
    )
    def test_a_mark_that_is_wrong_is_told(self, readme, figures, text, words):
        with pytest.raises(ValueError, match=words):
            readme.filled(text, figures)

    def test_the_picture_shows_every_cell_of_the_table(self, readme, figures):
        figure = readme.picture(figures)
        names = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
        cells = re.findall(r"^\| \S+ \| [`*](.+?)[`*] \| [^|]+ \| \d", README, re.MULTILINE)
        assert names == cells
        assert len(figure.axes[1].images) == len(cells), "each with samples"
        assert (ROOT / "reports" / "leaderboard.png").stat().st_size < 300_000


def test_contributing_example_keeps_the_contract(command, monkeypatch):
    """The five-minute GAN, to the letter, passes `bench check`."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    monkeypatch.setattr(gans.registry, "_algorithms", {name: gans.get(name) for name in gans.names()})
    exec(compile(code, "CONTRIBUTING.md", "exec"), {"__name__": "contributing"})
    exit_code, out, _ = command("check", "my_hinge")
    assert exit_code == 0, out

"""The page: says what must be said, escapes what it was given, asks the network for nothing."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.results import Results
from reports import html
from reports.gallery import ALL_BYTES, GRID_BYTES
from reports.tables import leaderboard, protocols

TEMPLATES = Path(html.__file__).parent / "templates"
VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """Every element with its attributes, the tags within drawings, the visible text; elements must close in order."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.drawn, self.open, self.words = [], set(), [], []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if "svg" in self.open:
            self.drawn.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script", "title"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def source(two_protocols):
    return html.render(two_protocols)


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_the_page_asks_the_network_for_nothing(page):
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            loads = name in ("src", "srcset", "poster", "data", "action") or (name.endswith("href") and tag != "a")
            assert not loads or value.startswith(("data:", "#")), (tag, name, value)
            assert "url(" not in (value or "") or re.search(r"url\(#", value), (tag, name, value)
    assert "default-src 'none'" in page.all("meta")[3]["content"]


def test_styles_load_nothing(source):
    styles = "".join(re.findall(r"<style>.*?</style>", source, re.DOTALL))
    assert "@import" not in styles
    assert "url(" not in styles


def test_ids_are_unique_and_links_within_the_page_lead_somewhere(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.all("a"):
        target = attributes["href"]
        assert (
            target.removeprefix("#") in ids if target.startswith("#") else target.startswith("https://arxiv.org/abs/")
        )


def test_protocols_have_tables_of_their_own(page, two_protocols):
    groups = protocols(two_protocols)
    assert "2 groups whose numbers must not be compared" in page.text
    assert all(group.text in page.text for group in groups)
    assert len(page.all("section")) == 1 + len(groups) + 3


def test_rows_reasons_commands_deviations_versions_are_there(page, two_protocols):
    trials = two_protocols.trials
    text = page.text
    for value in {*trials["name"], *trials["reason"], *trials["command"], *trials["device"]} - {""}:
        assert value in text, value
    assert "D's turn comes first and sees 64 reals and 64 fresh fakes in separate passes." in text
    assert "torch-fidelity 0.4.0" in text
    assert "lambda_gp 10" in text


def test_rows_of_an_exported_file_say_that_it_holds_no_pictures(one_seed):
    text = Page(html.render(one_seed.but(trials=one_seed.trials.assign(imported="all.csv"), files={}))).text
    assert "all.csv holds no samples.png" in text
    assert "in the store" not in text.partition("Samples")[2].partition("Algorithms")[0]


def test_on_paper_a_leaderboard_has_what_decides(page):
    """What its CSS hides there: other tables keep all columns."""
    hidden = re.search(
        r"@media print {.*?\.board \.wide { display: none; }", (TEMPLATES / "report.css").read_text(), re.S
    )
    assert hidden
    heads = [a["class"] for a in page.all("th") if a.get("scope") == "col" and "class" in a]
    assert any("wide" in head for head in heads)
    assert sum("board" in (a.get("class") or "") for a in page.all("table")) == 2


def test_every_cell_has_its_grid_and_animation_and_what_is_missing_is_said(page):
    sources = [attributes["src"] for attributes in page.all("img")]
    # Four reference grids and three cells with pictures; the smoke trial has none.
    assert sum(source.startswith("data:image/png;base64,iVBOR") for source in sources) == 4 + 3
    assert sum(source.startswith("data:image/gif;base64,R0lGOD") for source in sources) == 3
    assert "no samples.png in the store" in page.text
    assert "no training.gif in the store" in page.text
    assert all(attributes["alt"] for attributes in page.all("img"))


def test_the_picture_of_a_cell_is_of_the_first_seed_that_finished_not_of_the_best(builder):
    builder.trial("dcgan", True, 0, None)
    builder.trial("dcgan", True, 1, 30.0)
    builder.trial("dcgan", True, 2, 10.0)
    assert "seed 1, FID 30.00" in Page(html.render(builder.results())).text


def test_animations_beyond_the_budget_are_named_instead(builder):
    run_id = builder.trial("dcgan", True, 0, 20.0)
    builder.files[run_id, "training.gif"] = b"GIF89a" + bytes(4 * ALL_BYTES // 5)  # a third more as base64
    page = Page(html.render(builder.results()))
    assert f"training.gif of run {run_id}" in page.text
    assert not any("image/gif" in attributes["src"] for attributes in page.all("img"))


def test_grids_count_too(builder):
    small, large = (builder.trial("dcgan", bn, 0, 20.0) for bn in (True, False))
    builder.files[large, "samples.png"] = b"\x89PNG" + bytes(4 * GRID_BYTES // 5)
    page = Page(html.render(builder.results()))
    assert f"samples.png of run {large}" in page.text
    assert f"samples.png of run {small}" not in page.text


def test_latent_pictures_are_named_by_what_they_show(builder):
    run_id = builder.trial("dcgan", True, 0, 20.0)
    assert "Latent space" not in Page(html.render(builder.results())).text
    for name in ("interpolation", "sweep_category"):
        builder.files[run_id, f"latent/{name}.png"] = builder.files[run_id, "samples.png"]
    text = Page(html.render(builder.results())).text
    assert "Latent space" in text
    assert "interpolation, seed 0, FID 20.00" in text
    assert "sweep of category, seed 0, FID 20.00" in text


def test_one_seed_is_said_to_give_no_verdict_and_how_to_get_one(one_seed):
    text = Page(html.render(one_seed)).text
    assert "no verdict follows" in text
    assert "--seeds 3" in text
    assert "is better than" not in text


def test_three_seeds_give_the_verdict_with_its_interval(page):
    # 20.8 - 17.9, 21.4 - 18.6, 20.5 - 17.2: mean 3.0, sd .26458, half 4.30265 * .26458 / sqrt(3) = .6572.
    assert "dcgan without BN is better than with BN by 3.00 [2.34, 3.66] FID, 3 seeds" in page.text


def test_ranks_pairs_effects_and_budgets_are_there(page):
    for words in (
        "not separable",
        "P(better)",
        "Hedges' g",
        "bn off to on",
        "What a budget buys",
        "mean along the way",
    ):
        assert words in page.text
    titles = {attributes.get("aria-label") for attributes in page.all("svg")}
    axes = ("real images seen", "training time (s)", "generator updates", "discriminator updates")
    assert {"Row against column", "Effects on FID", "FID against cost"} <= titles
    assert {f"FID for a budget of {axis}" for axis in axes} <= titles


def test_each_cell_with_curves_has_a_sparkline_with_a_line_a_seed(page):
    sparks = [i for i, (tag, a) in enumerate(page.elements) if tag == "svg" and a.get("class") == "spark"]
    counts = [next(n for n in range(9) if page.elements[i + 1 + n][0] != "path") for i in sparks]
    # Three seeds of three cells; of the smoke trial there is one.
    assert sorted(counts) == [1, 3, 3, 3]


def test_without_two_seeds_there_is_no_pair_and_the_page_says_so(one_seed):
    text = Page(html.render(one_seed)).text
    assert "There is no pair of cells with two seeds each" in text
    assert "not separable" not in text


def test_nothing_finished_is_said_and_nothing_breaks(builder):
    builder.skip()
    builder.trial("dcgan", True, 0, None, pictures=False)
    builder.points.clear()
    text = Page(html.render(builder.results())).text
    assert "No trial finished, so there is nothing to compare." in text
    assert "The store holds no curves of these trials." in text
    assert "loss of turn d became nan by step 925" in text


def test_no_results_are_an_error(builder):
    builder.trial("dcgan", True, 0, 20.0)
    there = builder.results()
    with pytest.raises(BenchError, match="no results to report"):
        html.render(Results(there.trials.iloc[:0], there.points, there.experiment, there.store, {}))


DRAWING = {"defs", "style", "g", "path", "use", "text", "tspan", "clippath", "rect"}
HOSTILE = """<script>alert(1)</script>" onload="x' --seeds 3 `<b>` <img src=http://evil/>&amp;&lt;i&gt; ]]>
--></style>{{ 7919 * 7907 }}{% raw %}${7919*7907}$ \\frac{ #}"""


def test_whatever_comes_from_the_store_is_escaped(builder):
    """Every text column and every value holds markup; the page has the elements of a harmless one and no more."""

    def elements(evil):
        builder.__init__()
        builder.references()
        hurt = {
            "name": evil, "cell": evil, "family": evil, "paper": evil, "command": evil,
            "commit": evil, "device": evil, "preset": evil, "dataset": evil, "data_fingerprint": evil,
            "extractor": evil, "budget": evil, "diagnosis": evil, "imported": evil, "code": evil, "task": evil,
            "prefix": evil, "reference": evil, "weights": evil, "inception": evil, "parent_id": evil,
            "protocol_text": evil, "deviations": [f"{evil}: {evil}"], "config": {"bn": True, evil: evil},
            "versions": {evil: evil}, "track": evil,
        }  # fmt: skip
        builder.trial(evil, True, 0, 20.0, **hurt)
        builder.trial(evil, True, 1, None, **hurt | {"reason": evil, "status": evil})
        results = builder.results()
        results = results.but(experiment=evil, store=evil)
        page = Page(html.render(results))
        return page, [(tag, sorted(attributes)) for tag, attributes in page.elements if tag not in DRAWING]

    harmless, expected = elements("harmless --seeds 3 `b` ".ljust(len(HOSTILE), "x"))
    page, found = elements(HOSTILE)
    assert found == expected
    assert page.drawn <= DRAWING
    assert len(page.all("script")) == 1
    assert page.text.count("<script>alert(1)</script>") >= 20
    assert not any("onload" in attributes for _, attributes in page.elements)
    # Shown letter by letter: neither unescaped twice nor taken for a template.
    assert "&amp;&lt;i&gt; ]]> --></style>{{ 7919 * 7907 }}{% raw %}${7919*7907}$" in page.text
    assert "62615533" not in page.text
    assert harmless.text.count("harmless") >= 20


def test_equal_results_give_equal_pages(build, source):
    assert html.render(build(3, second_protocol=True)) == source


def test_the_script_is_the_one_that_the_policy_allows(source):
    script = re.search(r"<script>(.*)</script>", source, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source


def test_missing_values_sort_last_since_they_carry_no_order(page, two_protocols):
    board = leaderboard(two_protocols, protocols(two_protocols)[1])
    orders = [a["data-order"] for a in page.all("td") if "data-order" in a]
    assert f"{board['fid'].min():.6g}" in orders
    assert "nan" not in orders


def test_writing_is_whole_or_not_at_all(one_seed, tmp_path, monkeypatch):
    path = tmp_path / "new" / "report.html"
    assert html.write(one_seed, path) == path
    before = path.read_text()

    def fails(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fails)
    with pytest.raises(BenchError, match="No space left"):
        html.write(one_seed, path)
    assert path.read_text() == before
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]

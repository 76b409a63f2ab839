"""The page in real headless Chromium: it draws, sorts, fits a phone, asks for nothing and complains of nothing.

Each page is shown unchanged in a frame of the asked width, and a script of the frame's owner looks at it, since the
page's own policy lets no foreign script in.
"""

import html as markup
import json
import re
import shutil
import subprocess

import pytest

from reports import html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on PATH")

OWNER = """<!DOCTYPE html>
<iframe style="width: WIDTHpx; height: 900px; border: 0" srcdoc="PAGE"></iframe>
<pre id="found"></pre>
<script>
addEventListener("load", () => {
  const frame = document.querySelector("iframe"), page = frame.contentDocument, root = page.documentElement;
  const table = page.querySelector("table.sortable");
  const labels = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim());
  const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent.trim() === "IS").querySelector("button");
  const seen = (element) => element.getBoundingClientRect().width > 20 && element.getBoundingClientRect().height > 10;
  const orders = [labels()];
  for (let i = 0; i < 2; i++) { head.click(); orders.push(labels()); }
  const folded = page.querySelectorAll("details:not([open])").length;
  frame.contentWindow.dispatchEvent(new Event("beforeprint"));
  const found = {
    orders, folded, title: page.title,
    stillFolded: page.querySelectorAll("details:not([open])").length,
    wider: root.scrollWidth - root.clientWidth,
    plots: [...page.querySelectorAll(".plot svg")].map(seen),
    pictures: [...page.images].map((image) => image.naturalWidth > 0 && seen(image)),
    asked: frame.contentWindow.performance.getEntriesByType("resource").map((entry) => entry.name),
  };
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script>"""


@pytest.fixture
def look(tmp_path):
    """A page in a window of some width -> what the script found, and what the browser's console said."""

    def looked(page, width):
        owner = tmp_path / "owner.html"
        owner.write_text(OWNER.replace("WIDTH", str(width)).replace("PAGE", markup.escape(page)))
        command = [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr", "--window-size=1400,1000", "--virtual-time-budget=10000", "--dump-dom",
            owner.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        found = json.loads(markup.unescape(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL).group(1)))
        return found, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return looked


def test_it_draws_and_sorts_and_asks_for_nothing(look, three_seeds):
    found, console = look(html.render(three_seeds), 1280)
    assert found["title"].startswith("invented numbers")
    assert all(found["plots"])
    assert len(found["plots"]) > 10
    assert all(found["pictures"])
    assert len(found["pictures"]) == 8  # five grids and three animations
    first, rising, falling = found["orders"]
    assert first[:2] == ["real train digits", "dcgan bn=off"]
    scored = ["untrained generator", "wgan_gp bn=off", "dcgan bn=on", "dcgan bn=off", "real train digits"]
    assert rising == [*scored, "wgan_gp bn=on"], "without a score last"
    assert falling == [*scored[::-1], "wgan_gp bn=on"]
    assert found["asked"] == []
    assert console == []


def test_it_fits_a_phone_and_what_is_folded_there_is_on_paper(look, builder):
    builder.references()
    names = ("dcgan", "lsgan", "hinge", "nsgan", "wgan", "wgan_gp")
    builder.trials(**{name: [20.0 + i, 21.0 + i] for i, name in enumerate(names)})
    found, console = look(html.render(builder.results()), 390)
    assert found["wider"] == 0
    assert all(found["plots"])
    assert (found["folded"], found["stillFolded"]) == (8, 0), "fifteen pairs, unusual settings, and the settings of six"
    assert console == []


def test_these_tests_would_see_a_request_an_error_and_an_overflow(look, one_seed):
    page = html.render(one_seed)
    spoilt = page.replace(
        "</main>", '<img src="http://127.0.0.1:9/x.png" alt=""><div style="width: 900px">.</div></main>'
    )
    found, console = look(spoilt, 390)
    assert found["wider"] > 0
    assert not all(found["pictures"])
    assert any("Content Security Policy" in line for line in console)

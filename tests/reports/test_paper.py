"""Files for a paper: all of the page's figures in every format under lasting names, tables that LaTeX can set."""

import re
import xml.etree.ElementTree as ET

import pytest

from bench.errors import BenchError
from reports import paper, tables
from reports.latex import as_latex, escape
from reports.page import page

MAGIC = {"svg": b"<svg", "pdf": b"%PDF-1.4", "png": b"\x89PNG"}


def groups_of(text):
    """Depth of braces at the end, and the lowest on the way; escaped ones do not count."""
    depth = lowest = 0
    for brace in re.findall(r"\\.|[{}]", text):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        lowest = min(lowest, depth)
    return depth, lowest


def assert_sets(source):
    """What LaTeX's scanner asks of a table: balanced groups and environments, as many cells in every row."""
    assert groups_of(source) == (0, 0)
    assert re.findall(r"\\begin{(\w+)}", source) == re.findall(r"\\end{(\w+)}", source)[::-1] == ["table", "tabular"]
    assert source.count("$") - source.count(r"\$") == 2 * source.count("$-$")
    bare = re.sub(r"\\[&%$#_{}]", "", source)
    assert not re.search(r"[#^~]", bare)
    assert [line for line in bare.splitlines() if "%" in line] == [r"% needs \usepackage{booktabs}"]
    body = source[source.index(r"\toprule") : source.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    form = re.search(r"\\begin{tabular}{(.*)}\n", source).group(1)
    columns = len(re.sub(r"p{[^}]*}", "p", form))
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {columns - 1}
    return rows


@pytest.mark.parametrize("form", MAGIC)
def test_every_figure_of_the_page_is_a_file_with_a_caption(two_protocols, tmp_path, form):
    written = paper.write(two_protocols, tmp_path / "new" / "figures", form)
    drawn = [path for path in written if path.suffix == f".{form}"]
    plots = [plot for section in page(two_protocols).sections for drawn in section.plots.values() for plot in drawn]
    assert len(drawn) == len(plots) == len(set(drawn)) > 8
    assert all(path.read_bytes().startswith(MAGIC[form]) for path in drawn)
    captions = (tmp_path / "new" / "figures" / "figures.md").read_text()
    assert [f"({path.name})" for path in drawn] == re.findall(r"\([^()\s]+\.\w+\)", captions)
    for plot in plots:
        assert plot.title in captions
        assert plot.caption in captions
    for group in tables.protocols(two_protocols):
        assert f"Protocol {group.protocol}: {group.text}." in captions
    assert "FID of fewer samples reads higher" in captions


def test_svg_files_stand_alone(three_seeds, tmp_path):
    for path in paper.write(three_seeds, tmp_path):
        if path.suffix == ".svg":
            assert ET.fromstring(path.read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"


def test_pdf_is_deterministic_and_its_fonts_are_truetype(three_seeds, tmp_path):
    first, second = (paper.write(three_seeds, tmp_path / name, "pdf") for name in "ab")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        if one.suffix == ".pdf":
            assert b"/Type3" not in one.read_bytes()
            assert b"/CIDFontType2" in one.read_bytes()


def test_another_group_renames_nothing(build, tmp_path):
    """A smoke run is newer than what was there and comes first on the page."""
    before = {path.name for path in paper.write(build(3), tmp_path / "before")}
    after = {path.name for path in paper.write(build(3, second_protocol=True), tmp_path / "after")}
    assert before < after


def test_another_factor_renames_nothing(builder, tmp_path):
    builder.trials(dcgan=[20.0, 21.0, 22.0])
    builder.changed("dcgan", [18.0, 19.1, 20.2], lr_g=1e-3)
    before = {path.name for path in paper.write(builder.results(), tmp_path / "before")}
    builder.changed("dcgan", [28.0, 29.1, 30.2], dropout=0.0)
    after = {path.name for path in paper.write(builder.results(), tmp_path / "after")}
    assert before < after
    assert any(name.endswith("-by-lr_g.svg") for name in before)
    assert any(name.endswith("-by-dropout.svg") for name in after - before)


def test_tables_are_those_of_the_page(three_seeds, tmp_path):
    written = {path.name: path for path in paper.write(three_seeds, tmp_path)}
    group = tables.protocols(three_seeds)[0]
    stem = f"noise-to-image-{group.protocol}"
    for name in (f"{stem}-leaderboard", f"{stem}-effects", f"{stem}-pairs", f"{stem}-budgets", "problems"):
        assert_sets(written[f"{name}.tex"].read_text())
        assert rf"\label{{tab:{name}}}" in written[f"{name}.tex"].read_text()
    board = tables.leaderboard(three_seeds, group)
    assert written[f"{stem}-leaderboard.md"].read_text() == tables.as_markdown(board) + "\n"
    assert "| G updates |" in written[f"{stem}-leaderboard.md"].read_text()
    rows = assert_sets(written[f"{stem}-leaderboard.tex"].read_text())
    assert "G updates" not in rows[0]  # no page is so wide
    assert [row.partition(" &")[0] for row in rows[1:]] == list(board["label"].map(escape))
    assert f"{board['fid'].iloc[1]:.2f}" in rows[2]
    assert re.search(r"& \$-\$?\d|& \+\d", written[f"{stem}-effects.tex"].read_text())


def test_what_a_stranger_named_is_set_letter_by_letter(builder):
    label = r"50% of_a & b #1 $x^2$ {y} ~z \input{/etc/passwd} <w> --v [u]"
    builder.trial("dcgan", True, 0, 20.0, name=label, cell=label)
    builder.trial("dcgan", False, 0, None, reason="inf & nan_loss {at} 5%")
    results = builder.results()
    source = as_latex(tables.leaderboard(results), "A_caption & more", "tab:x")
    (row,) = [row for row in assert_sets(source) if row.startswith("50")]
    assert r"50\% of\_a \& b \#1 \$x\textasciicircum{}2\$ \{y\} \textasciitilde{}z" in row
    assert r"\textbackslash{}input\{/etc/passwd\}" in row
    assert r"\textless{}w\textgreater{} -{}-v {[}u{]}" in row
    assert r"\caption{A\_caption \& more Protocol" in source
    assert r"inf \& nan\_loss \{at\} 5\%" in source


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1.20", "$-$1.20"),
        ("[-1.20, -0.30]", "{[}$-$1.20, $-$0.30{]}"),
        ("lr=1e-4", "lr=1e-4"),
        ("noise-to-image", "noise-to-image"),
        ("-", "-"),
        ("--seeds 3", "-{}-seeds 3"),
        ("dcgan-2", "dcgan-2"),
    ],
)
def test_only_the_sign_of_a_number_becomes_a_minus(text, expected):
    assert escape(text) == expected


def test_a_table_has_the_p_that_decides_and_no_note_of_a_column_that_it_lacks(three_seeds):
    source = as_latex(tables.bn_effect(three_seeds), "Effects.", "tab:e")
    (head,) = [line for line in source.splitlines() if line.startswith("cells & ")]
    assert head.endswith(r"& pairs & p \\")
    assert "p decides" in source
    assert "P(better)" not in source


def test_a_cell_that_is_called_like_a_hidden_column_keeps_its_note(builder):
    builder.trials(images=[20.0, None])
    assert r"\par images bn=off: " in as_latex(tables.leaderboard(builder.results()), "Cells.", "tab:c")


def test_a_long_text_gets_a_column_that_wraps(three_seeds):
    source = as_latex(tables.problems(three_seeds), "Problems.", "tab:p")
    assert r"p{0.4\linewidth}" in source
    assert "Protocol" not in source


def test_a_folder_that_cannot_be(three_seeds, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BenchError, match=r"cannot write .*taken"):
        paper.write(three_seeds, tmp_path / "taken")

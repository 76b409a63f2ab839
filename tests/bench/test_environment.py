"""What tells one code of an algorithm from another: what runs, not what is said of it."""

import linecache
import sys
import types

import pytest

from bench import environment

SOURCE = '''"""A row."""

from gans.standard.nsgan import NSGAN


class Row(NSGAN):
    """It learns."""

    scale = 2.0
    """A number."""
    text = "a word"

    def g_loss(self, fake_scores):
        # twice
        return self.scale * super().g_loss(fake_scores) + len(f"{self.text} more")
'''


def code_of(source):
    """The code of the class Row of a module with this source."""
    name = "rows_for_tests"
    module = types.ModuleType(name)
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(True), module.__file__)
    sys.modules[name] = module
    try:
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        return environment.code(module.Row)
    finally:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A row.", "Another word."),
        ("It learns.", "It learns,\n\n    and how."),
        ("A number.", "The number."),
        ("# twice", "# two times"),
        ("\n\n\nclass", "\n\n\n\nclass"),
    ],
)
def test_prose_and_layout_are_no_other_code(old, new):
    source = SOURCE.replace(old, new)
    assert source != SOURCE
    assert code_of(source) == code_of(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"), [("2.0", "2.5"), ("a word", "words"), ("fake_scores) +", "fake_scores) -"), (" more", " less")]
)
def test_what_runs_is(old, new):
    assert code_of(SOURCE.replace(old, new)) != code_of(SOURCE)


def test_a_line_may_be_broken():
    longer = SOURCE.replace("(fake_scores) + len(", "(fake_scores) + len(\n            ")
    assert code_of(longer) == code_of(SOURCE)


def test_indentation_is_code():
    inside = "def f(x):\n    if x:\n        x = 1\n        x = 2\n    return x\n\n\n"
    outside = inside.replace("        x = 2", "    x = 2")
    assert code_of(inside + SOURCE) != code_of(outside + SOURCE)


def test_what_an_algorithm_builds_on_is_part_of_it(monkeypatch):
    before = code_of(SOURCE)
    honest = environment.inspect.getsource
    monkeypatch.setattr(
        environment.inspect, "getsource", lambda m: honest(m) + "\nx = 1" * (m.__name__ == "gans.standard.nsgan")
    )
    assert code_of(SOURCE) != before

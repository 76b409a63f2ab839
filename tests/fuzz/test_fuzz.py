"""Whatever is given to `bench`, it answers: in bounded time and memory, without a traceback, a refusal in one line.

Each input follows from its number, so that a failure names what to try again. The short form tries some of each kind;
BENCH_LONG=1 tries all.
"""

import itertools
import os
import random

import pytest
from fuzz import Guard
from inputs import KINDS
from victim import blank_report

SHARE = 1 if os.environ.get("BENCH_LONG") else 40
"""One of so many inputs is tried."""


@pytest.mark.parametrize("kind", KINDS)
def test_any_input_is_answered(kind, place, monkeypatch):
    make, number = KINDS[kind]
    if kind == "command lines":  # a page takes seconds, and what is on it is the same each time
        monkeypatch.setattr("bench.cli.report.write", blank_report)
    guard = Guard()
    some, more = range(0, number, SHARE), (i for i in range(number) if i % SHARE)
    for i in itertools.chain(some, more):
        # Of a dozen damaged files all may be refused: then some more, until one is not.
        if i % SHARE and 0 < guard.refused < guard.count:
            break
        guard.attempt(f"{kind} {i}", make, random.Random(f"{kind} {i}"), place)
    print(f"{kind}: {guard.count:,} inputs, {guard.refused:,} of them refused")
    assert 0 < guard.refused < guard.count

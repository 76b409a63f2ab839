"""Budgets count what they say; a protocol's id changes with every one of its parts."""

import dataclasses

import pytest

from bench.protocol import PRESETS, Budget, Protocol, metric_name

PROTOCOL = Protocol(
    task="mnist", dataset="mnist", data_fingerprint="ab" * 8, data_images=60_000, budget="2,000 steps", samples=10_000,
    weights="raw", extractor="cd" * 6,
)  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "batch", "g_every", "steps"),
    [
        (Budget(2000), 64, 5, 2000),
        (Budget(20, "epochs"), 64, 1, 18_750),
        (Budget(20, "epochs"), 32, 1, 37_500),  # the tutorial's 1,875 steps an epoch
        (Budget(100, "g_updates"), 64, 5, 500),
    ],
)
def test_budget_in_steps(budget, batch, g_every, steps):
    assert budget.steps(60_000, batch, g_every) == steps


def test_a_budget_is_never_empty():
    assert Budget(1, "epochs").steps(100, 1000, 1) == 1


def test_protocol_round_trip():
    assert Protocol.from_json(PROTOCOL.to_json()) == PROTOCOL


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Protocol)])
def test_every_part_changes_the_id(field):
    value = getattr(PROTOCOL, field)
    changed = dataclasses.replace(PROTOCOL, **{field: value + 1 if isinstance(value, int) else value + "x"})
    assert changed.id != PROTOCOL.id


def test_metric_names_carry_the_sample_count():
    assert metric_name("fid", 10_000) == "mnist_fid_10k"
    assert metric_name("is", 2_000) == "mnist_is_2k"
    assert metric_name("fid", 1_234, "inception") == "inception_fid_1234"


def test_only_full_protocol_presets_score_ten_thousand():
    assert PRESETS["quick"].samples == PRESETS["full"].samples == 10_000
    assert PRESETS["full"].budget == Budget(20, "epochs")


def test_how_a_step_is_selected_is_part_of_the_protocol_and_of_its_words():
    """Presets look at other numbers of steps, so what they select is no one thing; without it ids are as ever."""
    texts = {PRESETS[name].selection for name in ("quick", "full")}
    assert texts == {"the best of 9 by 2,000 samples each", "the best of 21 by 2,000 samples each"}
    chosen = dataclasses.replace(PROTOCOL, validation=10_000, selection=PRESETS["quick"].selection)
    assert "against 10,000 validation images (the best of 9 by 2,000 samples each)" in str(chosen)
    assert "selection" not in PROTOCOL.to_json()
    assert Protocol.from_json(chosen.to_json()) == chosen

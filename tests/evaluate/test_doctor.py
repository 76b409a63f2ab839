"""The doctor finds real metrics in order, and says so loudly where one is not."""

import pytest
import torch

from bench import doctor, results
from bench.data import load_mnist
from bench.doctor import PROBES, examine, images_of
from bench.evaluate import Evaluator
from bench.examination import CHECKS, REAL, Examination

N = 2_000


@pytest.fixture(scope="module")
def found(embedded):
    return examine(Evaluator(torch.device("cpu")), embedded, N)


def test_on_real_digits_everything_holds(found):
    assert all(found.verdicts().values()), found


def test_every_probe_is_scored_and_every_number_counted(found):
    assert list(found.measured) == [probe.name for probe in PROBES]
    assert list(found.by_number) == [2000, 1000, 500]


def test_probes_are_what_they_are_called(embedded):
    made = {probe.name: images_of(probe, embedded, N) for probe in PROBES}
    assert all(images.shape == (N, 1, 28, 28) and images.dtype == torch.uint8 for images in made.values())
    real = made[REAL]
    assert torch.equal(made["shifted by 2 pixels"][..., 2:, 2:], real[..., :-2, :-2])
    assert set(made["binarised"].unique().tolist()) == {0, 255}
    changed = (made["salt and pepper, 5 %"] != real).double().mean().item()
    # Half of what is hit becomes black, as four fifths of a digit's pixels are already.
    assert 0.02 < changed < 0.05
    middle = made["noise, sd 0.1"][(real > 100) & (real < 150)].double() - real[(real > 100) & (real < 150)].double()
    assert middle.std().item() == pytest.approx(25.5, rel=0.05)
    assert len(made["one image a digit"].flatten(1).unique(dim=0)) == 10
    assert len(made["ten images a digit"].flatten(1).unique(dim=0)) == 100
    blurred = made["blurred, 3x3"][:, :, 10, 10].double()
    assert (blurred - real[:, :, 9:12, 9:12].double().mean((2, 3))).abs().max() <= 0.51
    assert real.flatten(1).unique(dim=0).shape[0] > N - 5


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.promise)
def test_each_check_can_fail(found, check):
    """Real digits exchanged for noise in the results, every order that speaks of them breaks."""
    swapped = found.measured | {
        REAL: found.measured["noise, sd 0.3"],
        "digits 0 to 4": found.measured["uniform noise"],
        "noise, sd 0.3": found.measured[REAL],
    }
    if "collapse" in check.promise:
        swapped["one image a digit"] = found.measured[REAL]
    assert not check.holds(swapped)


def test_a_bias_that_is_upside_down_and_a_blind_extractor_are_found(found):
    odd = Examination(found.measured, dict(zip(found.by_number, reversed(found.by_number.values()), strict=True)), 0.9)
    failed = [promise for promise, holds in odd.verdicts().items() if not holds]
    assert failed == ["FID of real digits falls with their number", "the extractor reads at least 99% of real digits"]


def test_the_command_prints_the_table_and_fails_with_the_checks(command, monkeypatch, found, embedded):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(doctor, "examine", lambda *_: found)
    code, out, err = command("doctor", "--samples", "2000")
    assert code == 0, err
    assert f"all {len(found.verdicts())} checks hold" in out
    assert load_mnist("train", offline=True).fingerprint in out
    assert "torch-fidelity" in out
    row = next(line for line in out.splitlines() if line.startswith("one image a digit"))
    assert f"{found.measured['one image a digit']['fid']:.2f}" in row
    broken = found.measured | {REAL: found.measured["uniform noise"]}
    monkeypatch.setattr(doctor, "examine", lambda *_: Examination(broken, found.by_number, found.accuracy))
    code, out, _ = command("doctor", "--samples", "2000")
    assert code == 1
    assert "FAIL  no damaged set has a lower FID than real digits" in out
    assert "checks fail" in out


@pytest.mark.usefixtures("ready_store")
def test_what_was_found_is_kept_beside_the_results_and_the_newest_counts(command, monkeypatch, found):
    older = Examination(found.measured, found.by_number, 0.5)
    for examination in (older, found):
        monkeypatch.setattr(doctor, "examine", lambda *_, made=examination: made)
        command("doctor", "--samples", "2000")
    code, _, err = command("run", "--algos", "gan", "--preset", "smoke", "--offline")
    assert code == 0, err
    loaded = results.load()
    assert loaded.examination == found
    assert set(loaded.trials["kind"]) == {"trial", "reference"}
    assert Examination.from_json(found.to_json()) == found

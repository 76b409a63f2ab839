"""The doctor finds real metrics in order, and says so loudly where one is not."""

import importlib.metadata
from dataclasses import replace

import pytest
import torch
from idx import write_idx

from bench import doctor, environment, results, stored
from bench.data import load_mnist
from bench.doctor import PROBES, examine, images_of
from bench.evaluate import Evaluator
from bench.examination import CHECKS, REAL, Examination
from bench.track import Store

N = 2_000
pytestmark = pytest.mark.xdist_group("doctor")  # what it finds takes as long as all these tests: once is enough


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


def test_a_bias_that_is_upside_down_a_high_floor_and_blind_extractors_are_found(found):
    def failed(**changed):
        return [promise for promise, holds in replace(found, **changed).verdicts().items() if not holds]

    assert failed() == []
    backwards = dict(zip(found.by_number, reversed(found.by_number.values()), strict=True))
    assert "FID of real digits falls with their number" in failed(by_number=backwards)
    (words,) = failed(by_number={n: 4 * fid for n, fid in found.by_number.items()})
    assert words.startswith("FID of real digits is, for their number, at most twice")
    assert failed(accuracy=found.accuracy | {"first": 0.98}) == [
        "the first extractor reads at least 99% of real digits"
    ]
    assert failed(accuracy=found.accuracy | {"second": 0.5}) == [
        "the second extractor reads at least 98% of real digits"
    ]


def test_extractors_are_judged_by_digits_that_they_did_not_learn_where_these_are_given(embedded, monkeypatch):
    """Labels that are all wrong: the shares are those of the digits given, not of the training digits."""
    monkeypatch.setattr(doctor, "PROBES", PROBES[:1])
    monkeypatch.setattr(doctor, "Examination", lambda measured, by_number, floor, accuracy: accuracy)
    some = embedded.rows(torch.arange(300))
    wrong = replace(some, labels=(some.labels + 1) % 10)
    evaluator = Evaluator(torch.device("cpu"))
    shares = examine(evaluator, embedded, 1_000, wrong)
    assert set(shares) == {"first", "second"}
    assert all(share < 0.05 for share in shares.values())
    assert all(share > 0.95 for share in examine(evaluator, embedded, 1_000, some).values())


def test_the_command_prints_the_table_and_fails_with_the_checks(command, monkeypatch, found, embedded):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(doctor, "examine", lambda *_: found)
    code, out, err = command("doctor", "--samples", "2000")
    assert code == 0, err
    assert f"all {2 + len(found.verdicts())} checks hold" in out
    assert load_mnist("train", offline=True).fingerprint in out
    assert "torch-fidelity" in out
    row = next(line for line in out.splitlines() if line.startswith("one image a digit"))
    assert f"{found.measured['one image a digit']['fid']:.2f}" in row
    broken = found.measured | {REAL: found.measured["uniform noise"]}
    monkeypatch.setattr(doctor, "examine", lambda *_: replace(found, measured=broken))
    code, out, _ = command("doctor", "--samples", "2000")
    assert code == 1
    assert "FAIL  no damaged set has a lower FID than real digits" in out
    assert "checks fail" in out


@pytest.mark.usefixtures("ready_store")
def test_what_was_found_is_kept_beside_the_results_and_the_newest_counts(command, monkeypatch, found):
    older = replace(found, accuracy={"first": 0.5, "second": 0.5})
    for examination in (older, found):
        monkeypatch.setattr(doctor, "examine", lambda *_, made=examination: made)
        command("doctor", "--samples", "2000")
    code, _, err = command("run", "--algos", "gan", "--preset", "smoke", "--offline")
    assert code == 0, err
    loaded = results.load()
    assert loaded.examination == found
    assert set(loaded.trials["kind"]) == {"trial", "reference"}
    assert Examination.from_json(found.to_json()) == found


@pytest.mark.parametrize("text", ["{}", "x", "[]", '{"measured": {}, "by_number": {}, "floor": 1, "accuracy": {}}'])
def test_what_a_doctor_of_another_version_found_is_not_read(text):
    with pytest.raises(ValueError, match=r"Expecting|no examination of this version|indices|missing"):
        Examination.from_json(text)


def test_an_examination_without_a_number_that_is_shown_is_not_read(found):
    fewer = {probe: {k: v for k, v in scores.items() if k != "coverage"} for probe, scores in found.measured.items()}
    with pytest.raises(ValueError, match="coverage is missing"):
        Examination.from_json(replace(found, measured=fewer).to_json())


@pytest.mark.usefixtures("ready_store")
def test_and_reports_leave_it_out_with_a_word(caplog):
    store = Store()
    store.write(store.add("doctor", "doctor"), tags={"examination": "{}"}, params={})
    assert stored.examination(store.client, store.experiment_id) is None
    assert "run it again" in caplog.text


def test_too_few_digits_are_told(command, tmp_path, embedded):
    write_idx(tmp_path, embedded.images[:300], embedded.labels[:300])
    code, _, err = command("doctor", "--data-dir", tmp_path)
    assert code == 2
    assert "has 300 images, and the metrics need 2,000" in err


def test_an_environment_that_the_package_does_not_ask_for_is_told(monkeypatch):
    assert environment.unmet() == []
    honest = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1" if name == "mlflow" else honest(name))
    (words,) = environment.unmet()
    assert words.startswith("mlflow")
    assert words.endswith("(0.1 is installed)")

"""A trial is called by what went wrong with it: on made-up numbers, on real digits, and on trials made to fail."""

import math
import re
from pathlib import Path

import pytest
import torch
from victim import LONG

from bench import diagnosis as diagnosing
from bench import results
from bench.data.curves import HIGH, LOW, parabolas
from bench.diagnosis import diagnose
from bench.evaluate import Evaluator
from bench.tasks.curves import CurveYardstick

GOOD = {"fid": 30.0, "precision": 0.6, "recall": 0.3, "missing": 0.0, "class_kl": 0.1, "diversity": 1.1}
UNTRAINED = {"mnist_fid_1k": 190.0}
LOSSES = [1.38, 1.2, 1.0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]


def named(scores):
    return {f"mnist_{key}_1k": value for key, value in scores.items()}


def diagnosis(losses=LOSSES, reason="", untrained=UNTRAINED, **scores):
    return diagnose(reason, named(GOOD | scores), losses, untrained, samples=1000, prefix="mnist")


def test_a_good_trial_is_healthy():
    assert diagnosis().name == str(diagnosis()) == "healthy"


def test_divergence_comes_before_all():
    found = diagnosis(reason="loss of turn d became nan at step 3", fid=500.0)
    assert found.name == "diverged"
    assert str(found) == "diverged: loss of turn d became nan at step 3"


@pytest.mark.parametrize("sign", [{"missing": 2.0}, {"class_kl": 0.5}, {"diversity": 0.3}, {"recall": 0.01}])
def test_each_sign_of_collapse_is_enough(sign):
    found = diagnosis(**sign)
    assert found.name == "mode collapse"
    assert next(iter(sign)) in str(found)


@pytest.mark.parametrize("sign", [{"missing": 1.0}, {"class_kl": 0.49}, {"diversity": 0.31}, {"recall": 0.02}])
def test_short_of_it_is_healthy(sign):
    assert diagnosis(**sign).name == "healthy"


@pytest.mark.parametrize(("samples", "modes"), [(300, 129), (1_000, 316), (26_000, 500)])
def test_modes_are_few_by_what_so_many_even_draws_show(samples, modes):
    """Of which half is the bound: 1,000 samples cannot show 1,000 modes, be they ever so even."""

    def named(modes):
        scores = {f"stacked_fid_{tail}": 20.0, f"stacked_modes_{tail}": float(modes)}
        return diagnose("", scores, LOSSES, {f"stacked_fid_{tail}": 190.0}, samples=samples, prefix="stacked")

    tail = samples if samples % 1000 else f"{samples // 1000}k"
    even = torch.randint(1_000, (samples,), generator=torch.Generator().manual_seed(0)).unique()
    assert named(len(even)).name == "healthy"
    assert named(modes + 1).name == "healthy"
    assert named(modes).name == "mode collapse"
    shown = re.search(rf"mode collapse: modes {modes} where even draws show (\d+)", str(named(modes)))
    assert int(shown.group(1)) == pytest.approx(len(even), abs=30)


def test_no_learning_is_not_called_collapse():
    bad = {"precision": 0.0, "recall": 0.0, "missing": 9.0, "class_kl": 2.3, "diversity": 0.0}
    assert str(diagnosis(fid=171.0, **bad)) == "no learning: FID 171.0 where an untrained generator has 190.0"
    assert diagnosis(fid=170.0, **bad).name == "mode collapse"
    assert diagnosis(fid=230.0, **bad | {"precision": 0.8}).name == "mode collapse"


def test_saturation_is_measured_from_the_highest_loss_wherever_it_was():
    assert diagnosis(losses=[0.02, 1.38, *[0.5] * 16, 0.01, 0.01]).name == "discriminator saturation"


def test_saturation_needs_a_loss_with_a_floor_and_holds_beside_others():
    quiet = [1.38, *[0.5] * 17, 0.01, 0.01]
    found = diagnosis(quiet, missing=5.0)
    assert [name for name, _ in found.findings] == ["discriminator saturation", "mode collapse"]
    assert diagnosis([1.38, *[0.5] * 17, 0.01, 0.02]).name == "healthy"
    assert diagnosis([-5.0, *[-0.001] * 19]).name == "healthy"


def curves(samples):
    scores = CurveYardstick().score(samples)
    return diagnose("", scores, LOSSES, {"curves_fid_1k": 28.0}, samples=1000, prefix="curves")


def test_curves_of_half_the_family_are_collapse():
    """One parabola a thousand times, and the flatter ones alone; curves that are none have no modes to lack."""
    coefficients = torch.linspace(LOW, HIGH, 1000)
    assert curves(parabolas(coefficients)).name == "healthy"
    assert str(curves(parabolas(coefficients[500:501]).repeat(1000, 1, 1, 1))) == "mode collapse: coverage 0.05"
    assert curves(parabolas(coefficients[:480].repeat(3)[:1000])).name == "mode collapse"
    assert curves(parabolas(coefficients) + torch.tensor([0.5, -0.5]).repeat(8)).name == "healthy"


def test_the_page_tells_the_thresholds():
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    rules = dict(re.findall(r"^\| ([a-z ]+?)(?: \(.*\))? \| (.*) \|$", page.partition("## Diagnosis")[2], re.MULTILINE))
    assert {"discriminator saturation", "no learning", "mode collapse", "diverged", "healthy"} <= set(rules)
    assert (
        f"the last {diagnosing.LAST} of the training below {diagnosing.SATURATED} of"
        in rules["discriminator saturation"]
    )
    assert f"at least {diagnosing.LEARNED} of" in rules["no learning"]
    assert f"below {diagnosing.REAL}" in rules["no learning"]
    assert f"`coverage` is {diagnosing.COVERED} or less, and `valid` {diagnosing.REAL} or more" in page
    assert f"`modes` is {diagnosing.SPREAD} or less of what as many even draws would show" in page
    for bound in diagnosing.COLLAPSE:
        assert re.search(rf"`{bound.metric}` (is )?{bound.value} or {'more' if bound.above else 'less'}", page), bound


def test_what_was_not_measured_says_nothing():
    nothing = diagnose("", {}, [], {}, samples=1000, prefix="curves")
    assert nothing.name == "healthy"
    assert diagnosis(untrained={}, fid=math.inf).name == "healthy"


@pytest.mark.parametrize(
    ("digits_kept", "name"), [((3,), "mode collapse"), (range(8), "mode collapse"), (range(10), "healthy")]
)
def test_real_digits_of_some_classes(embedded, digits_kept, name):
    """A generator as good as reality, but for the digits that it lacks."""
    kept = torch.isin(embedded.labels, torch.tensor(list(digits_kept)))
    images = embedded.images[kept]
    rows = torch.randint(len(images), (1000,), generator=torch.Generator().manual_seed(0))
    scores = Evaluator(torch.device("cpu")).score(images[rows])
    assert diagnose("", scores, LOSSES, UNTRAINED, samples=1000, prefix="mnist").name == name


def test_copies_of_ten_digits_are_collapse(embedded):
    """Every class is there and FID is good; only variety tells."""
    first = torch.stack([embedded.images[embedded.labels == digit][0] for digit in range(10)])
    scores = Evaluator(torch.device("cpu")).score(first.repeat(100, 1, 1, 1))
    assert scores["mnist_missing_1k"] == 0
    assert diagnose("", scores, LOSSES, UNTRAINED, samples=1000, prefix="mnist").name == "mode collapse"


@LONG
def test_a_real_collapse(command):
    """G learns far too fast: it makes one good digit, whatever the latent."""
    settings = ("--set", "lr_g=0.01", "--set", "lr_d=0.001", "--set", "batch_size=32")
    code, _, err = command("run", "--algos", "nsgan", "--steps", "60", "--preset", "smoke", *settings)
    assert code == 0, err
    frame = results.load().trials
    (row,) = frame[frame["kind"] == "trial"].to_dict("records")
    assert row["diagnosis"].startswith("mode collapse: missing")
    assert row["mnist_precision_1k"] > 0.8
    assert row["mnist_missing_1k"] >= 6


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (("lr_g=0.0002",), "healthy"),
        (("lr_g=0", "lr_d=0.02"), "discriminator saturation"),
        (("lr_g=0", "lr_d=0"), "no learning"),
        (("lr_d=1e30",), "diverged"),
    ],
)
def test_trials_made_to_fail(command, settings, name):
    words = [word for setting in settings for word in ("--set", setting)]
    code, _, err = command("run", "--algos", "gan", "--steps", "600", "--preset", "smoke", *words)
    assert code == 0, err
    frame = results.load().trials
    (found,) = frame.loc[frame["kind"] == "trial", "diagnosis"]
    assert found.partition(":")[0] == name
    if name == "diverged":
        assert "became nan at step" in found
        assert "and so did discriminator." in found or "and so did generator." in found

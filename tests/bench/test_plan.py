"""The grid: factors multiply, skips are reported, every mistake is one line with what is allowed."""

import shlex

import pytest

import gans
from bench.cli import cli
from bench.errors import BenchError
from bench.plan import Cell, algorithms, command, expand, split_names


def labels(plan):
    return [cell.label for cell in plan.cells]


@pytest.mark.parametrize("bn", ["on/off", "on,off"])
def test_bn_is_a_factor(bn):
    assert labels(expand(["dcgan"], bn=bn)) == ["dcgan bn=on", "dcgan bn=off"]


def test_without_bn_each_algorithm_has_its_own():
    assert labels(expand(["dcgan", "wgan"])) == ["dcgan bn=on", "wgan bn=off"]


def test_seeds_run_before_cells_repeat():
    plan = expand(["dcgan"], bn="on/off", seeds=2, first_seed=5)
    assert [(trial.cell.label, trial.seed) for trial in plan.trials] == [
        ("dcgan bn=on", 5), ("dcgan bn=off", 5), ("dcgan bn=on", 6), ("dcgan bn=off", 6),
    ]  # fmt: skip


def test_several_values_multiply():
    plan = expand(["dcgan", "lsgan"], bn="off", assignments=["lr_d=1e-4,4e-4", "lsgan.coding=binary,chi2"])
    assert len(plan.cells) == 2 + 4
    assert {cell.config.lr_d for cell in plan.cells} == {1e-4, 4e-4}
    assert "lsgan bn=off lr_d=0.0001 coding=chi2" in labels(plan)


def test_meaningless_cells_are_skips_with_a_reason():
    plan = expand(["wgan_gp"], bn="on/off")
    assert labels(plan) == ["wgan_gp bn=off"]
    assert [(skip.cell.label, "batch norm" in skip.reason) for skip in plan.skips] == [("wgan_gp bn=on", True)]


def test_equal_values_make_one_cell():
    assert len(expand(["dcgan"], assignments=["lr_d=2e-4,0.0002"]).cells) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"algorithms": []}, "no algorithm given"),
        ({"algorithms": ["dcgan"], "bn": "maybe"}, "--bn maybe: allowed is on, off or on/off"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_d"]}, "write field=value"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_d="]}, "write field=value"),
        ({"algorithms": ["dcgan"], "assignments": ["=3"]}, "write field=value"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_dd=1"]}, "did you mean 'lr_d'"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_d=-1"]}, "allowed is a number of at least 0"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_d=1e-4,"]}, "allowed is a number of at least 0"),
        ({"algorithms": ["dcgan"], "assignments": ["wgan.clip=1"]}, "'wgan' is not among the run's algorithms dcgan"),
        ({"algorithms": ["dcgan"], "assignments": ["lr_d=1", "dcgan.lr_d=2"]}, "lr_d is given twice"),
        ({"algorithms": ["dcgan"], "bn": "on", "assignments": ["bn=off"]}, "bn is given twice"),
    ],
)
def test_mistakes_are_one_line(arguments, words):
    with pytest.raises(BenchError) as error:
        expand(**arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_split_names():
    assert split_names(" dcgan, wgan ,,dcgan") == ["dcgan", "wgan"]


def test_families_and_all_stand_for_their_members():
    assert algorithms("dcgan, autoencoder,ebgan") == ["dcgan", "ebgan", "began", "magan"]
    assert algorithms("all") == gans.names()
    assert algorithms("dcgna") == ["dcgna"]  # for `gans.get` to refuse


def test_an_algorithm_called_like_a_family_is_the_algorithm(monkeypatch):
    monkeypatch.setattr(gans, "families", lambda: {"dcgan": [gans.get("lsgan")]})
    assert algorithms("dcgan") == ["dcgan"]


def test_the_command_of_a_cell_rebuilds_the_cell():
    plan = expand(["lsgan"], bn="off", assignments=["coding=chi2", "ema=0.999", "lr_g=3e-05"])
    line = command(plan.cells[0], seeds=3, first_seed=2, options=["--preset", "smoke"])
    words = shlex.split(line)
    assert words[:2] == ["bench", "run"]
    parsed = cli.commands["run"].make_context("run", words[2:]).params
    again = expand(
        split_names(parsed["algos"]),
        bn=parsed["bn"],
        assignments=parsed["assignments"],
        seeds=parsed["seeds"],
        first_seed=parsed["first_seed"],
    )
    assert again.cells == plan.cells
    assert {trial.seed for trial in again.trials} == {2, 3, 4}
    assert parsed["preset"] == "smoke"


def test_fingerprints_differ_in_everything_that_matters():
    def fingerprint(name, seed, protocol, **config):
        cls = gans.get(name)
        plan = expand([name])
        trial = plan.trials[0]
        return type(trial)(Cell(name, cls.Config(**config)), seed).fingerprint(protocol)

    base = fingerprint("dcgan", 0, "p")
    assert base == fingerprint("dcgan", 0, "p")
    others = {
        fingerprint("dcgan", 1, "p"),
        fingerprint("dcgan", 0, "q"),
        fingerprint("dcgan", 0, "p", bn=False),
        fingerprint("lsgan", 0, "p"),
    }
    assert len(others | {base}) == 5

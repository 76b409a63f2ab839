"""A plan's file is the command line in another form; `bench plan` tells what is done and how long the rest takes."""

import json
from dataclasses import replace
from pathlib import Path

import click
import jsonschema
import pytest

from bench.cli.plan import Progress, _cell
from bench.cli.plan_file import keys
from bench.cli.run import run
from bench.plan import expand
from bench.track import Store
from bench.train.calibrate import Estimate
from bench.train.conditions import Conditions
from bench.train.loop import Loop

CURVES = "algos: gan\npreset: smoke\nsteps: 40\nsamples: 200\n"


@pytest.fixture
def planned(command, tmp_path):
    """What `bench plan` prints of a file with this text, and the arguments beside it."""

    def plan(text, *arguments, timing=False):
        (tmp_path / "plan.yaml").write_text(text)
        return command("plan", "plan.yaml", *arguments, *([] if timing else ["--no-timing"]))

    return plan


def test_a_file_says_what_the_command_line_says(command, planned):
    text = """
algos: [dcgan, wgan_gp]
bn: on
set:
  - lr_d=1e-4,2e-4
  - wgan_gp.n_d=2
seeds: 3
first-seed: 5
preset: smoke
g-updates: 7
samples: 300
data: fashion_mnist
device: cpu
"""
    factors = ("--bn", "on", "--set", "lr_d=1e-4,2e-4", "--set", "wgan_gp.n_d=2", "--seeds", 3, "--first-seed", 5)
    others = ("--preset", "smoke", "--g-updates", 7, "--samples", 300, "--data", "fashion_mnist", "--device", "cpu")
    words = ["--algos", "dcgan,wgan_gp", *factors, *others, "--no-timing"]
    code, out, err = planned(text)
    assert code == 0, err
    assert out == command("plan", *words)[1]
    assert "7 G updates per trial, 300 samples" in out
    assert "dcgan bn=on lr_d=0.0001   seeds 5..7" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", 2], "4 trials: 2 cells x 2 seeds"),
        (["--algos", "gan,wgan_gp", "--task", "curves"], "4 trials: 4 cells"),
        (["--epochs", 3], "3 epochs per trial"),
        (["--set", "lr_d=1"], "gan bn=off lr_d=1.0"),
    ],
)
def test_the_command_line_goes_before_the_file(planned, arguments, words):
    code, out, err = planned(f"{CURVES}set: lr_d=0.5,0.25", *arguments)
    assert code == 0, err
    assert words in out
    assert ("lr_d=0.5" in out) == ("--set" not in arguments)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("algo: gan", "plan.yaml: unknown key 'algo'; did you mean 'algos'? allowed are algos, task, bn, set"),
        ("algos: gan\nseeds: 1\n'seeds': 2", "plan.yaml: the key 'seeds' stands there 2 times; write it once"),
        ("algos: 7", "plan.yaml: algos: 7; allowed is text or a list of texts"),
        ("algos: gan\nseeds: many", "plan.yaml: seeds: 'many'; allowed is a whole number"),
        ("algos: gan\nseeds: true", "plan.yaml: seeds: True; allowed is a whole number"),
        ("algos: gan\nseeds: 0", "plan.yaml: seeds: 0 is not in the range x>=1"),
        ("algos: gan\nselect: first", "plan.yaml: select: 'first'; allowed is last, best"),
        ("algos: gan\nbn: maybe", "plan.yaml: bn: 'maybe'; allowed is on, off, on/off"),
        ("algos: gan\nfresh: 1", "plan.yaml: fresh: 1; allowed is true or false"),
        ("algos: gan\nset: [1]", "plan.yaml: set: [1]; allowed is text or a list of texts"),
        ("algos: gan\npreset: huge", "plan.yaml: --preset huge: allowed is smoke, quick, full"),
        ("algos: dcgna", "plan.yaml: unknown algorithm 'dcgna'; did you mean 'dcgan'"),
        ("algos: gan\nset: lr_gg=1", "plan.yaml: --set lr_gg=1: gan: unknown field 'lr_gg'"),
        ("algos: gan\nsteps: 1\nepochs: 1", "plan.yaml: --epochs and --steps exclude each other"),
        ("seeds: 2", "Missing option '--algos'"),
        ("- algos", "plan.yaml holds no keys"),
        ("", "plan.yaml holds no keys"),
        ("algos: [gan", "plan.yaml is no YAML"),
        ("algos: !!python/object/apply:os.system ['touch ran']", "plan.yaml is no YAML"),
        ("algos: gan\ngpu-share: 0.5", "--gpu-share goes with --ray"),
        ("algos: gan\nray: local\njobs: 2", "--jobs and --ray exclude each other"),
        ("a: &a [x]\nalgos: [*a, *a]", "plan.yaml: aliases ('*name') are not taken; write out what they stand for"),
        ("algos: HUGE", "plan.yaml: algos: a number of thousands of digits; allowed is text"),
        ("algos: gan\nsamples: HUGE", "plan.yaml: samples: a number of thousands of digits is far beyond"),
        ("algos: gan\ncheckpoint-every: HUGE", "plan.yaml: checkpoint-every: a number of thousands of"),
        ("? HUGE\n: gan", "plan.yaml: unknown key a number of thousands of digits; allowed are algos"),
        ("algos: [MANY 1]", "plan.yaml: algos: [1, 1, 1, 1, 1, 1, ...]; allowed is text"),
        ("algos: !!int ''", "plan.yaml cannot be read, a value in it has no form of YAML's"),
        ("algos: MANY MANY MANY MANY gan", "plan.yaml has more than 100,000 bytes, which no plan needs"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_one_line_names_file_and_key_and_what_is_allowed(command, tmp_path, verb, text, words):
    text = text.replace("HUGE", f"0x{'f' * 5000}").replace("MANY", "1, " * 9000)
    (tmp_path / "plan.yaml").write_text(text)
    code, _, err = command(verb, "plan.yaml")
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["plan.yaml"]


@pytest.mark.parametrize(("words", "experiment"), [((), "of_the_file"), (("--experiment", "typed"), "typed")])
def test_the_experiment_of_a_file_wins_over_the_environment(planned, monkeypatch, words, experiment):
    asked = []
    monkeypatch.setattr("bench.track.has_experiment", lambda name: bool(asked.append(name)))
    monkeypatch.setenv("BENCH_EXPERIMENT", "of_the_environment")
    assert planned(f"{CURVES}experiment: of_the_file", *words)[0] == 0
    planned(CURVES)
    assert asked == [experiment, "of_the_environment"]


def test_a_file_that_is_not_there(command, tmp_path):
    assert "no plan file 'nowhere.yaml'" in command("run", "nowhere.yaml")[2]
    (tmp_path / "plan.yaml").write_bytes(b"algos: \xff\xfe")
    assert "plan.yaml cannot be read" in command("run", "plan.yaml")[2]
    (tmp_path / "plan.yaml").write_text("[" * 5000)
    assert command("run", "plan.yaml")[0] == 2
    assert "/dev/zero is no file" in command("run", "/dev/zero")[2]


def test_the_schema_is_that_of_the_options(command):
    code, out, _ = command("plan", "--schema")
    assert code == 0
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    options = {option.opts[0].removeprefix("--") for option in run.params if isinstance(option, click.Option)}
    assert set(schema["properties"]) == options
    validator = jsonschema.Draft202012Validator(schema)
    good = {"algos": ["gan"], "bn": True, "set": "lr_d=1", "seeds": 2, "checkpoint-every": 0.5, "gpu-share": 0.1}
    assert not list(validator.iter_errors(good))
    for bad in ({}, {"algos": 1}, good | {"seeds": 0}, good | {"gpu-share": 0}, good | {"x": 1}, good | {"bn": "so"}):
        assert list(validator.iter_errors(bad)), bad
    assert set(keys(run.params)) == options


def test_plan_tells_what_is_done_and_what_was_broken_off(command, planned, no_page, monkeypatch):
    text = f"{CURVES}seeds: 3\nreport: r.html"
    assert planned(text)[1].splitlines()[1:] == ["3 trials: 1 cell x 3 seeds", "  gan bn=off   seeds 0..2"]
    assert command("run", "plan.yaml", "--seeds", 1)[0] == 0

    def stop(self, loop, examiner):
        honest(self, loop, examiner)
        raise KeyboardInterrupt

    from bench.train.trial import TrialRunner

    honest = TrialRunner._checkpoint
    with monkeypatch.context() as patch:
        patch.setattr(TrialRunner, "_checkpoint", stop)
        assert command("run", "plan.yaml", "--seeds", 2)[0] == 130
    runs = len(Store().runs("trial"))
    code, out, err = planned(text, "--jobs", 2, timing=True)
    assert code == 0, err
    assert "1 done, 1 broken off with a checkpoint, 1 to begin" in out
    assert "gan bn=off   seeds 0..2   1 done   seed 1 at step 20   " in out
    assert "s per trial (as 1 in the store took)" in out
    assert "of work on this device, 2 at a time about" in out
    assert "are timed here" not in out
    with monkeypatch.context() as patch:
        patch.setattr("bench.environment.device_name", lambda device: "another one")
        assert "steps of 1 cell are timed here" in planned(text, timing=True)[1]
    assert len(Store().runs("trial")) == runs
    anew = planned(text, "--fresh", timing=True)[1]
    assert "steps of 1 cell are timed here to tell the hours; --no-timing leaves it out" in anew
    assert "steps timed" in anew


def test_hours_count_what_is_left(command, planned, monkeypatch):
    """Three trials of 30 minutes are an hour and a half; nothing is written to say so."""
    estimate = Estimate(1800.0, 40, "made up")
    monkeypatch.setattr("bench.train.calibrate.Stopwatch.__call__", lambda self, cell: estimate)
    code, out, _ = planned(f"{CURVES}seeds: 3", timing=True)
    assert code == 0
    assert "seeds 0..2   30.0 min per trial (made up)" in out
    assert out.endswith("about 1.5 hours of work on this device\n")
    assert sorted(path.name for path in Path().iterdir()) == ["plan.yaml"]


def test_a_trial_with_a_checkpoint_takes_the_steps_that_it_still_lacks(capsys):
    trials = expand(["gan"], seeds=3).trials
    progress = Progress(finished={trials[0]: None}, steps={trials[1]: 30})
    left = _cell(trials[0].cell, trials, progress, lambda cell: Estimate(100.0, 40, "made up"))
    assert left == 0.25 * 100 + 100
    assert "1 done   seed 1 at step 30" in capsys.readouterr().out


def test_each_cell_has_its_own_trials_and_times(planned, monkeypatch):
    """A grid of many cells is gone through once, whatever the number of its trials."""
    asked = []

    def watch(self, cell):
        asked.append(cell.label)
        return Estimate(60.0 * len(asked), 40, "made up")

    monkeypatch.setattr("bench.train.calibrate.Stopwatch.__call__", watch)
    code, out, err = planned(f"{CURVES}seeds: 2\nset: lr_d=0.5,0.25", timing=True)
    assert code == 0, err
    assert asked == ["gan bn=off lr_d=0.5", "gan bn=off lr_d=0.25"]
    assert "gan bn=off lr_d=0.25   seeds 0..1   2.0 min per trial (made up)" in out
    assert "about 6.0 min of work" in out


def test_steps_are_timed_as_they_will_be_trained(planned, monkeypatch):
    """In the precision that is asked for, and with CUDA graphs where they are."""
    seen = []

    class Watched(Loop):
        def __init__(self, gan, batches, steps, precision="fp32", *, graphs=False):
            seen.append((precision, graphs))
            super().__init__(gan, batches, steps, precision)

    honest = Conditions.__init__

    def graphs_too(self, grid):
        honest(self, grid)
        self.settings = replace(self.settings, precision="bf16", graphs=True)

    monkeypatch.setattr("bench.train.calibrate.Loop", Watched)
    monkeypatch.setattr(Conditions, "__init__", graphs_too)
    assert planned(CURVES, timing=True)[0] == 0
    assert seen == [("bf16", True)]

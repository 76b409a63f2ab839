"""What the commands print; `--help` and `plan --no-timing` answer without running anything."""

import inspect
import json
from pathlib import Path

import click
import numpy as np
import pytest

import gans
from bench.cli import cli


@pytest.mark.parametrize(
    "name", ["", "run", "plan", "list", "show", "report", "compare", "score", "sample", "latent", "features", "check"]
)
def test_help(command, name):
    code, out, _ = command(*([name] if name else []), "--help")
    assert code == 0
    assert "Usage" in out


def test_help_names_every_option_in_words():
    bare = [
        f"{name} {option.opts[0]}"
        for name, command in cli.commands.items()
        for option in getattr(command, "commands", {"": command})[{"features": "train"}.get(name, "")].params
        if isinstance(option, click.Option) and not option.help
    ]
    assert bare == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["features", "train", "--data", "kmnist"],
        ["score", "images.npz", "--metrics", "memory"],
        ["run", "--algos", "dcgan", "--metrics", "memory"],
    ],
)
def test_offline_tries_no_download(command, monkeypatch, arguments):
    monkeypatch.delenv("BENCH_OFFLINE")
    np.savez("images.npz", np.zeros((300, 28, 28), np.uint8))

    def tried(*_):
        raise AssertionError("a download was tried")

    monkeypatch.setattr("bench.data.sources.download", tried)
    code, _, err = command(*arguments, "--offline")
    assert code == 2
    assert "not at hand" in err
    with pytest.raises(AssertionError, match="a download was tried"):
        command(*arguments)


def test_no_command_shows_the_help(command):
    code, out, _ = command()
    assert code == 0
    assert "Usage" in out


def test_list_shows_every_algorithm(command):
    code, out, _ = command("list")
    assert code == 0
    assert all(name in out for name in gans.names())


def test_list_groups_by_family_and_flags_equal_rows(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    lines = command("list")[1].splitlines()
    families = [line.strip() for line in lines[1:] if line and not line.startswith(" ")][:-1]
    assert families == sorted({gans.get(name).info.family for name in gans.names()})
    rows = [line.split()[0] for line in lines[1:] if line]
    assert rows.index("trick") < rows.index("pacgan") < rows.index("wasserstein") < rows.index("wgan")
    (pacgan,) = [line for line in lines if line.startswith("  pacgan ")]
    assert pacgan.rstrip().endswith("Same as nsgan with pack=2: bit for bit.")
    (fgan,) = [line for line in lines if line.startswith("  fgan ")]
    assert "Close to nsgan for divergence=js and g_loss=variant: the losses up to constants, on other settings." in fgan
    assert "Same as" not in fgan
    assert "no evidence of their own" in lines[-1]
    tracks = {line.split()[0]: line.partition("Track ")[2].split(".")[0] for line in lines if line.startswith("  ")}
    assert tracks == {
        name: "" if (track := gans.get(name).info.track) == "noise-to-image" else track for name in gans.names()
    }


def test_list_json(command):
    _, out, _ = command("list", "--json")
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert set(entries) == set(gans.names())
    assert entries["wgan_gp"]["year"] == 2017
    assert entries["wgan_gp"]["needs_labels"] is False
    assert "1704.00028" in entries["wgan_gp"]["paper"]


@pytest.mark.parametrize("name", gans.names())
def test_show_tells_losses_settings_and_deviations(command, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "4000")
    code, out, _ = command("show", name)
    assert code == 0
    info = gans.get(name).info
    for text in (info.paper, *info.losses, *info.deviations):
        assert text in out
    for spec in gans.get(name).Config.options():
        assert spec.name in out
        assert spec.meaning in out


def test_show_tells_first_what_is_the_algorithm_s_own(command):
    _, out, _ = command("show", "wgan_gp")
    own, shared = out.split("Settings that every algorithm has")
    assert "lambda_gp" in own
    assert "n_d        5 " in own
    assert "unroll_lr" in shared
    assert "Settings of its own" not in command("show", "nsgan")[1]


def test_show_json_types_its_fields(command):
    _, out, _ = command("show", "lsgan", "--json")
    fields = {field["name"]: field for field in json.loads(out)["config"]}
    assert fields["coding"]["choices"] == ["binary", "chi2", "tutorial"]
    assert fields["bn"] == fields["bn"] | {"type": "bool", "default": True}


def test_check_says_in_plain_words_what_fails(command, monkeypatch):
    code, out, _ = command("check", "lsgan")
    assert code == 0
    assert "lsgan keeps all" in out
    generate = gans.get("lsgan").generate
    monkeypatch.setattr(
        gans.get("lsgan"), "generate", lambda self, batch, latent=None: 40 * generate(self, batch, latent)
    )
    code, out, _ = command("check", "lsgan")
    assert code == 1
    assert "FAIL  `generate` gives one image an element, fixed by `rng`" in out
    assert "generate left [-1, 1]" in out


def test_check_names_the_line_of_an_algorithm_that_raises(command, monkeypatch):
    lsgan, written = gans.get("lsgan"), {}
    source = "\n\ndef d_loss(self, real_scores, fake_scores):\n    return undefined\n"
    exec(compile(source, inspect.getfile(lsgan), "exec"), written)
    monkeypatch.setattr(lsgan, "d_loss", written["d_loss"])
    assert "NameError: name 'undefined' is not defined (lsgan.py, line 4)" in command("check", "lsgan")[1]


def test_check_says_that_a_loss_is_one_number(command, monkeypatch):
    monkeypatch.setattr(gans.get("lsgan"), "g_loss", lambda self, fake_scores: -fake_scores)
    assert "the loss of turn 'g' has shape [8]: take its mean" in command("check", "lsgan")[1]


def test_plan_prints_the_grid_and_runs_nothing(command):
    code, out, _ = command(
        *("plan", "--algos", "dcgan,wgan_gp", "--bn", "on/off", "--seeds", 3, "--set", "dcgan.lr_d=1e-4,2e-4"),
        "--no-timing",
    )
    assert code == 0
    assert "15 trials: 5 cells x 3 seeds" in out
    assert "dcgan bn=off lr_d=0.0001" in out
    assert "wgan_gp bn=on   skipped: batch norm in D" in out
    assert not list(Path().iterdir())

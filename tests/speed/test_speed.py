"""What `bench speed` says: ratios the right way round, quartiles in order, a roofline by hand, what fell."""

import json

import pytest
import torch

from bench.errors import BenchError
from bench.speed import harness, parts, roofline, side_by_side, step, timing
from bench.speed.naive import PEER
from bench.track import Store
from bench.train.loop import Loop
from gans import Turn

CPU = torch.device("cpu")


def test_actions_take_turns():
    order = []
    timing.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert "".join(order) == "aabb" + "ababab"


def test_each_action_has_its_own_clock(monkeypatch):
    """A made-up clock that each action moves by so much."""
    now = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])

    def takes(seconds):
        return lambda: now.__setitem__(0, now[0] + seconds)

    assert timing.interleaved({"slow": takes(3.0), "fast": takes(0.5)}, 2) == {"slow": [3.0, 3.0], "fast": [0.5, 0.5]}


def test_spread_is_median_and_quartiles():
    assert timing.spread("ms", [5, 1, 4, 2, 3]) == {"ms_median": 3, "ms_low": 2, "ms_high": 4}


def test_a_ratio_is_taken_round_by_round_and_above_one_where_ours_is_faster():
    """Rounds on a machine that is twice as busy in every other one: the ratio does not notice."""
    found = timing.ratios("ratio_to_naive", [2, 4, 2, 4], [1, 2, 1, 2])
    assert found == {"ratio_to_naive_median": 2, "ratio_to_naive_low": 2, "ratio_to_naive_high": 2}


def test_flops_of_a_product_by_hand():
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    assert roofline.flops(lambda: a @ b) == 2 * 3 * 5 * 7


def test_best_rate_is_of_the_fastest_convolution():
    assert roofline.best_rate({"a": [1.0, 2.0, 9.0], "b": [4.0] * 3, "step": [0.1]}, {"a": 10, "b": 24}) == 6.0


def test_flops_of_a_step_by_hand():
    """Generator and discriminator by their layers; each gradient costs what its forward pass does."""
    n = 16
    project, up, last = n * 100 * 6272, n * 49 * 128 * 64 * 16, n * 784 * 32 * 16
    up2 = n * 196 * 64 * 32 * 16
    first, second, head = n * 196 * 64 * 16, n * 49 * 64 * 128 * 16, n * 6272
    g, d = project + up + up2 + last, first + second + head
    # D's turn: G forwards, D forwards twice, and backwards twice but for the images.
    d_turn = g + 2 * (d + 2 * d - first)
    # G's turn: G and D forwards, D's activations, G's weights and activations but for the latents.
    g_turn = g + d + d + 2 * g - project
    loop = step.our_loop(PEER, n, CPU)
    assert roofline.flops(lambda: loop.run(1)) == 2 * (d_turn + g_turn)


def test_a_cycle_holds_every_turn():
    assert step.cycle(step.our_loop("wgan", 16, CPU)) == 10
    assert step.cycle(step.our_loop(PEER, 16, CPU)) == 2


def test_steps_of_a_row_that_does_not_play_on_digits_are_refused():
    with pytest.raises(BenchError, match=r"--algos ccgan: .*speed is measured on digits"):
        step.our_loop("ccgan", 16, CPU)


def figures(median, low, high, name="ratio_to_naive"):
    return {"step": {"dcgan_fp32": {f"{name}_median": median, f"{name}_low": low, f"{name}_high": high}}}


def test_a_ratio_fell_when_the_quartiles_are_apart():
    before = figures(1.75, 1.7, 1.8)
    assert parts.fallen(figures(1.5, 1.4, 1.6), before) == ["step dcgan_fp32: ratio_to_naive fell from 1.75 to 1.50"]
    assert parts.fallen(figures(1.65, 1.5, 1.75), before) == []
    assert parts.fallen(figures(2.5, 2.4, 2.6), before) == []
    assert parts.fallen(figures(1.5, 1.4, 1.6), {}) == []


def test_times_alone_never_fall():
    assert parts.fallen(figures(1, 1, 1, "ms"), figures(5, 5, 5, "ms")) == []


@pytest.fixture
def instant(monkeypatch):
    """A part that takes no time and says what it was asked."""
    asked = []
    monkeypatch.setitem(parts.PARTS, "step", lambda request: asked.append(request) or figures(1.5, 1.4, 1.6)["step"])
    return asked


def test_json_names_every_figure(command, instant):
    code, out, _ = command("speed", "--json", "--repeats", 4, "--algos", "lsgan,wgan")
    assert code == 0
    found = json.loads(out)
    assert found["figures"] == figures(1.5, 1.4, 1.6)
    assert found["machine"]["repeats"] == 4
    (request,) = instant
    assert (list(request.algorithms), request.repeats) == (["lsgan", "wgan"], 4)


def test_table_shows_medians_with_quartiles(command, instant):
    code, out, _ = command("speed")
    assert code == 0
    assert "dcgan_fp32" in out
    assert "1.5 [1.4, 1.6]" in out
    assert list(instant[0].algorithms) == [PEER]


def test_what_fell_is_said(command, instant, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps({"figures": figures(1.75, 1.7, 1.8)}))
    code, out, _ = command("speed", "--against", kept)
    assert code == 0, "a time fails nobody"
    assert "ratio_to_naive fell from 1.75 to 1.50" in out


LONE = {"step": {"dcgan_fp32": {"ratio_to_naive_median": 1.75}}}


@pytest.mark.parametrize(
    "kept", [[], {}, {"figures": []}, {"figures": {"step": [1]}}, {"figures": LONE}, {"figures": figures(1, "1", 1)}]
)
def test_a_file_without_all_figures_is_refused_before_anything_is_measured(command, instant, tmp_path, kept):
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    code, _, err = command("speed", "--against", tmp_path / "kept.json")
    assert code == 2
    assert "no figures of 'bench speed --json' in it" in err
    assert instant == []


def test_what_is_kept_can_be_compared_with(command, instant, tmp_path):
    kept = tmp_path / "folder" / "kept.json"
    code, out, _ = command("speed", "--keep", kept)
    assert code == 0
    assert "1.5 [1.4, 1.6]" in out, "people see the table all the same"
    assert json.loads(kept.read_text())["figures"] == figures(1.5, 1.4, 1.6)
    code, out, _ = command("speed", "--against", kept)
    assert code == 0
    assert "fell" not in out
    code, _, err = command("speed", "--keep", tmp_path)
    assert code == 2
    assert str(tmp_path) in err


def test_an_unknown_part_is_refused_with_those_allowed(command):
    code, _, err = command("speed", "--parts", "step,setp")
    assert code == 2
    assert "--parts step,setp: allowed are all, step, batch" in err


@pytest.mark.parametrize("part", ["step", "batch", "checkpoint"])
def test_parts_measure_something(part, monkeypatch):
    monkeypatch.setattr(step, "SIZES", (2, 4))
    rows = parts.measure([part], step.Subject([PEER], 2, CPU))[part]
    values = [value for numbers in rows.values() for value in numbers.values()]
    assert values
    assert all(value > 0 for value in values)


def test_trials_side_by_side_are_measured(monkeypatch):
    """In processes of their own, and together in this one."""
    for module in (step, side_by_side):
        monkeypatch.setattr(module, "SIZES", (2, 4))
    monkeypatch.setattr(side_by_side, "PRECISIONS", ("fp32",))
    monkeypatch.setattr(side_by_side, "CYCLES", 1)
    monkeypatch.setattr(side_by_side, "LANES", (1, 2))
    figures = parts.measure(["jobs", "together"], step.Subject([PEER], 2, CPU))
    assert figures["jobs"]["2_processes_fp32"]["ratio_to_naive_median"] > 0
    one, two = (figures["together"][lanes] for lanes in "12")
    assert one["ratio_to_one_alone_median"] == 1
    assert two["images_per_second_median"] > 0


def test_overhead_is_the_share_that_the_turns_do_not_take(monkeypatch, ready_store):
    """A clock that the bare turns move by three seconds, and a step of the trial by four."""
    now = [0.0]

    def moves(honest, seconds):
        def moved(*arguments):
            now[0] += seconds
            return honest(*arguments)

        return moved

    monkeypatch.setattr(harness, "Store", lambda uri: Store())
    monkeypatch.setattr(harness, "SHORTER", 200)
    monkeypatch.setattr(step, "SIZES", (2, 4))
    monkeypatch.setattr(harness, "SIZES", (2, 4))
    monkeypatch.setattr(Loop, "run", moves(Loop.run, 1.0))
    monkeypatch.setattr(Turn, "take", moves(Turn.take, 1.5))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    figures = parts.measure(["overhead"], step.Subject([PEER], 2, CPU))
    assert figures["overhead"]["of_a_trial"]["share_of_wall_time"] == pytest.approx(0.25)

"""Trials trained together in one process end as they would have ended alone."""

import os
import signal

import pytest
import torch
from stored import content, runs
from victim import AVERAGED as CURVES
from victim import GRID

import gans
from bench.data import Batches, Dataset
from bench.plan import expand
from bench.train.lanes import InProcess, Lane
from bench.train.loop import Loop
from bench.train.signals import Interrupts
from bench.train.trial import build


@pytest.fixture(scope="module")
def made_up():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (40, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return Dataset("made-up", images, torch.arange(40) % 10, "0" * 16, "a test")


def loop(name, seed, data, device, **options):
    (trial,) = expand([name], assignments=["batch_size=4"], first_seed=seed).trials
    gan = build(trial, device)
    steps = max(4, gan.config.n_d)  # each player moves
    return Loop(gan, Batches(data, 4, seed, device), steps, **options)


def training(name, seed, data, device, **options):
    """A trial's life, built where it is trained."""
    trained = loop(name, seed, data, device, **options)
    for _ in range(trained.steps):
        trained.run(1)
        yield
    assert trained.counts.g_updates
    return trained.gan.state_dict() | {key: torch.tensor(value) for key, value in trained.drain().items()}


def trained(name, data, device, **options):
    """What two trials end with: each alone, and both together."""
    alone = [Lane(training(name, seed, data, device, **options), device).to_the_end() for seed in (0, 1)]
    lanes = [Lane(training(name, seed, data, device, **options), device) for seed in (0, 1)]
    ends = [None, None]
    while None in ends:
        ends = [lane.go_on() if end is None else end for lane, end in zip(lanes, ends, strict=True)]
    return zip(alone, ends, strict=True)


DIGITS = [name for name in gans.names() if "digits" in gans.get(name).fields]


@pytest.mark.parametrize("name", DIGITS)
def test_every_algorithm_is_trained_beside_others_as_alone(name, made_up):
    """To the last bit, random numbers of torch's global generators included: dropout's come from there."""
    for expected, found in trained(name, made_up, torch.device("cpu")):
        assert expected.keys() == found.keys()
        for key, value in expected.items():
            assert torch.equal(value, found[key]), key


@pytest.mark.gpu
@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("name", DIGITS)
def test_on_a_gpu_too(name, graphs, made_up, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)
    for expected, found in trained(name, made_up, torch.device("cuda"), graphs=graphs):
        torch.testing.assert_close(expected, found, rtol=1e-4, atol=1e-5)


def test_a_lane_leaves_the_random_numbers_of_others_alone():
    def draws():
        torch.manual_seed(3)
        while True:
            torch.rand(5)
            yield

    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    Lane(draws(), torch.device("cpu")).go_on()
    assert torch.equal(torch.rand(1), expected)


@pytest.fixture
def together(monkeypatch):
    """Lets `bench run` train two trials at a time, which it does on a GPU only; gives the engine's class."""
    monkeypatch.setattr("bench.train.lanes.InProcess", lambda workplace, _: InProcess(workplace, 2))
    return InProcess


def test_a_run_of_three_two_at_a_time(undisturbed, together, command, tmp_path):
    code, out, err = command(*GRID)
    assert code == 0, err
    assert out.index("[2/3]") < out.index("seed=0: curves_fid"), "the second starts before the first has ended"
    assert content(tmp_path) == undisturbed(*GRID)


def test_one_signal_saves_all_and_the_same_command_goes_on(undisturbed, together, command, tmp_path, monkeypatch):
    steps = []

    def counted(lane, honest=Lane.go_on):
        steps.append(lane)
        if len(steps) == 200:
            os.kill(os.getpid(), signal.SIGINT)
        return honest(lane)

    monkeypatch.setattr(Lane, "go_on", counted)
    code, out, err = command(*GRID)
    assert code == 130, err
    assert "stopped; to go on: bench run" in out
    assert "[3/3]" not in out, "a signal begins nothing"
    code, out, err = command(*GRID)
    assert code == 0, err
    assert out.count("goes on from step 10") == 2, out
    assert content(tmp_path) == undisturbed(*GRID)
    assert runs(tmp_path) == 3


def test_a_signal_before_the_first_step_begins_nothing():
    begun = []

    class Nothing:
        def training(self, order, watcher, interrupts):
            def steps():
                begun.append(order)
                yield

            return Lane(steps(), torch.device("cpu"))

    with Interrupts() as interrupts:
        interrupts.pending = signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            list(InProcess(Nothing(), 2).run([1, 2, 3], None, interrupts))
    assert begun == []


def test_a_trial_that_fails_leaves_the_others_alone(together, command, tmp_path, monkeypatch):
    honest = gans.get("gan").g_turn

    def fails(self, batch):
        if self.config.lr_g == 1.0 and self.progress > 0.1:
            raise RuntimeError("no idea")
        return honest(self, batch)

    monkeypatch.setattr(gans.get("gan"), "g_turn", fails)
    code, out, _ = command(*CURVES, "--set", "lr_g=1,0.001")
    assert code == 1
    assert "failed: RuntimeError: no idea" in out
    assert sorted(trial["status"] for trial in content(tmp_path).values()) == ["failed", "finished"]


def test_a_full_disk_ends_the_run_and_no_lock_is_left(together, command, monkeypatch, tmp_path):
    from bench.journal import NoRoom
    from bench.spool import RunWriter

    def full(self, values, step, honest=RunWriter.metrics):
        if step >= 100:
            raise NoRoom("no room")
        honest(self, values, step)

    monkeypatch.setattr(RunWriter, "metrics", full)
    code, _, err = command(*GRID)
    assert code == 2, err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*GRID)
    assert code == 0, err
    assert "is left out" not in out, "every lock was let go"


def test_where_no_stream_runs_it_is_refused(command):
    code, _, err = command(*CURVES, "--together", 3, "--device", "cpu")
    assert code == 2
    assert "--together 3: only a CUDA device computes streams side by side, not cpu; give --jobs 3" in err
    code, _, err = command(*CURVES, "--together", 3, "--jobs", 3)
    assert code == 2
    assert "--jobs and --together exclude each other" in err

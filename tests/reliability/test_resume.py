"""The same command again: what is finished is known, what was broken off goes on, and what is in the way is said."""

import itertools
import os
import signal
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from mlflow.exceptions import MlflowException
from stored import client_of, content, runs
from victim import CURVES

from bench import results
from bench.spool import WORK
from bench.train.examine import Examiner
from bench.train.memory import out_of_memory
from gans.standard.gan import ClassicGAN


@pytest.fixture
def stop_at(monkeypatch):
    """Lets a signal come in the nth turn of D."""
    honest = ClassicGAN.d_loss

    def arm(nth, number=signal.SIGTERM, times=1):
        calls = itertools.count(1)

        def d_loss(self, real, fake):
            if next(calls) == nth:
                for _ in range(times):
                    os.kill(os.getpid(), number)
            return honest(self, real, fake)

        monkeypatch.setattr(ClassicGAN, "d_loss", d_loss)

    return arm


def trial():
    frame = results.load().trials
    (row,) = frame[frame["kind"] == "trial"].to_dict("records")
    return row


def checkpoints():
    return sorted(path.name for path in Path(WORK).glob("*/checkpoint-*"))


@pytest.fixture(scope="module")
def uninterrupted(undisturbed):
    """What the trial leaves in a store when nothing happens to it."""
    return undisturbed(*CURVES)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_the_same_command_goes_on(command, stop_at, uninterrupted, tmp_path, number):
    stop_at(37, number)
    before = signal.getsignal(number)
    code, out, err = command(*CURVES)
    assert code == 130
    assert "stopped; to go on: bench" in out
    assert signal.getsignal(number) is before
    assert checkpoints() == ["checkpoint-37.pt"]
    row = trial()
    assert row["status"] == "interrupted"
    assert client_of().get_run(row["run_id"]).info.status == "KILLED"
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on from step 37 of 100" in out
    assert content(tmp_path) == uninterrupted
    assert trial()["run_id"] == row["run_id"]
    assert not Path(WORK).exists()


def test_a_signal_in_an_evaluation_loses_no_training(command, uninterrupted, tmp_path, monkeypatch):
    honest = Examiner._scores

    def scores(self, n, seed, *, final):
        if final:
            os.kill(os.getpid(), signal.SIGINT)
        return honest(self, n, seed, final=final)

    with monkeypatch.context() as patch:
        patch.setattr(Examiner, "_scores", scores)
        assert command(*CURVES)[0] == 130
    assert "checkpoint-100.pt" in checkpoints()
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on from step 100 of 100" in out
    assert content(tmp_path) == uninterrupted


def test_a_finished_trial_is_not_trained_again_but_shown(command):
    assert command(*CURVES)[0] == 0
    first = trial()
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "1 of them finished before" in out
    assert "[1/1]" not in out
    assert "gan bn=off" in out.partition("curves, protocol")[2]
    assert "real curves" in out
    assert trial()["run_id"] == first["run_id"]
    code, out, err = command(*CURVES, "--fresh")
    assert "[1/1]" in out
    assert trial()["run_id"] != first["run_id"]


def test_a_trial_of_changed_code_is_trained_again(command, monkeypatch):
    assert command(*CURVES)[0] == 0
    monkeypatch.setattr("bench.environment.code", lambda algorithm: "changed")
    assert "[1/1]" in command(*CURVES)[1]


def test_a_failed_trial_is_tried_again(command, stop_at, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ClassicGAN, "g_loss", lambda self, scores: scores.mean() / "x")
        assert command(*CURVES)[0] == 1
    assert trial()["status"] == "failed"
    assert not Path(WORK).exists()
    assert command(*CURVES)[0] == 0
    assert trial()["status"] == "finished"


def test_fresh_begins_anew(command, stop_at, uninterrupted, tmp_path):
    stop_at(37)
    assert command(*CURVES)[0] == 130
    code, out, err = command(*CURVES, "--fresh")
    assert code == 0, err
    assert "goes on" not in out
    assert content(tmp_path) == uninterrupted
    assert runs(tmp_path) == 2


def test_a_fresh_run_that_was_broken_off_goes_on_without_fresh(command, stop_at, tmp_path, uninterrupted):
    """Also where the store has an earlier result, which `bench plan` does not take for the trial's either."""
    assert command(*CURVES)[0] == 0
    before = trial()["run_id"]
    stop_at(37)
    code, out, _ = command(*CURVES, "--fresh")
    assert code == 130
    assert f"results that they have; to go on: bench {' '.join(CURVES)}\n" in out
    words = [word for word in CURVES[1:] if word]
    assert "0 done, 1 broken off with a checkpoint, 0 to begin" in command("plan", *words, "--no-timing")[1]
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on from step 37 of 100" in out
    assert content(tmp_path) == uninterrupted
    assert trial()["run_id"] != before
    assert "1 of them finished before" in command(*CURVES)[1]


def test_what_a_plan_says_is_not_taken_out_of_a_command(command, stop_at, tmp_path):
    (tmp_path / "plan.yaml").write_text("algos: gan\nsteps: 100\npreset: smoke\nsamples: 200\nfresh: true\n")
    stop_at(37)
    assert "take 'fresh' out of the plan's file; to go on: bench run plan.yaml\n" in command("run", "plan.yaml")[1]


@pytest.mark.parametrize(("damaged", "words"), [(1, "goes on from step"), (2, "100 steps")])
def test_damaged_checkpoints_are_said_and_passed_over(command, stop_at, uninterrupted, tmp_path, damaged, words):
    """The one before serves, or the trial begins anew in the same run; no point is there twice."""
    stop_at(70)
    assert command(*CURVES)[0] == 130
    newest_first = sorted(Path(WORK).glob("*/checkpoint-*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    assert len(newest_first) == 2
    for path in newest_first[:damaged]:
        path.write_bytes(path.read_bytes()[:-1])
    run_id = trial()["run_id"]
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert out.count("is damaged or cut short and not used") == damaged
    assert words in out
    assert content(tmp_path) == uninterrupted
    assert trial()["run_id"] == run_id


@pytest.mark.parametrize(
    "change", [("bench.environment.code", lambda algorithm: "changed"), ("torch.__version__", "0.1")]
)
def test_what_other_code_or_torch_began_is_put_aside_for_a_new_run(command, stop_at, monkeypatch, tmp_path, change):
    """Nets of another size included, which the store would not take as params of the same run."""
    stop_at(70)
    assert command(*CURVES)[0] == 130
    before = trial()["run_id"]
    monkeypatch.setattr(*change)
    monkeypatch.setattr("bench.train.trial.parameter_count", lambda net: 7)
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "what was begun of it is of other code, torch or device and not used" in out
    assert "goes on" not in out
    row = trial()
    assert (row["params_g"], row["status"]) == (7, "finished")
    client = client_of()
    assert [point.step for point in client.get_metric_history(row["run_id"], "loss_d")] == [25, 50, 75, 100]
    assert client.get_run(before).info.status == "KILLED"
    assert client.get_run(before).data.params["params_g"] != "7"
    assert runs(tmp_path) == 2
    assert not Path(WORK).exists()


def test_a_trial_whose_journal_is_damaged_is_left_out_and_holds_no_other_up(command, stop_at):
    stop_at(37)
    assert command(*CURVES)[0] == 130
    (journal,) = Path(WORK).glob("*/journal.jsonl")
    journal.write_text("{}\n" + journal.read_text())
    code, out, err = command(*CURVES, "--seeds", "2")
    assert code == 0, err
    assert "seed=0 is left out: " in out
    assert f"is damaged; remove {journal.parent.absolute()}, what it holds is lost" in out
    assert set(results.load().trials.query("kind == 'trial'").set_index("seed")["status"].items()) == {
        (0, "interrupted"),
        (1, "finished"),
    }
    with FileLock(f"{journal.parent}.lock", timeout=0):
        pass


def test_a_run_deleted_in_the_store_is_begun_anew(command, stop_at):
    stop_at(37)
    assert command(*CURVES)[0] == 130
    run_id = trial()["run_id"]
    client_of().delete_run(run_id)
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on" not in out
    assert trial()["run_id"] != run_id


def test_a_trial_in_other_hands_is_left_out(command, stop_at):
    stop_at(37)
    assert command(*CURVES)[0] == 130
    (folder,) = (path for path in Path(WORK).iterdir() if path.is_dir())
    with FileLock(f"{folder}.lock"):
        code, out, err = command(*CURVES)
    assert code == 0, err
    assert "is left out: another 'bench run' trains it now" in out
    assert trial()["status"] == "interrupted"


def test_a_full_disk_stops_no_training(command, full_disk):
    full_disk("checkpoint-")
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "no checkpoint at step 50 (No space left on device), the training goes on" in out
    assert trial()["status"] == "finished"


def test_a_full_disk_at_the_end_loses_no_training(command, full_disk, uninterrupted, tmp_path):
    full_disk("weights.safetensors")
    code, _, err = command(*CURVES)
    assert code == 2
    assert "weights" not in err
    assert "No space left on device; make room and give the same command again" in err
    full_disk(None)
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on from step 100 of 100" in out
    assert content(tmp_path) == uninterrupted


MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory."),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB, max allowed: 9.07 GB)."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", MEMORY, ids=lambda error: type(error).__name__)
def test_each_form_of_out_of_memory_is_known(error):
    assert out_of_memory(error)
    assert not out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))


def test_out_of_memory_in_a_trial_says_what_to_lower(command, monkeypatch):
    error = MEMORY[1]

    def d_loss(self, real, fake):
        raise error

    monkeypatch.setattr(ClassicGAN, "d_loss", d_loss)
    code, out, _ = command(*CURVES, "--set", "unroll=2")
    assert code == 1
    assert "out of memory on cpu: lower batch_size (now 32) or unroll (now 2) with --set" in out
    assert trial()["status"] == "failed"


def test_a_trial_that_ran_out_of_memory_goes_on_when_there_is_more(command, uninterrupted, tmp_path, monkeypatch):
    """As it is told to, with fewer trials at a time: from its checkpoint, in the run that had failed until then."""
    calls, honest = itertools.count(1), ClassicGAN.d_loss

    def d_loss(self, real, fake):
        if next(calls) == 70:
            raise MEMORY[0]
        return honest(self, real, fake)

    with monkeypatch.context() as patch:
        patch.setattr(ClassicGAN, "d_loss", d_loss)
        assert command(*CURVES)[0] == 1
    failed = trial()
    assert failed["status"] == "failed"
    assert failed["reason"].startswith("out of memory")
    assert client_of().get_run(failed["run_id"]).info.status == "FAILED"
    assert checkpoints() == ["checkpoint-50.pt"]
    code, out, err = command(*CURVES)
    assert code == 0, err
    assert "goes on from step 50 of 100" in out
    assert content(tmp_path) == uninterrupted
    row = trial()
    assert (row["run_id"], row["status"], row["reason"]) == (failed["run_id"], "finished", "")
    assert not Path(WORK).exists()


@pytest.mark.parametrize(("error", "words"), [(MEMORY[2], "MPS backend out of memory"), (MEMORY[-1], "MemoryError")])
def test_out_of_memory_outside_of_trials_is_one_line(command, monkeypatch, error, words):
    """Rows of reference are scored before the first trial."""

    def score(self):
        raise error

    monkeypatch.setattr("bench.train.references.References.score", score)
    code, _, err = command(*CURVES)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"bench: error: out of memory ({words}")
    assert "choose another one with --device" in err


def test_a_store_that_fails_without_a_word_is_one_line(command, monkeypatch):
    def score(self):
        raise MlflowException("")

    monkeypatch.setattr("bench.train.references.References.score", score)
    code, _, err = command(*CURVES)
    assert (code, err.count("\n")) == (2, 1)
    assert "the store failed (MlflowException)" in err

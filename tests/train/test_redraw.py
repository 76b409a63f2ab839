"""FID over several draws of samples: its spread is that of independent draws from one generator."""

import numpy as np
import pytest
import torch

from bench.tasks import TASKS, Scoring
from bench.train.examine import SAMPLING_SEED, Examiner
from bench.train.loop import Loop
from bench.train.sampling import draw
from bench.train.signals import Interrupts
from gans import get

CPU = torch.device("cpu")
N = 500


class Recorder:
    """Keeps what is recorded."""

    def __init__(self):
        self.kept = {}

    def metrics(self, values, step):
        self.kept |= values


@pytest.fixture
def examiner():
    task = TASKS["curves"]
    data = task.load(data_dir=None, offline=True)
    torch.manual_seed(0)
    gan = get("gan")(field=task.field)
    loop = Loop(gan, task.batches(data, 32, 0, CPU), 10)
    yardstick = task.yardstick(CPU, data, Scoring(N, None, None, None))
    return Examiner(loop, task, data, yardstick, Recorder(), Interrupts(), seed=5)


def fid_of(examiner, seed):
    task, gan = examiner.task, examiner.gan
    samples = draw(gan, examiner.loop.generator, task.examples(examiner.data, N, seed), seed)
    return examiner.yardstick.judge(samples)["curves_fid_500"]


def test_the_spread_is_that_of_three_draws_the_first_of_which_is_known(examiner):
    fids = [fid_of(examiner, 5 + SAMPLING_SEED + i) for i in range(3)]
    assert len(set(fids)) == 3
    found = examiner.redraw(N, 3, {"curves_fid_500": fids[0]})
    assert found == {"curves_fid_sd_500": pytest.approx(np.std(fids, ddof=1))}
    assert examiner.recorder.kept == found
    shifted = examiner.redraw(N, 3, {"curves_fid_500": fids[0] + 10})
    assert shifted["curves_fid_sd_500"] == pytest.approx(np.std([fids[0] + 10, *fids[1:]], ddof=1))


def test_one_draw_has_none(examiner):
    assert examiner.redraw(N, 1, {"curves_fid_500": 1.0}) == {}
    assert examiner.recorder.kept == {}


def test_it_leaves_the_training_as_it_was(examiner):
    before = {name: value.clone() for name, value in examiner.gan.state_dict().items()}
    state = torch.get_rng_state()
    examiner.redraw(N, 2, {"curves_fid_500": 1.0})
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in examiner.gan.state_dict().items())

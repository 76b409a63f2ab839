"""What a person sees while trials run."""

import io

from rich.console import Console

from bench.cli.display import LineDisplay
from bench.plan import expand
from bench.train.loop import Counts
from bench.train.trial import Outcome


def test_a_line_names_the_first_scores_and_not_all_of_them():
    buffer = io.StringIO()
    display = LineDisplay(1, Console(file=buffer, width=80))
    (trial,) = expand(["dcgan"]).trials
    counts = Counts(steps=10, seconds=2.0)
    scores = {f"mnist_{name}_10k": 1.5 for name in ("fid", "is", "kid", "kid_low", "precision", "recall")}
    display.trial_started(trial, 10)
    display.progressed(trial, counts, {"loss_d": 0.25, "score_d": 1.0})
    display.evaluated(trial, counts, scores)
    display.trial_ended(trial, Outcome("finished", "", scores, counts))
    started, evaluated, ended = buffer.getvalue().splitlines()
    assert started == "[1/1] dcgan bn=on seed=0: 10 steps"
    assert evaluated.endswith("loss_d 0.25  mnist_fid_10k 1.5  mnist_is_10k 1.5  mnist_kid_10k 1.5")
    assert "5.0 steps/s  0 s left" in evaluated
    assert ended.endswith("mnist_fid_10k 1.50  mnist_is_10k 1.50  mnist_kid_10k 1.50  (2 s of training, 5.0 steps/s)")

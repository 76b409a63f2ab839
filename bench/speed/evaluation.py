"""Scoring 10,000 samples: each part by itself, and all of it against torch-fidelity called once for each metric."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch_fidelity import calculate_metrics

from bench.evaluate import Evaluator
from bench.features.extractor import Images, register_extractor
from bench.features.metrics import IS_SHUFFLE_SEED, KID_SUBSET_SIZE, KID_SUBSETS
from bench.features.weights import FOLDER, WEIGHTS
from bench.metrics import Metric
from bench.protocol import REFERENCE_SAMPLES
from bench.samples import Samples
from bench.speed.naive import PEER
from bench.speed.step import SIZES, Subject, noise_images, our_loop
from bench.speed.timing import Action, Numbers, interleaved, ratios, spread
from bench.tasks import TASKS
from bench.train.sampling import draw

ROUNDS = 3
"""Rounds at most: one takes minutes on a busy machine."""
BASELINE = ("fid", "isc", "kid", "prc")
"""torch-fidelity's names of FID, IS, KID, precision and recall."""


def torch_fidelity_call(metric: str, images: Tensor, real: Tensor, device: torch.device) -> None:
    """One metric by torch-fidelity's front door, on our extractor and with our settings of KID."""
    settings: dict[str, Any] = {"kid_subsets": KID_SUBSETS, "kid_subset_size": KID_SUBSET_SIZE}
    calculate_metrics(
        input1=Images(images),
        input2=Images(real),
        feature_extractor=register_extractor(),
        feature_extractor_weights_path=str(FOLDER / WEIGHTS),
        rng_seed=IS_SHUFFLE_SEED,
        batch_size=200,
        cuda=device.type == "cuda",
        save_cpu_ram=True,
        verbose=False,
        **{metric: True},
        **settings,
    )


def measure_evaluation(subject: Subject) -> dict[str, Numbers]:
    """An untrained generator's samples. Ours scores more: density, coverage, classes, and FID of a second extractor.

    Its features of the real images ship with the package; torch-fidelity, asked as its documentation shows, extracts
    them in every call.
    """
    gan = our_loop(PEER, SIZES[1], subject.device).gan
    data = noise_images()
    examples = TASKS["mnist"].examples(data, REFERENCE_SAMPLES, seed=0)
    evaluator = Evaluator(subject.device)

    def sampled() -> Samples:
        return draw(gan, gan.generator, examples, seed=0)

    images, real = sampled().images, noise_images(REFERENCE_SAMPLES).images
    scored = evaluator.scored(images)

    def metric(entry: Metric) -> None:
        # A copy, which remembers nothing that another metric computed.
        entry.compute(replace(scored))

    actions: dict[str, Action] = {
        "drawing": sampled,
        "extraction": lambda: evaluator.scored(images),
        **{f"metric_{entry.name}": partial(metric, entry) for entry in evaluator.metrics},
        "scoring": lambda: evaluator.judge(Samples(images)),
        **{
            f"torch_fidelity_{name}": partial(torch_fidelity_call, name, images, real, subject.device)
            for name in BASELINE
        },
    }
    seconds = interleaved(actions, min(subject.repeats, ROUNDS), warm_up=0)
    found = {name: spread("seconds", values) for name, values in seconds.items()}
    baseline = [sum(values) for values in zip(*(seconds[f"torch_fidelity_{name}"] for name in BASELINE), strict=True)]
    found["torch_fidelity"] = spread("seconds", baseline)
    found["scoring"] |= ratios("ratio_to_torch_fidelity", baseline, seconds["scoring"])
    return found

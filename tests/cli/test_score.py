"""`bench score`: anyone's images, as an archive or as pictures, get the figures that the evaluator gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from idx import write_idx
from PIL import Image

from bench.evaluate import Evaluator


@pytest.fixture(scope="module")
def images(digits):
    rows = torch.randperm(len(digits.images), generator=torch.Generator().manual_seed(0))[:300]
    return digits.images[rows]


def test_archive_and_pictures_score_the_same(command, images):
    np.savez("images.npz", images[:, 0].numpy())
    Path("images").mkdir()
    for i, image in enumerate(images[:, 0].numpy()):
        Image.fromarray(image).save(f"images/{i:04}.png")
    expected = Evaluator(torch.device("cpu")).score(images)
    for source in ("images.npz", "images"):
        code, out, err = command("score", source, "--json")
        assert code == 0, err
        answer = json.loads(out)
        assert answer["scores"] == pytest.approx(expected, rel=1e-6)
        assert (answer["images"], answer["scored"]) == (300, 300)


def test_few_images_are_told_to_compare_with_nothing(command, images):
    np.savez("images.npz", images[:, 0].numpy())
    code, out, _ = command("score", "images.npz")
    assert code == 0
    assert "mnist_fid_300" in out
    assert "compares with no table" in out


def test_more_than_the_protocol_scores_are_cut_and_said(command, images):
    np.savez("images.npz", images[:, 0].numpy().repeat(34, axis=0))
    code, out, _ = command("score", "images.npz")
    assert code == 0
    assert "10,000 of 10,200 images" in out
    assert "mnist_fid_10k" in out
    assert "real training images" in out


def test_images_that_a_sampler_wrote_class_after_class_are_drawn_at_random(command, digits):
    """The first 10,000 of these 20,000 are of half of the digits."""
    order = digits.labels.argsort(stable=True)
    order = order[torch.linspace(0, len(order) - 1, 20_000).long()]
    np.savez("images.npz", digits.images[order][:, 0].numpy())
    code, out, err = command("score", "images.npz", "--metrics", "classes", "--json")
    assert code == 0, err
    answer = json.loads(out)
    assert (answer["images"], answer["scored"]) == (20_000, 10_000)
    assert answer["scores"]["mnist_missing_10k"] == 0
    assert answer["scores"]["mnist_class_kl_10k"] < 0.01


def test_metrics_are_chosen_and_what_is_left_out_is_said(command, images, digits, tmp_path):
    np.savez("images.npz", images[:, 0].numpy())
    _, out, _ = command("score", "images.npz")
    assert "left out: kid (needs 1,000 images), prdc (needs 1,000 images)" in out
    code, out, _ = command("score", "images.npz", "--metrics", "fid,is")
    assert code == 0
    assert "left out: kid" not in out
    code, _, err = command("score", "images.npz", "--metrics", "kid")
    assert code == 2
    assert "kid needs 1,000 images, not 300; give more images, or leave it out" in err
    write_idx(tmp_path / "all", digits.images[:1000], digits.labels[:1000])
    write_idx(tmp_path / "all", digits.images[1000:1500], digits.labels[1000:1500], "t10k")
    np.savez("copies.npz", digits.images[:300, 0].numpy())
    code, out, err = command("score", "copies.npz", "--metrics", "memory", "--data-dir", tmp_path / "all", "--json")
    assert code == 0, err
    assert json.loads(out)["scores"]["mnist_copies_300"] == 1

"""`bench score`: anyone's images, as an archive or as pictures, get the figures that the evaluator gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
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

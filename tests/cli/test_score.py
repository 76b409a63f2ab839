"""`bench score`: anyone's images, as an archive or as pictures, get the figures that the evaluator gives."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from idx import write_idx
from PIL import Image

from bench.data.stacked import stack
from bench.evaluate import Evaluator
from bench.features.stacked import StackedYardstick
from bench.samples import Samples


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


def test_stacked_digits_as_archive_and_as_coloured_pictures(command, digits):
    triples = stack(digits, 300).images
    np.savez("first.npz", triples.numpy())
    np.savez("last.npz", triples.permute(0, 2, 3, 1).numpy())
    Path("images").mkdir()
    for i, image in enumerate(triples.permute(0, 2, 3, 1).numpy()):
        Image.fromarray(image).save(f"images/{i:04}.png")
    expected = StackedYardstick(torch.device("cpu")).judge(Samples(triples))
    for source in ("first.npz", "last.npz", "images"):
        code, out, err = command("score", source, "--task", "stacked_mnist", "--json")
        assert code == 0, err
        assert json.loads(out)["scores"] == pytest.approx(expected, rel=1e-6)
    code, out, _ = command("score", "images", "--task", "stacked_mnist")
    assert "fewer than 26,000 images" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("grey.npz", "--task", "stacked_mnist"),
            "holds an array of shape [300, 28, 28]; allowed is an .npz with one ",
        ),
        (("few.npz", "--task", "stacked_mnist"), "2 images are too few to score; give 200 or more"),
        (
            ("colours.npz",),
            "holds an array of shape [2, 3, 28, 28]; allowed is an .npz with one uint8 array [N, 28, 28]",
        ),
        (("colours.npz", "--task", "inpainting"), "--task inpainting: allowed is mnist, stacked_mnist; other tasks"),
        (("grey.npz", "--task", "stacked_mnist", "--data", "kmnist"), "has data of its own"),
        (("some.npz", "--task", "stacked_mnist", "--metrics", "fid"), "the task stacked_mnist has metrics of its own"),
        (
            ("grey.npz", "--closest", "pairs.png"),
            "--closest pairs.png: looks for training images; add --metrics memory",
        ),
    ],
)
def test_what_cannot_be_scored_is_one_line(command, images, words, told):
    np.savez("grey.npz", images[:, 0].numpy())
    np.savez("some.npz", images[:, 0].numpy()[:, None].repeat(3, axis=1))
    for name in ("few", "colours"):
        np.savez(f"{name}.npz", images[:6, 0].numpy().reshape(2, 3, 28, 28))
    code, _, err = command("score", *words)
    assert code == 2
    assert told in err
    assert len(err.splitlines()) == 1


def test_the_nearest_pairs_are_a_picture(command, digits, tmp_path):
    """Of copies the upper row is the lower one."""
    write_idx(tmp_path / "all", digits.images[:1000], digits.labels[:1000])
    write_idx(tmp_path / "all", digits.images[1000:1500], digits.labels[1000:1500], "t10k")
    np.savez("copies.npz", digits.images[:300, 0].numpy())
    words = ("--metrics", "memory", "--data-dir", tmp_path / "all", "--closest", "deep/pairs.png")
    code, out, err = command("score", "copies.npz", *words)
    assert code == 0, err
    assert "the 10 nearest to training images: deep/pairs.png" in out
    picture = np.asarray(Image.open("deep/pairs.png"))
    assert picture.shape == (62, 302)
    np.testing.assert_array_equal(picture[2:30], picture[32:60])
    assert picture.std() > 20

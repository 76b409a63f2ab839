"""The Inception path with a stand-in: torch-fidelity's own class and file format, random weights."""

from __future__ import annotations

import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_fidelity
from torch import nn
from torch.utils.data import Dataset as TorchDataset
from torch_fidelity import feature_extractor_inceptionv3 as torch_fidelity_inception
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from bench.data import Dataset
from bench.errors import BenchError
from bench.evaluate import DURING, Evaluator
from bench.features import inception, metrics
from bench.features.inception import Inception
from bench.features.weights import file_hash

CPU = torch.device("cpu")
N = 200


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the format of the published file: a plain dict of tensors."""
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        patch.setattr(torch_fidelity_inception, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = FeatureExtractorInceptionV3("stand-in", ["2048"], verbose=False)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                # torch's default initialisation shrinks to nothing over 40 layers.
                nn.init.kaiming_normal_(layer.weight)
        # Predictions that differ from image to image and with the bias, or IS could not tell anything.
        nn.init.normal_(network.fc.weight, std=0.2)
        nn.init.normal_(network.fc.bias)
    path = tmp_path_factory.mktemp("weights") / "stand-in.pth"
    torch.save({name: value for name, value in network.state_dict().items() if "num_batches" not in name}, path)
    return path


@pytest.fixture(autouse=True)
def small_and_isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """75 x 75 is the least that Inception's layers take, and 15 times faster than 299 x 299."""
    monkeypatch.setattr(FeatureExtractorInceptionV3, "INPUT_IMAGE_SIZE", 75)
    monkeypatch.setattr(inception.platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


class Coloured(TorchDataset[torch.Tensor]):
    def __init__(self, images: torch.Tensor) -> None:
        self.images = images.repeat(1, 3, 1, 1)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.images[index]


def test_scores_of_inception_stand_beside_the_others_and_are_torch_fidelitys(stand_in: Path, embedded: Dataset) -> None:
    real, fake = embedded.images[:N], 255 - embedded.images[:N]
    evaluator = Evaluator(CPU, stand_in, real, metrics=DURING)
    assert evaluator.notice is None
    assert evaluator.inception_hash == file_hash(stand_in)
    scores = evaluator.score(fake)
    assert set(scores) == {"mnist_fid_200", "mnist_is_200", "inception_fid_200", "inception_is_200"}
    assert set(evaluator.score(fake, inception=False)) == {"mnist_fid_200", "mnist_is_200"}

    # IS is of the images in one order, whatever order they come in.
    logits = Inception(stand_in, real, CPU).extract(fake)[1]
    expected = torch_fidelity.calculate_metrics(
        input1=Coloured(fake[metrics.one_order(logits - logits.amax(1, keepdim=True))]),
        input2=Coloured(real),
        feature_extractor_weights_path=str(stand_in),
        fid=True,
        isc=True,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
    )
    assert scores["inception_is_200"] > 1.001
    # float32 means of features, as torch-fidelity takes them, are good to 1e-6.
    assert scores["inception_fid_200"] == pytest.approx(expected["frechet_inception_distance"], rel=1e-3)
    assert scores["inception_is_200"] == pytest.approx(expected["inception_score_mean"], rel=1e-5)


def test_features_of_real_images_are_computed_once(
    stand_in: Path, embedded: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Inception(stand_in, embedded.images[:50], CPU).real
    cached = list((tmp_path / "cache").rglob("*.safetensors"))
    assert len(cached) == 1
    assert file_hash(stand_in) in cached[0].name

    with monkeypatch.context() as patch:
        patch.setattr(Inception, "extract", lambda *_: pytest.fail("computed again"))
        again = Inception(stand_in, embedded.images[:50], CPU).real
    assert torch.equal(first, again)

    # Other images have other features, and a broken file is computed anew.
    other = Inception(stand_in, embedded.images[50:100], CPU).real
    assert not torch.allclose(first, other)
    cached[0].write_bytes(b"broken")
    torch.testing.assert_close(Inception(stand_in, embedded.images[:50], CPU).real, first, rtol=1e-5, atol=1e-5)


def test_kid_joins_where_images_are_enough(stand_in: Path, embedded: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal distributions scatter around 0, inverted digits lie far off; with smaller subsets, for time."""
    for module in (inception, metrics):
        monkeypatch.setattr(module, "KID_SUBSET_SIZE", 100)
    space = Inception(stand_in, embedded.images[:N], CPU)
    same, far = space.scores(embedded.images[N : 2 * N]), space.scores(255 - embedded.images[:N])
    assert set(same) == {"fid", "is", "kid", "kid_low", "kid_high"}
    assert same["kid_low"] < 0 < same["kid_high"]
    assert far["kid_low"] > same["kid_high"]
    assert set(space.scores(embedded.images[:50])) == {"fid", "is"}


def test_without_weights_one_line_says_how_to_get_them() -> None:
    notice = Evaluator(CPU).notice
    assert notice is not None
    assert "\n" not in notice
    for said in (
        "--inception-weights FILE",
        "weights-inception-2015-12-05-6726825d.pth",
        "https://",
        "download",
    ):
        assert said in notice


def test_without_test_images_one_line_says_why_it_is_left_out(stand_in: Path, embedded: Dataset) -> None:
    evaluator = Evaluator(CPU, stand_in, metrics=DURING)
    assert evaluator.notice is not None
    assert "real test images" in evaluator.notice
    assert set(evaluator.score(embedded.images[:N])) == {"mnist_fid_200", "mnist_is_200"}


def test_files_of_another_kind_are_one_line(tmp_path: Path, embedded: Dataset) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save(Trap(), tmp_path / "trap.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "empty.pth").touch()
    for name in ("other", "trap", "list", "text", "empty"):
        path = tmp_path / f"{name}.pth"
        with pytest.raises(BenchError, match="does not hold torch-fidelity's Inception weights; give") as caught:
            Evaluator(CPU, path, embedded.images[:N])
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_is_one_line(tmp_path: Path, embedded: Dataset) -> None:
    with pytest.raises(BenchError, match=r"cannot read .*nowhere.pth .No such file"):
        Evaluator(CPU, tmp_path / "nowhere.pth", embedded.images[:N])


def test_a_download_without_network_is_one_line(embedded: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("torch.hub.urlopen", down)
    with pytest.raises(BenchError, match=r"cannot download https://.*\(Name or service not known\); give") as caught:
        Evaluator(CPU, "download", embedded.images[:N])
    assert "\n" not in str(caught.value)


def test_a_broken_download_is_one_line(embedded: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "hub" / "checkpoints" / inception.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of it")
    with pytest.raises(BenchError, match=r"does not hold .* weights; delete it and download again"):
        Evaluator(CPU, "download", embedded.images[:N])


def test_a_download_lies_where_torch_fidelity_keeps_it(stand_in: Path, embedded: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "hub" / "checkpoints" / inception.FILE
    path.parent.mkdir(parents=True)
    path.symlink_to(stand_in)
    assert Evaluator(CPU, "download", embedded.images[:N]).inception_hash == file_hash(stand_in)

"""Fill a hole, turn 6s into 9s, enlarge: training data, examples, trivial answers, pictures, and whole runs."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from batches import equal
from PIL import Image
from torch import nn

import gans
from bench import results
from bench.data import Dataset, fingerprint, load_mnist, load_split
from bench.features.weights import load_classifier
from bench.plan import expand
from bench.samples import Samples
from bench.tasks import TASKS, Scoring
from gans import Batch

CPU = torch.device("cpu")
NAMES = ("inpainting", "translation", "super_resolution")
TRANSLATORS = [name for name in gans.names() if gans.get(name).info.track == "image-to-image"]
every_task = pytest.mark.parametrize("name", NAMES)


def load(name):
    """Of the embedded digits, whatever else this machine has."""
    return TASKS[name].load(data_dir=None, offline=True)


def grey(values):
    """Images in [-1, 1] as pixels."""
    return np.rint((np.asarray(values, dtype=np.float64) + 1) * 127.5).clip(0, 255).astype(np.uint8)


def keys(images):
    """Each of uint8 images as bytes."""
    return [image.numpy().tobytes() for image in images]


def keys_of_floats(images):
    return [grey(image).tobytes() for image in images]


@pytest.fixture
def kinds():
    """The label of each embedded digit by its pixels."""
    whole = load_mnist(offline=True)
    return dict(zip(keys(whole.images), whole.labels.tolist(), strict=True))


def test_the_data_are_the_split_and_of_a_translation_its_two_kinds(kinds):
    split, pair = load_split(offline=True), load("translation")
    for name in ("inpainting", "super_resolution"):
        assert torch.equal(load(name).images, split.images)
        assert torch.equal(load(name).held_out.images, split.held_out.images)
    for part, whole in ((pair, split), (pair.held_out, split.held_out)):
        assert set(keys(part.images)) == {key for key in keys(whole.images) if kinds[key] in (6, 9)}
        assert part.labels.tolist() == [kinds[key] for key in keys(part.images)]
    assert (len(pair), len(pair.held_out)) == (600, 400)
    assert pair.fingerprint == fingerprint(pair.images) != split.fingerprint


@every_task
def test_batches_are_of_training_images_only(name, kinds):
    data = load(name)
    batches, trained = TASKS[name].batches(data, 32, 5, CPU), set(keys(data.images))
    for _ in range(3):
        batch = batches.next()
        images = keys_of_floats(batch.images)
        assert set(images) <= trained
        assert batch.labels.tolist() == [kinds[image] for image in images]
        assert batch.source.shape[1:] == TASKS[name].field.source
        assert (batch.known is not None) == TASKS[name].field.holes
        if name == "translation":
            sources = keys_of_floats(batch.source)
            assert set(sources) <= trained
            assert ({kinds[key] for key in images}, {kinds[key] for key in sources}) == ({9}, {6})
    same, again, other = (TASKS[name].batches(load(name), 32, seed, CPU).next() for seed in (5, 5, 6))
    assert (equal(same, again), equal(same, other)) == (True, False)


@every_task
def test_examples_are_the_same_for_every_seed_and_trial(name):
    examples = TASKS[name].examples(load(name), 150, seed=0)
    torch.manual_seed(5)
    assert equal(examples, TASKS[name].examples(load(name), 150, seed=1_000_007))
    assert equal(examples, type(TASKS[name])().examples(load(name), 150, seed=3))


@every_task
def test_examples_are_held_out_and_as_many_as_are_counted(name, kinds):
    task, data = TASKS[name], load(name)
    held_out = set(keys(data.held_out.images))
    there = 200 if name == "translation" else 2000
    for n in (50, there, there + 1, 10_000):
        examples = task.examples(data, n, seed=0)
        assert len(examples) == task.count(data, n) == min(n, there)
        images = keys_of_floats(examples.images)
        assert len(set(images)) == len(images)
        assert set(images) <= held_out
        assert examples.labels.tolist() == [kinds[image] for image in images]
        assert examples.source.shape == (min(n, there), *task.field.source)
        if name == "translation":
            assert examples.labels.unique().tolist() == [9]
            sources = keys_of_floats(examples.source)
            assert len(set(sources)) == len(sources)
            assert set(sources) <= held_out
            assert {kinds[source] for source in sources} == {6}
            in_file = [[key for key in keys(data.held_out.images) if kinds[key] == digit][:n] for digit in (9, 6)]
            assert images != in_file[0], "in an order that nobody chose"
            assert sources != in_file[1]
        else:
            assert len(examples.labels.unique()) == 10, "not the first ones of a sorted set"
    assert torch.equal(task.examples(data, 30, 0).images, task.examples(data, 60, 0).images[:30])


def test_an_example_is_made_of_its_image():
    holes = TASKS["inpainting"].examples(load("inpainting"), 100, 0)
    assert torch.equal(holes.source, torch.where(holes.known == 1, holes.images, 0))
    assert set((holes.known == 0).sum((1, 2, 3)).tolist()) == {size**2 for size in range(10, 16)}
    small = TASKS["super_resolution"].examples(load("super_resolution"), 100, 0)
    middle = small.images.numpy().reshape(100, 1, 7, 4, 7, 4)[:, :, :, 1:3, :, 1:3].mean((3, 5))
    assert np.std(small.source.numpy() - middle) == pytest.approx(0.1, abs=0.005)
    assert small.known is None


def test_of_two_unequal_kinds_the_smaller_counts():
    images = torch.randint(256, (300, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for six in (40, 220):
        labels = torch.tensor([6] * six + [9] * (300 - six))
        part = Dataset("mnist", images, labels, fingerprint(images), "a test")
        data = replace(part, held_out=part)
        n = min(six, 300 - six)
        asked = TASKS["translation"].examples(data, 1000, 0)
        lengths = [len(asked.images), len(asked.labels), len(asked.source), TASKS["translation"].count(data, 1000)]
        assert lengths == [n] * 4


def test_the_mean_fill_keeps_what_is_known_and_fills_in_the_mean_of_the_training_images():
    filled = TASKS["inpainting"].baselines(data := load("inpainting"), 120)["mean fill"]
    asked = TASKS["inpainting"].examples(data, 120, 0)
    assert equal(filled.asked, asked)
    mean = np.rint(data.images.numpy().astype(np.float64).mean(0, keepdims=True))
    expected = np.where(asked.known.numpy() == 1, grey(asked.images), mean)
    assert (filled.images.numpy() == expected).all()
    assert filled.images.dtype == torch.uint8


def naive_bilinear(small):
    """[7, 7] -> [28, 28]: pixel i lies at (i + 1/2) / 4 - 1/2 of the small ones, beyond their centres at the edge."""
    large = np.empty((28, 28))
    for row in range(28):
        for column in range(28):
            y, x = (min(max((i + 0.5) / 4 - 0.5, 0), 6) for i in (row, column))
            top, left = min(int(y), 5), min(int(x), 5)
            v, u = y - top, x - left
            (a, b), (c, d) = small[top : top + 2, left : left + 2]
            large[row, column] = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v
    return large


def test_bilinear_upsampling_is_that_of_a_naive_loop():
    data = load("super_resolution")
    large = TASKS["super_resolution"].baselines(data, 20)["bilinear upsampling"]
    asked = TASKS["super_resolution"].examples(data, 20, 0)
    assert equal(large.asked, asked)
    expected = np.stack([naive_bilinear(source[0]) for source in asked.source.double().numpy()])
    # Half a grey level by rounding.
    difference = np.abs(large.images[:, 0].numpy() - ((expected + 1) * 127.5).clip(0, 255))
    assert difference.max() < 0.501


def test_bilinear_upsampling_of_a_constant_image_is_constant(monkeypatch):
    monkeypatch.setattr("bench.data.pairs.NOISE", 0.0)
    images = torch.full((4, 1, 28, 28), 77, dtype=torch.uint8)
    part = Dataset("mnist", images, torch.zeros(4, dtype=torch.int64), fingerprint(images), "a test")
    (large,) = TASKS["super_resolution"].baselines(replace(part, held_out=part), 4).values()
    assert torch.equal(large.images, images)


def test_the_identity_is_the_source_as_it_is_and_a_perfect_cycle():
    data = load("translation")
    identity = TASKS["translation"].baselines(data, 1000)["identity"]
    asked = TASKS["translation"].examples(data, 1000, 0)
    assert equal(identity.asked, asked)
    for images in (identity.images, identity.cycled):
        assert (images.numpy() == grey(asked.source)).all()
    assert (identity.back.numpy() == grey(asked.images)).all()


@every_task
def test_trivial_answers_score_between_real_digits_and_nothing(name):
    """Real training images, then the answer that everybody knows, then black images."""
    task, data = TASKS[name], load(name)
    n = task.count(data, 300)
    yardstick = task.yardstick(CPU, data, Scoring(n))
    (answer,) = task.baselines(data, n).values()
    real = yardstick.floor(task.real_elements(data, n), n)[f"{name}_fid_{n}"]
    trivial = yardstick.judge(answer)
    nothing = yardstick.judge(Samples(torch.zeros_like(answer.images), answer.asked))
    assert real < 5 < trivial[f"{name}_fid_{n}"]
    if name == "translation":  # 6s are farther from 9s than nothing is
        assert trivial[f"{name}_fid_{n}"] > 100
        assert trivial[f"{name}_accuracy_{n}"] < 0.02
        assert trivial[f"{name}_cycle_l1_{n}"] == 0
    else:
        assert trivial[f"{name}_fid_{n}"] < nothing[f"{name}_fid_{n}"]
        assert 0.1 < trivial[f"{name}_accuracy_{n}"] < 0.9
        assert trivial[f"{name}_psnr_{n}"] > nothing[f"{name}_psnr_{n}"]


def test_real_elements_are_training_images_of_the_kind_that_is_made(kinds):
    for name, expected in (("inpainting", set(range(10))), ("super_resolution", set(range(10))), ("translation", {9})):
        data = load(name)
        real = keys(TASKS[name].real_elements(data, 200))
        assert len(real) == 200
        assert set(real) <= set(keys(data.images))
        assert {kinds[key] for key in real} == expected
    assert TASKS["translation"].real == "real train 9s"


def tiles(picture, columns):
    """Each tile of a grid: [rows, columns, 28, 28]."""
    rows = (len(picture) - 2) // 30
    assert picture.shape == (rows * 30 + 2, columns * 30 + 2)
    return picture[2:, 2:].reshape(rows, 30, columns, 30).swapaxes(1, 2)[:, :, :28, :28]


@every_task
@pytest.mark.parametrize("way_back", [False, True])
def test_a_picture_has_lines_of_input_output_and_target(name, way_back):
    rng = torch.Generator().manual_seed(0)
    source = torch.randn(5, *TASKS[name].field.source, generator=rng)  # some of it is beyond the range
    images, cycled = (torch.randint(256, (5, 1, 28, 28), generator=rng, dtype=torch.uint8) for _ in range(2))
    target = torch.rand(5, 1, 28, 28, generator=rng) * 2 - 1
    asked = Batch(target, torch.zeros(5, dtype=torch.int64), source)
    samples = Samples(images, asked, back=255 - images, cycled=cycled if way_back else None)
    grid = tiles(TASKS[name].picture(samples, 3), 3)
    side = 28 // source.shape[-1]
    shown = [grey(source).repeat(side, 2).repeat(side, 3), images]
    if name != "translation" or way_back:  # without a way back nothing belongs to a digit that was translated
        shown.append(cycled if name == "translation" else grey(target))
    lines = len(shown)
    assert len(grid) == 2 * lines
    for i in range(5):
        for line in range(lines):
            assert (grid[i // 3 * lines + line, i % 3] == np.asarray(shown[line])[i, 0]).all(), (i, line)
    assert (grid[lines:, 2] == 0).all(), "the last lines are filled up with black"


@every_task
def test_a_picture_of_what_was_made_from_nothing_is_a_plain_grid(name):
    images = torch.randint(256, (5, 1, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for asked in (None, Batch(torch.zeros(5, 1, 28, 28), torch.zeros(5))):
        grid = tiles(TASKS[name].picture(Samples(images, asked), 3), 3)
        assert (grid.reshape(6, 28, 28)[:5] == images[:, 0].numpy()).all()
    assert TASKS[name].shown == 30


def test_the_content_of_an_image_is_the_classifiers_fourth_convolution():
    classifier, content = load_classifier(CPU), TASKS["super_resolution"].field.content()
    images = torch.randn(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = content.eval()(images)
        assert features.shape == (3, 64, 14, 14)
        assert torch.allclose(classifier.trunk[len(content) :](features), classifier(images)[0])
    assert sum(isinstance(layer, nn.Conv2d) for layer in content.modules()) == 4
    assert [TASKS[name].field.content for name in ("inpainting", "translation")] == [None, None]


@pytest.mark.parametrize("algorithm", gans.names())
def test_translators_play_on_their_tasks_and_all_others_nowhere_here(algorithm):
    cls = gans.get(algorithm)
    for name in NAMES:
        plan = expand([algorithm], misfit=TASKS[name].misfit)
        assert bool(plan.trials) == (name in cls.fields)
        if not plan.trials:
            fields = ", ".join(cls.fields)
            assert f"{algorithm} is made for {fields} only, not for {name}" in plan.skips[0].reason


def test_what_cannot_play_is_said_on_the_command_line(command):
    code, out, err = command("plan", "--algos", "pix2pix,dcgan", "--task", "inpainting", "--no-timing")
    assert code == 0, err
    assert "dcgan bn=on   skipped: dcgan is made for digits, curves, stacked only, not for inpainting" in out
    code, _, err = command("run", "--algos", "cyclegan", "--task", "mnist")
    assert (code, err.count("\n")) == (2, 1)
    assert "every cell is a skip: cyclegan is made for translation only, not for digits" in err


@every_task
@pytest.mark.parametrize(("option", "value"), [("inception-weights", "download"), ("metrics", "kid")])
def test_what_is_of_digits_from_noise_is_refused_in_one_line(name, option, value, command, tmp_path):
    algorithm = next(row for row in TRANSLATORS if name in gans.get(row).fields)
    code, _, err = command("run", "--algos", algorithm, "--task", name, "--preset", "smoke", f"--{option}", value)
    assert (code, err.count("\n")) == (2, 1), err
    assert f"--{option} {value}: the task {name} has metrics of its own" in err
    assert not (tmp_path / "mlflow.db").exists(), "nothing is written"


@pytest.mark.parametrize(
    ("name", "algorithm", "answer", "measured"),
    [
        ("inpainting", "pix2pix", "mean fill", ["accuracy", "PSNR", "SSIM", "hole L1"]),
        ("translation", "cyclegan", "identity", ["accuracy", "back FID", "back accuracy", "cycle L1"]),
        ("super_resolution", "srgan", "bilinear upsampling", ["accuracy", "PSNR", "SSIM"]),
    ],
)
def test_a_whole_run(name, algorithm, answer, measured, ready_store, no_page, command, monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "160")
    code, out, err = command("run", "--algos", algorithm, "--preset", "smoke", "--steps", 3, "--samples", 200)
    assert code == 0, err
    loaded, words = results.load(), " ".join(out.split())
    assert set(loaded.trials["track"]) == {"image-to-image"}
    trained = f"trained on {'600' if name == 'translation' else '3,000'} examples of mnist5k"
    assert f"image-to-image, protocol {loaded.trials['protocol'].iloc[0]}: {name} task, {trained}" in words
    assert "200 samples of the raw weights of the last step against held-out digits" in words
    head = next(line for line in out.splitlines() if line.startswith("cell "))
    headings = ["cell", "FID", "95 % interval", "finished", *measured, "training"]
    assert re.split(r"\s{2,}", head)[: len(headings)] == headings
    rows = loaded.trials.set_index("name")
    real, cell = TASKS[name].real, f"{algorithm} bn=on"
    assert set(rows.index) == {real, answer, cell}
    assert all(re.search(rf"^{label}  ", out, re.MULTILINE) for label in rows.index)
    assert rows["fid"][real] < min(rows["fid"][answer], rows["fid"][cell])
    for metric in measured:
        assert rows.loc[[answer, cell], f"{name}_{metric.lower().replace(' ', '_')}_200"].notna().all(), metric
    trial, reference = rows.loc[cell, "run_id"], rows.loc[answer, "run_id"]
    assert f"--task {name} " in f"{rows.loc[cell, 'command']} "
    for run in (trial, reference):  # thirty examples, three lines each
        assert Image.open(io.BytesIO(loaded.artifact(run, "samples.png"))).size == (10 * 30 + 2, 9 * 30 + 2)
    assert loaded.artifacts(trial, "latent") == []

    code, out, err = command("sample", trial[:12], "-n", 4, "-o", tmp_path / "four.png", "--scale", 1)
    assert code == 0, err
    assert f"4 samples of {cell}" in out
    grid = tiles(np.asarray(Image.open(tmp_path / "four.png")), 2)
    assert len(grid) == 6
    source = TASKS[name].examples(load(name), 4, 0).source
    sources = grey(source).repeat(28 // source.shape[-1], 2).repeat(28 // source.shape[-1], 3)[:, 0]
    assert (grid[[0, 0, 3, 3], [0, 1, 0, 1]] == sources).all()
    assert "no pictures of its latent space" in command("latent", trial[:12])[2]

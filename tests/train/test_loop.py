"""The loop counts what it does, follows its seed, averages weights as it says, and stops at NaN."""

from types import SimpleNamespace

import pytest
import torch

import gans
from bench.data import Batches, Dataset
from bench.plan import expand
from bench.train.graphs import WARM_UP
from bench.train.loop import Diverged, Loop
from bench.train.trial import build, schedule

CPU = torch.device("cpu")
ON_DIGITS = [name for name in gans.names() if "digits" in gans.get(name).fields]


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (100, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return Dataset("made-up", images, torch.arange(100) % 10, "0" * 16, "a test")


def make_loop(data, name, seed=0, **config):
    assignments = [f"{key}={value}" for key, value in {"batch_size": 4, **config}.items()]
    gan = build(expand([name], assignments=assignments, first_seed=seed).trials[0], CPU)
    return Loop(gan, Batches(data, gan.config.batch_size, seed, CPU), steps=8)


def weights(loop):
    return {key: value.clone() for key, value in loop.gan.state_dict().items()}


@pytest.mark.parametrize(("name", "g_updates"), [("dcgan", 7), ("wgan", 1)])
def test_counts(data, name, g_updates):
    loop = make_loop(data, name)
    loop.run(7)
    counts = loop.counts
    assert (counts.steps, counts.d_updates, counts.g_updates, counts.images) == (7, 7, g_updates, 28)
    assert counts.seconds > 0


def test_progress_goes_from_zero_towards_one(data):
    loop = make_loop(data, "dcgan")
    seen = []
    honest = loop.gan.d_loss
    loop.gan.d_loss = lambda real, fake: seen.append(loop.gan.progress) or honest(real, fake)
    loop.run(4)
    assert seen == [0, 1 / 8, 2 / 8, 3 / 8]


def test_training_in_pieces_is_training(data):
    whole = make_loop(data, "dcgan")
    whole.run(4)
    pieces = make_loop(data, "dcgan")
    for _ in range(4):
        pieces.run(1)
        pieces.drain()
    assert all(torch.equal(value, weights(pieces)[key]) for key, value in weights(whole).items())


def test_a_seed_decides_everything(data):
    trained = []
    for seed in (0, 0, 1):
        loop = make_loop(data, "dcgan", seed)
        loop.run(2)
        trained.append(weights(loop))
    first, again, other = trained
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["generator.project.0.weight"], other["generator.project.0.weight"])


def test_cells_are_paired_by_seed(data):
    """BN on and off start from the same generator, latents and images."""
    on, off = make_loop(data, "dcgan", bn="on"), make_loop(data, "dcgan", bn="off")
    for key, value in on.gan.generator.state_dict().items():
        assert torch.equal(value, off.gan.generator.state_dict()[key])
    assert torch.equal(on.gan.latent(4), off.gan.latent(4))
    assert torch.equal(on.batches.next().images, off.batches.next().images)


def test_drain_gives_the_mean_of_each_scalar(data):
    loop = make_loop(data, "dcgan")
    singles = []
    for _ in range(3):
        loop.run(1)
        singles.append(loop.drain())
    again = make_loop(data, "dcgan")
    again.run(3)
    means = again.drain()
    assert set(means) == {"loss_d", "real_score_d", "fake_score_d", "loss_g"}
    for key, value in means.items():
        assert value == pytest.approx(sum(single[key] for single in singles) / 3, rel=1e-6)
    assert again.drain() == {}


@pytest.mark.parametrize("reads", [Loop.drain, Loop.state_dict])
def test_waiting_for_the_device_is_training_time(data, monkeypatch, reads):
    """On a made-up clock that the wait alone moves; a checkpoint comes before the drain, and waits in its place."""
    loop = make_loop(data, "dcgan")
    loop.run(1)
    now, before = [0.0], loop.counts.seconds

    def waits():
        now[0] += 3.0
        return [0.5] * len(loop._pending)

    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(torch, "stack", lambda _: SimpleNamespace(tolist=waits))
    left = reads(loop)
    assert loop.counts.seconds == before + 3
    if "counts" in left:
        assert left["counts"]["seconds"] == before + 3


def test_ema_is_the_average_it_says(data):
    """By hand: after n updates the decay is min(ema, (1 + n) / (10 + n)), which reaches 0.28 after 2 and a half."""
    loop = make_loop(data, "dcgan", ema=0.28)
    key = "upsample.7.bias"
    expected = None
    for decay in (None, 3 / 12, 0.28):
        loop.run(1)
        now = loop.gan.generator.state_dict()[key].clone()
        # it starts from the first weights that it sees, as torch's AveragedModel does
        expected = now if expected is None else decay * expected + (1 - decay) * now
    torch.testing.assert_close(loop.generator.state_dict()[key], expected)
    assert loop.generator is not loop.gan.generator
    assert not torch.equal(loop.generator.state_dict()[key], loop.gan.generator.state_dict()[key])


def test_a_long_memory_does_not_keep_the_initial_weights_in_a_short_training(data):
    """With 0.999 throughout, half of the initial weights' share would be left after 693 updates, and 98 % after 20."""
    loop = make_loop(data, "dcgan", ema=0.999)
    loop.run(1)
    first = {key: value.clone() for key, value in loop.gan.generator.named_parameters()}
    loop.run(19)
    key = "upsample.7.bias"
    moved = (loop.generator.state_dict()[key] - first[key]) / (loop.gan.generator.state_dict()[key] - first[key])
    assert moved.item() > 0.5


def test_ema_averages_batch_norms_statistics_and_copies_its_counter(data):
    loop = make_loop(data, "dcgan", ema=0.9)
    loop.run(4)
    own, averaged = loop.gan.generator.state_dict(), loop.generator.state_dict()
    assert averaged["project.1.num_batches_tracked"] == own["project.1.num_batches_tracked"]
    assert not torch.equal(averaged["project.1.running_mean"], own["project.1.running_mean"])


def test_ema_leaves_the_directions_of_spectral_norm_of_length_one(data):
    loop = make_loop(data, "sagan", ema=0.9)
    loop.run(3)
    own = dict(loop.gan.generator.named_buffers())
    directions = {name: b for name, b in loop.generator.named_buffers() if name.endswith(("._u", "._v"))}
    assert len(directions) == 2 * 8
    for name, direction in directions.items():
        assert direction.norm().item() == pytest.approx(1, abs=1e-5)
        assert torch.equal(direction, own[name])


def test_without_ema_the_generator_itself_is_evaluated(data):
    loop = make_loop(data, "dcgan")
    assert loop.generator is loop.gan.generator


def test_nan_names_turn_and_step(data):
    loop = make_loop(data, "dcgan")
    loop.run(2)
    loop.drain()
    with torch.no_grad():
        loop.gan.discriminator.head.weight.fill_(float("nan"))
    loop.run(1)
    with pytest.raises(
        Diverged, match=r"loss of turn d became nan at step 3, and so did [\w.]+ and \d+ more parameters"
    ):
        loop.drain()


@pytest.mark.parametrize(
    ("steps", "points", "expected"),
    [(20, 4, {5, 10, 15, 20}), (10, 3, {3, 7, 10}), (2, 5, {1, 2}), (5, 0, set())],
)
def test_schedule_is_even_and_ends_with_the_last_step(steps, points, expected):
    assert schedule(steps, points) == expected


@pytest.fixture
def repeatable(monkeypatch):
    """cuDNN takes the same way each time, so that two trainings differ by nothing that Adam could make large."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype feature")
@pytest.mark.parametrize("ema", [0, 0.9])
@pytest.mark.parametrize("name", ON_DIGITS)
def test_no_step_lets_the_host_wait_for_the_gpu(data, name, ema):
    settings = ["batch_size=4", f"ema={ema}"]
    gan = build(expand([name], assignments=settings).trials[0], torch.device("cuda"))
    n_d = gan.config.n_d
    loop = Loop(gan, Batches(data, 4, 0, torch.device("cuda")), steps=n_d + max(3, n_d))
    loop.run(n_d)  # what is made once may wait
    with torch.cuda.device(0):
        torch.cuda.set_sync_debug_mode("error")  # a host synchronisation inside the loop raises
        try:
            loop.run(max(3, n_d))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert loop.counts.g_updates > 1, "G's turn is among the watched steps"
    assert all(value == value for value in loop.drain().values())


@pytest.mark.gpu
@pytest.mark.parametrize("name", gans.names())
def test_gpu_and_cpu_take_the_same_first_step(data, name):
    """One D turn from equal weights; latents differ between the devices' generators, so reals alone are compared."""
    scores = []
    for device in ("cpu", "cuda"):
        gan = build(expand([name], assignments=["batch_size=4", "dropout=0"]).trials[0], CPU).to(device)
        with torch.no_grad():
            images = Batches(data, 4, 0, torch.device(device)).next().images
            scores.append(gan.discriminator(images).cpu())
    torch.testing.assert_close(*scores, rtol=1e-3, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("name", ON_DIGITS)
def test_replayed_graphs_train_as_ever(data, name, repeatable):
    """The same kernels in the same order from the same random streams; G's turn, too, is captured and replayed."""
    weights = []
    for graphs in (False, True):
        gan = build(expand([name], assignments=["batch_size=4"]).trials[0], torch.device("cuda"))
        steps = max(12, gan.config.n_d * (WARM_UP + 2))
        loop = Loop(gan, Batches(data, 4, 0, torch.device("cuda")), steps, graphs=graphs)
        loop.run(steps)
        assert loop.counts.g_updates >= WARM_UP + 2
        scalars = loop.drain()
        weights.append({**loop.gan.state_dict(), **{key: torch.tensor(value) for key, value in scalars.items()}})
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-5)

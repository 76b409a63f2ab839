"""CycleGAN's losses from known translators, the pool of earlier fakes, and the networks from image to image."""

import copy
import math

import numpy as np
import pytest
import torch
from oracles import make_gan, turn
from recorded import Recorded
from torch import nn

import gans
from gans import Batch
from gans.contract import real_batch
from gans.fields import TRANSLATION
from gans.networks import parameter_count
from gans.pool import ImagePool
from gans.translators import ImageToImage, SuperResolution, UNet

TOLERANCE = 1e-5  # float32 means against float64


class Affine(nn.Module):
    """G(s) = a s + b, F(x) = c x + d; by default neither changes anything."""

    def __init__(self, a=1.0, b=0.0, c=1.0, d=0.0):
        super().__init__()
        self.numbers = nn.Parameter(torch.tensor([a, b, c, d]))

    def forward(self, source):
        return self.numbers[0] * source + self.numbers[1]

    def back(self, images):
        return self.numbers[2] * images + self.numbers[3]


KNOWN = 0.9, -0.1, 0.7, 0.3


def cyclegan(*numbers, **config):
    """A CycleGAN of affine translators, its Ds shaken out of their neutral start, and a batch of 8."""
    gan = make_gan("cyclegan", **config)
    gan.generator = Affine(*numbers)
    with torch.no_grad():
        for d in (gan.discriminator, gan.source_discriminator):
            for p in d.parameters():
                p.add_(0.02 * torch.randn(p.shape, generator=gan.rng))
    return gan, real_batch(8, TRANSLATION)


def outputs(gan, player, batch):
    """One turn's scalars, and what either D gave in it."""
    ds = Recorded(gan.discriminator), Recorded(gan.source_discriminator)
    return getattr(gan, f"{player}_turn")(batch), [d.outputs for d in ds], ds


class TestLosses:
    def test_translators_that_change_nothing_cost_nothing_but_the_verdicts(self):
        gan, batch = cyclegan(lambda_identity=5.0)
        scalars, _, _ = outputs(gan, "g", batch)
        assert scalars["cycle"].item() == 0
        assert scalars["loss"] == scalars["adversarial"]
        assert torch.equal(gan.generate(batch), batch.source)
        assert torch.equal(gan.back(batch.images), batch.images)

    @pytest.mark.parametrize("identity", [0.0, 5.0])
    def test_loss_of_g_and_f(self, identity):
        """Whose verdicts know no smoothing: that is of reals."""
        gan, batch = cyclegan(*KNOWN, lambda_cycle=7.0, lambda_identity=identity, label_smoothing=0.2)
        scalars, ((to_image,), (to_source,)), _ = outputs(gan, "g", batch)
        numbers = torch.tensor(KNOWN, dtype=torch.float64, requires_grad=True)
        s, x, (a, b, c, d) = batch.source.double(), batch.images.double(), numbers
        verdicts = ((to_image.astype(float) - 1) ** 2).mean() + ((to_source.astype(float) - 1) ** 2).mean()
        cycle = abs(c * (a * s + b) + d - s).mean() + abs(a * (c * x + d) + b - x).mean()
        errors = 7 * cycle + identity * (abs(a * x + b - x).mean() + abs(c * s + d - s).mean())
        assert scalars["adversarial"].item() == pytest.approx(verdicts, rel=TOLERANCE)
        assert scalars["cycle"].item() == pytest.approx(cycle.item(), rel=TOLERANCE)
        assert scalars["loss"].item() == pytest.approx(verdicts + errors.item(), rel=TOLERANCE)
        (scalars["loss"] - scalars["adversarial"]).backward()
        errors.backward()
        torch.testing.assert_close(gan.generator.numbers.grad.double(), numbers.grad, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("smoothing", [0.0, 0.2])
    def test_loss_of_both_ds(self, smoothing):
        gan, batch = cyclegan(*KNOWN, label_smoothing=smoothing)
        scalars, scores, _ = outputs(gan, "d", batch)
        pairs = [(real.astype(float), fake.astype(float)) for real, fake in scores]
        expected = sum(((r - (1 - smoothing)) ** 2).mean() + (f**2).mean() for r, f in pairs) / 2
        assert scalars["loss"].item() == pytest.approx(expected, rel=TOLERANCE)
        assert scalars["real_score"].item() == pytest.approx(scores[0][0].mean(), rel=1e-4)
        assert scalars["fake_score"].item() == pytest.approx(scores[0][1].mean(), rel=1e-4)

    @pytest.mark.parametrize("player", ["d", "g"])
    def test_each_d_judges_its_own_kind(self, player):
        gan, batch = cyclegan(*KNOWN)
        _, _, ds = outputs(gan, player, batch)
        fakes = gan.generator(batch.source), gan.generator.back(batch.images)
        for d, real, fake in zip(ds, (batch.images, batch.source), fakes, strict=True):
            expected = [real, fake] if player == "d" else [fake]
            assert all(torch.equal(inputs[0], e) for (inputs, _), e in zip(d.calls, expected, strict=True))

    def test_top_k_drops_the_worst_of_each_direction(self):
        gan, batch = cyclegan(*KNOWN, top_k=0.25)
        gan.progress = 1.0
        scalars, scores, _ = outputs(gan, "g", batch)
        expected = sum(((np.sort(s[0].astype(float))[-2:] - 1) ** 2).mean() for s in scores)
        assert scalars["adversarial"].item() == pytest.approx(expected, rel=TOLERANCE)

    @pytest.mark.parametrize("identity", [0.0, 5.0])
    def test_exchanging_the_kinds_and_the_nets_changes_nothing(self, identity):
        gan = make_gan("cyclegan", dropout=0.0, lambda_identity=identity)
        batch, other = real_batch(4, TRANSLATION), copy.deepcopy(gan)
        other.discriminator, other.source_discriminator = other.source_discriminator, other.discriminator
        other.generator.forth, other.generator.back = other.generator.back, other.generator.forth
        exchanged = Batch(batch.source, batch.labels, batch.images)
        for player in ("d_turn", "g_turn"):
            first, second = (getattr(g, player)(b)["loss"] for g, b in ((gan, batch), (other, exchanged)))
            assert first.item() == pytest.approx(second.item(), rel=1e-6)


class TestTurns:
    def test_defaults_are_the_papers(self):
        config = gans.get("cyclegan").Config()
        assert (config.lambda_cycle, config.lambda_identity, config.pool) == (10, 0, 50)

    def test_ds_fakes_come_from_the_pool_of_their_kind(self):
        gan, batch = cyclegan(*KNOWN)
        pools = Recorded(gan.pool), Recorded(gan.source_pool)
        for pool, grey in ((gan.pool, 0.25), (gan.source_pool, -0.5)):
            pool.register_forward_hook(lambda _m, _i, images, grey=grey: torch.full_like(images, grey))
        _, _, ds = outputs(gan, "d", batch)
        assert [d.calls[1][0][0].unique().tolist() for d in ds] == [[0.25], [-0.5]]
        fakes = gan.generator(batch.source), gan.generator.back(batch.images)
        for pool, expected in zip(pools, fakes, strict=True):
            (((images, rng), _),) = pool.calls
            assert torch.equal(images, expected)
            assert rng is gan.rng

    @pytest.mark.parametrize("pool", [0, 50])
    def test_d_knows_fakes_as_constants(self, pool):
        gan, batch = cyclegan(*KNOWN, pool=pool)
        scalars, _, ds = outputs(gan, "d", batch)
        assert not any(inputs[0].requires_grad for d in ds for inputs, _ in d.calls)
        assert torch.autograd.grad(scalars["loss"], [gan.generator.numbers], allow_unused=True) == (None,)

    def test_g_gets_its_gradient_through_both_ds_and_leaves_the_pools_alone(self):
        gan, batch = cyclegan(*KNOWN, lambda_cycle=0.0)
        scalars, _, ds = outputs(gan, "g", batch)
        assert all(inputs[0].requires_grad for d in ds for inputs, _ in d.calls)
        (gradient,) = torch.autograd.grad(scalars["adversarial"], [gan.generator.numbers])
        assert gradient.all()
        assert gan.pool.filled.item() == gan.source_pool.filled.item() == 0
        gan.d_turn(batch)
        assert gan.pool.filled.item() == gan.source_pool.filled.item() == 8

    def test_both_translators_share_a_turn_and_so_do_both_ds(self):
        gan = make_gan("cyclegan", n_d=3)
        turns = gan.turns()
        assert [(t.name, t.every) for t in turns] == [("d", 1), ("g", 3)]
        players = [gan.discriminator, gan.source_discriminator], [gan.generator.forth, gan.generator.back]
        for taken, nets in zip(turns, players, strict=True):
            assert {id(p) for p in taken.parameters} == {id(p) for net in nets for p in net.parameters()}

    def test_the_pools_are_in_the_checkpoint(self):
        gan, batch = cyclegan(*KNOWN)
        turn(gan, "d").take(batch)
        other, _ = cyclegan(*KNOWN)
        other.load_state_dict(gan.state_dict())
        assert torch.equal(other.pool.images[:8], gan.generator(batch.source))
        assert torch.equal(other.source_pool.images[:8], gan.generator.back(batch.images))

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({"pool": 31}, "a pool of 31 cannot take the fakes of a batch of 32"),
            ({"batch_size": 64}, "a pool of 50 cannot take the fakes of a batch of 64"),
            ({"pool": 32}, None),
            ({"pool": 0}, None),
            ({"unroll": 2}, "there are two discriminators"),
            ({"feature_matching": True}, "there are two discriminators"),
            ({"augment": "ada"}, "ada steers by the sign"),
            ({"latent_step": 0.9, "bn": False}, "no latents"),
        ],
    )
    def test_what_cannot_be_is_skipped(self, config, words):
        cls = gans.get("cyclegan")
        reason = cls.skip(cls.Config(**config))
        assert reason is None if words is None else words in reason


def numbered(numbers):
    """Images [n, 1, 2, 2] that say which they are; none is 0, which an empty place holds."""
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def numbers_of(images):
    return images[:, 0, 0, 0].int().tolist()


class Stream:
    """A pool that is given images 1, 2, 3 ... under a seed."""

    def __init__(self, size, seed=0):
        self.pool, self.rng, self.count = ImagePool(size, (1, 2, 2)), torch.Generator().manual_seed(seed), 0

    def held(self):
        return numbers_of(self.pool.images[: self.pool.size])

    def next(self, n):
        """The next n numbers and those that came out for them."""
        new = list(range(self.count + 1, self.count + n + 1))
        self.count += n
        return new, numbers_of(self.pool(numbered(new), self.rng))


class TestPool:
    def test_it_gives_everything_back_until_it_is_full(self):
        stream = Stream(6)
        assert [stream.next(2)[1] for _ in range(3)] == [[1, 2], [3, 4], [5, 6]]
        assert stream.held() == [1, 2, 3, 4, 5, 6]

    def test_then_it_swaps_with_probability_one_half(self):
        """Within five standard deviations, sqrt(n / 4), of the count among n = 2,000 draws."""
        stream = Stream(50)
        stream.next(50)
        pairs = [pair for _ in range(400) for pair in zip(*stream.next(5), strict=True)]
        assert abs(sum(new != given for new, given in pairs) - 1000) < 5 * math.sqrt(500)

    def test_every_place_is_swapped_alike(self):
        """A quarter of n swaps in each of four places, within five standard deviations, sqrt(n 3 / 16)."""
        stream, swaps = Stream(4), [0] * 4
        stream.next(4)
        for _ in range(2000):
            before = stream.held()
            stream.next(1)
            swaps = [count + (a != b) for count, a, b in zip(swaps, before, stream.held(), strict=True)]
        n = sum(swaps)
        assert n > 800
        assert all(abs(count - n / 4) < 5 * math.sqrt(n * 3 / 16) for count in swaps)

    @pytest.mark.parametrize(("size", "n"), [(7, 1), (7, 3), (7, 7), (6, 4), (50, 32)])
    def test_nothing_is_lost_or_doubled_or_given_before_it_came(self, size, n):
        """Only what fills empty places is both kept and given, also where a batch has more images than these."""
        for seed in range(5):
            stream = Stream(size, seed)
            for _ in range(20):
                before = [number for number in stream.held() if number]
                new, given = stream.next(n)
                after = [number for number in stream.held() if number]
                assert sorted(after + given) == sorted(before + new + new[: size - len(before)])
                assert all(g == own or g in before for own, g in zip(new, given, strict=True))

    def test_size_0_is_the_identity(self):
        images = numbered(range(9))
        assert ImagePool(0, (1, 2, 2))(images) is images

    def test_its_stream_follows_the_rng_alone(self):
        streams = []
        for seed, other in ((0, 1), (0, 2), (1, 1)):
            torch.manual_seed(other)
            state = torch.get_rng_state()
            stream = Stream(8, seed)
            streams.append([stream.next(4) for _ in range(10)])
            assert torch.equal(torch.get_rng_state(), state)
        assert streams[0] == streams[1] != streams[2]

    @pytest.mark.parametrize("batches", [1, 2, 7])
    def test_a_saved_state_goes_on_with_the_same_stream(self, batches):
        first, second = Stream(8), Stream(8, seed=9)
        for _ in range(batches):
            first.next(3)
        second.next(5)
        second.pool.load_state_dict(first.pool.state_dict())
        second.rng.set_state(first.rng.get_state())
        second.count = first.count
        assert [first.next(3) for _ in range(10)] == [second.next(3) for _ in range(10)]

    def test_it_gives_and_keeps_constants(self):
        pool = ImagePool(4, (1, 2, 2))
        given = [pool(numbered([i, i + 1]).requires_grad_()) for i in range(1, 9, 2)]
        assert not any(images.requires_grad for images in [*given, pool.images])

    def test_too_small_a_pool_says_so(self):
        with pytest.raises(ValueError, match="a pool of 3 images cannot take 4 at once"):
            ImagePool(3, (1, 2, 2))(numbered(range(4)))


DOWN = [("Conv2d", 4, 1, 64, 14), ("Conv2d", 4, 64, 128, 7), ("UpConvolution", 4, 128, 64, 14)]
UP_3 = [("UpConvolution", 3, 64, 64, 14), ("UpConvolution", 3, 64, 32, 28), ("Conv2d", 3, 32, 1, 28)]
LAYERS = {
    "plain": [*DOWN, ("UpConvolution", 4, 64, 32, 28), ("ImageConvolution", 4, 32, 1, 28)],
    "unet": [*DOWN, ("UpConvolution", 4, 64 + 64, 32, 28), ("ImageConvolution", 4, 32 + 1, 1, 28)],
    "super": [("Conv2d", 3, 1, 64, 7), *([("Conv2d", 3, 64, 64, 7)] * 4), *UP_3],
}


def network(name, norm="batch"):
    torch.manual_seed(0)
    return {"plain": lambda: ImageToImage(norm), "unet": UNet, "super": lambda: SuperResolution(2)}[name]()


def source_for(name, n=2):
    return torch.rand(n, 1, *[7 if name == "super" else 28] * 2) * 2 - 1


class TestNetworks:
    @pytest.mark.parametrize("name", LAYERS)
    def test_layers_are_the_tutorials(self, name):
        """Convolutions with side, weights Glorot uniform and no bias; norm and LeakyReLU down, norm and ReLU up."""
        net, seen = network(name), []
        for module in net.modules():
            if not list(module.children()):
                module.register_forward_hook(lambda m, i, o: seen.append((m, i[0].shape[1], *o.shape[1:3])))
        net(source_for(name))
        convolutions = [entry for entry in seen if isinstance(entry[0], nn.Conv2d | nn.ConvTranspose2d)]
        assert [(type(m).__name__, m.kernel_size[0], *rest) for m, *rest in convolutions] == LAYERS[name]
        for (layer, *_), (_, kernel, inputs, outputs, _) in zip(convolutions, LAYERS[name], strict=True):
            limit = (6 / kernel**2 / (inputs + outputs)) ** 0.5
            assert 0.9 * limit < layer.weight.abs().max().item() <= limit
            assert not layer.bias.any()
        kinds = "".join(type(m).__name__[:2] for m, *_ in seen if not isinstance(m, nn.Identity | nn.ZeroPad2d))
        assert kinds == "CoBaLe" * (len(LAYERS[name]) - 3) + "UpBaRe" * 2 + LAYERS[name][-1][0][:2] + "Ta"
        count = sum(k * k * i * o + 3 * o for _, k, i, o, _ in LAYERS[name])
        assert parameter_count(net) == count - 2, "the last convolution has no norm"

    @pytest.mark.parametrize(("norm", "kind", "eps"), [("batch", "Batch", 1e-3), ("instance", "Instance", 1e-6)])
    def test_constants_are_keras_s_and_the_tutorials(self, norm, kind, eps):
        modules = list(network("plain", norm).modules())
        norms = [m for m in modules if "Norm" in type(m).__name__]
        assert {(type(m).__name__, m.eps, m.affine) for m in norms} == {(f"{kind}Norm2d", eps, True)}
        assert {m.negative_slope for m in modules if isinstance(m, nn.LeakyReLU)} == {0.3}

    def test_instance_norm_knows_one_image_at_a_time(self):
        net, source = make_gan("cyclegan").generator, source_for("plain", 3)
        torch.testing.assert_close(net(source)[:1], net(source[:1]), rtol=1e-4, atol=1e-5)

    def test_last_convolution_pads_one_more_on_the_right_and_below(self):
        """y[i, j] = sum_k x[i - 1 + k] w[k]: an impulse at 0 meets output 0 with w[1] and output 1 with w[0]."""
        last, impulse = network("plain")[-1], torch.zeros(1, 32, 28, 28)
        impulse[0, 0, 0, 0] = 1
        made = last(impulse)[0, 0]
        torch.testing.assert_close(made[:2, :2], last[1].weight[0, 0, :2, :2].flip(0, 1).tanh())
        assert not made[2:].any()

    def test_both_ways_are_nets_of_their_own(self):
        both, source = make_gan("cyclegan").generator, source_for("plain")
        assert torch.equal(both(source), both.forth(source))
        assert parameter_count(both) == 2 * parameter_count(both.forth)
        assert not torch.equal(both.forth(source), both.back(source))

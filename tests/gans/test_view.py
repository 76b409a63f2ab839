"""What D sees against constructions by hand: packs, falling noise, augmentation on every way to D, ADA's steering."""

import pytest
import torch
from oracles import make_gan, turn

from gans.augment import diffaugment
from gans.contract import real_batch
from gans.factors import Factors
from gans.view import ADA_INTERVAL, AdaptiveProbability, View


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n, channels=1, size=28):
    return torch.rand(n, channels, size, size, generator=rng(1)) * 2 - 1


SURE, UNSURE = torch.ones(16), -torch.ones(16)


def probabilities(ada, turns, reals=64):
    """p after each turn, D's scores of reals given."""
    found = []
    for scores in turns:
        ada.observe(scores, reals)
        found.append(ada.p.item())
    return found


def ada_at(p, target=0.6, length=1024):
    ada = AdaptiveProbability(target, length)
    ada.p.fill_(p)
    return ada


def test_ada_interval_is_the_papers():
    assert ADA_INTERVAL == 4


def test_p_rises_where_reals_are_surely_told_each_fourth_turn_only():
    """4 * 64 / 1024 is 1/4, exactly; at 1 it stays."""
    found = probabilities(ada_at(0.0), [SURE] * 22)
    assert found == [0.0] * 3 + [0.25] * 4 + [0.5] * 4 + [0.75] * 4 + [1.0] * 7


def test_p_falls_where_they_are_not_and_stays_at_zero():
    assert probabilities(ada_at(0.375), [UNSURE] * 14) == [0.375] * 3 + [0.125] * 4 + [0.0] * 7


def test_p_stays_on_the_target_and_moves_beside_it():
    # r_t = (6 - 2) / 8 = 1/2
    scores = torch.tensor([1.0] * 6 + [-1.0] * 2)
    for target, expected in ((0.5, 0.5), (0.49, 0.75), (0.51, 0.25)):
        assert probabilities(ada_at(0.5, target), [scores] * 4)[-1] == expected


def test_p_follows_the_signs_and_not_the_scores():
    low_but_positive = torch.tensor([1e-6] * 9 + [-1000.0])
    assert probabilities(ada_at(0.5), [low_but_positive] * 4)[-1] == 0.75
    high_but_few = torch.tensor([1000.0] + [-1e-6] * 9)
    assert probabilities(ada_at(0.5), [high_but_few] * 4)[-1] == 0.25


def test_p_follows_the_mean_of_the_last_four_turns():
    """Three sure turns of four are a mean of 1/2; the turns before them no longer count."""
    assert probabilities(ada_at(0.5, 0.4), [SURE, SURE, UNSURE, SURE])[-1] == 0.75
    assert probabilities(ada_at(0.5, 0.6), [SURE, SURE, SURE, UNSURE])[-1] == 0.25
    assert probabilities(ada_at(0.0), [SURE] * 4 + [UNSURE] * 4)[3::4] == [0.25, 0.0]


def test_p_takes_500000_reals_from_zero_to_one_by_default():
    ada = View(Factors(augment="ada")).ada
    assert probabilities(ada, [SURE] * 4, reals=64)[-1] == pytest.approx(256 / 500_000)


def test_state_of_ada_survives_in_the_middle_of_an_interval():
    view, other = View(Factors(augment="ada", ada_images=1024)), View(Factors(augment="ada", ada_images=1024))
    probabilities(view.ada, [SURE] * 6)
    assert set(view.state_dict()) == {"ada.p", "ada.signs"}
    other.load_state_dict(view.state_dict())
    assert probabilities(other.ada, [SURE] * 2) == [0.25, 0.5]
    assert "view.ada.p" in make_gan("nsgan", augment="ada").state_dict()
    assert not View(Factors()).state_dict()


def test_ada_is_given_the_scores_without_their_graph():
    view = View(Factors(augment="ada"))
    view.observe(torch.ones(4, requires_grad=True) * 2)
    assert not view.ada.signs.requires_grad


def test_reals_that_ada_counts_are_images_and_not_packs():
    view = View(Factors(augment="ada", ada_images=1024, pack=4))
    for _ in range(4):
        logged = view.observe(SURE)  # 16 packs of 4 are 64 reals
    assert logged["ada_p"].item() == 0.25


def test_without_ada_nothing_is_logged():
    assert View(Factors(augment="diffaugment")).observe(SURE) == {}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pack", [2, 4])
def test_pack_puts_consecutive_images_on_the_channels(channels, pack):
    given = images(8, channels).to(memory_format=torch.channels_last)
    found = View(Factors(pack=pack))(given, 0.0, rng())
    expected = [torch.cat([given[row * pack + k] for k in range(pack)], 0) for row in range(8 // pack)]
    assert torch.equal(found, torch.stack(expected))


def test_images_of_a_pack_are_augmented_each_for_itself():
    """Augmentation comes before packing, and before the noise, which is not cut out."""
    given = images(8)
    packed = View(Factors(pack=4, augment="diffaugment"))(given, 0.0, rng())
    assert torch.equal(packed.reshape(8, 1, 28, 28), diffaugment(given, rng()))
    noisy = View(Factors(instance_noise=0.5, augment="diffaugment"))(given, 0.0, rng())
    assert not (noisy == -1).any()


@pytest.mark.parametrize(("progress", "deviation"), [(0.0, 0.4), (0.25, 0.3), (0.9, 0.04)])
def test_instance_noise_falls_linearly(progress, deviation):
    given = images(100)
    noise = View(Factors(instance_noise=0.4))(given, progress, rng()) - given
    # 78,400 values: relative error of the deviation 1 / sqrt 156,800
    assert noise.std().item() == pytest.approx(deviation, rel=4 / 156_800**0.5)
    assert noise.mean().item() == pytest.approx(0, abs=4 * deviation / 78_400**0.5)
    # normal: 68.3 % within one standard deviation
    share = (noise.abs() < deviation).float().mean().item()
    assert share == pytest.approx(0.6827, abs=4 * (0.6827 * 0.3173 / 78_400) ** 0.5)


def test_instance_noise_is_gone_at_the_end():
    given = images(4)
    assert torch.equal(View(Factors(instance_noise=0.4))(given, 1.0, rng()), given)


def test_view_of_no_factor_is_the_images_themselves():
    given = images(4)
    assert View(Factors())(given, 0.5, rng()) is given


@pytest.mark.parametrize("factors", [{"augment": "diffaugment"}, {"augment": "ada"}, {"instance_noise": 0.1}])
def test_view_follows_its_generator_alone(factors):
    view, given, state = View(Factors(**factors)), images(8), torch.get_rng_state()
    if view.ada is not None:
        view.ada.p.fill_(1)
    first = view(given, 0.5, rng(5))
    assert torch.equal(first, view(given, 0.5, rng(5)))
    assert not torch.equal(first, view(given, 0.5, rng(6)))
    assert torch.equal(state, torch.get_rng_state())


def test_ada_changes_images_with_the_probability_it_has_reached(monkeypatch):
    asked = []
    monkeypatch.setattr("gans.view.random_affine", lambda images, p, rng: asked.append(p.item()) or images)
    view = View(Factors(augment="ada", ada_images=1024))
    for _ in range(9):
        view(images(2), 0.0, rng())
        view.observe(torch.ones(64))
    assert asked == [0.0] * 4 + [0.25] * 4 + [0.5]


def spy(monkeypatch, name):
    """The images that pass through `gans.view.name`, which leaves them as they are."""
    passed = []
    monkeypatch.setattr(f"gans.view.{name}", lambda images, *_: passed.append(images) or images)
    return passed


@pytest.mark.parametrize(("augment", "name"), [("diffaugment", "diffaugment"), ("ada", "random_affine")])
def test_reals_and_fakes_of_both_turns_are_augmented(monkeypatch, augment, name):
    passed = spy(monkeypatch, name)
    gan, batch = make_gan("nsgan", augment=augment), real_batch()
    turn(gan, "d").take(batch)
    assert len(passed) == 2
    assert passed[0] is batch.images
    assert not passed[1].requires_grad, "D's fakes are constant"
    turn(gan, "g").take(batch)
    assert len(passed) == 3
    assert passed[2].requires_grad, "G learns through the augmentation"
    assert all(p.shape == batch.images.shape for p in passed)


@pytest.mark.parametrize("augment", ["diffaugment", "ada"])
def test_g_gets_its_gradient_through_the_augmentation(augment):
    gan = make_gan("nsgan", augment=augment, bn=False, dropout=0.0)
    if gan.view.ada is not None:
        gan.view.ada.p.fill_(1)
    fakes = gan.generate(real_batch(4)).detach().requires_grad_()
    gan.scores(fakes).sum().backward()
    assert (fakes.grad.abs().amax((1, 2, 3)) > 0).all()


def test_generated_images_are_not_augmented(monkeypatch):
    passed = spy(monkeypatch, "diffaugment")
    make_gan("nsgan", augment="diffaugment").generate(real_batch())
    assert not passed


def test_turn_of_d_steers_ada_and_logs_it():
    """A D that tells every image as real is sure of the reals: p is 4 * 8 / 64 after four turns."""
    gan, batch = make_gan("nsgan", augment="ada", ada_images=64), real_batch(8)
    torch.nn.init.constant_(gan.discriminator.head.bias, 100)
    d, g = gan.turns()
    logged = []
    for _ in range(5):
        logged.append(d.take(batch)["ada_p"].item())
        assert "ada_p" not in g.take(batch)
    assert logged == [0.0] * 3 + [0.5] * 2


def test_noise_of_a_gan_follows_its_progress():
    gan, batch = make_gan("nsgan", instance_noise=1.0), real_batch(64)
    gan.progress = 0.75
    # 50,176 values
    assert (gan.see(batch.images) - batch.images).std().item() == pytest.approx(0.25, rel=4 / 100_352**0.5)


def test_scores_of_packs_are_the_discriminators_of_stacked_images():
    gan, batch = make_gan("nsgan", pack=2, bn=False, dropout=0.0), real_batch(6)
    stacked = torch.cat([batch.images[0::2], batch.images[1::2]], 1)
    scores = gan.scores(batch.images)
    assert scores.shape == (3,)
    torch.testing.assert_close(scores, gan.discriminator(stacked))

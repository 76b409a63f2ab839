"""What each algorithm adds to the losses: coding schemes, clipping, schedules, the tutorial's step, skips."""

import pytest
import torch
from oracles import make_gan, turn

import gans
from gans import Batch
from gans.contract import real_batch


@pytest.mark.parametrize(("coding", "d", "g"), [("binary", 0.5, 0.5), ("chi2", 1.0, 0.0), ("tutorial", 1.0, 0.5)])
def test_lsgan_codings_at_zero_scores(coding, d, g):
    gan = make_gan("lsgan", coding=coding)
    zero = torch.zeros(4)
    assert gan.d_loss(zero, zero).item() == d
    assert gan.g_loss(zero).item() == g


def test_wgan_clips_every_parameter_of_the_critic():
    gan = make_gan("wgan", clip=0.003)
    turn(gan, "d").take(real_batch())
    assert all(p.abs().max().item() <= 0.003 + 1e-9 for p in gan.discriminator.parameters())
    assert gan.generator.project[0].weight.abs().max().item() > 0.003


@pytest.mark.parametrize(("name", "every"), [("wgan", 5), ("wgan_gp", 5), ("dcgan", 1)])
def test_g_moves_every_n_d_steps(name, every):
    turns = {t.name: t.every for t in make_gan(name).turns()}
    assert turns == {"d": 1, "g": every}


def test_wgan_uses_rmsprop_and_others_adam():
    assert isinstance(turn(make_gan("wgan"), "d").optimizer, torch.optim.RMSprop)
    adam = turn(make_gan("wgan_gp"), "d").optimizer
    assert isinstance(adam, torch.optim.Adam)
    assert adam.param_groups[0]["betas"] == (0.5, 0.9)
    assert adam.param_groups[0]["lr"] == 1e-4


def test_wgan_gp_adds_the_weighted_penalty():
    gan = make_gan("wgan_gp", lambda_gp=10.0)
    scalars = gan.d_turn(real_batch())
    difference = scalars["loss"] - (scalars["fake_score"] - scalars["real_score"])
    assert difference.item() == pytest.approx(scalars["penalty"].item(), rel=1e-5)
    halved = make_gan("wgan_gp", lambda_gp=5.0).d_turn(real_batch())
    assert halved["penalty"].item() == pytest.approx(scalars["penalty"].item() / 2, rel=1e-5)


def test_wgan_gp_skips_batch_norm_with_a_reason():
    cls = gans.get("wgan_gp")
    assert "batch norm" in cls.skip(cls.Config(bn=True))


def test_ragan_g_loss_is_the_d_loss_with_the_roles_swapped():
    gan = make_gan("ragan", dropout=0.0)
    batch = real_batch()
    gan.rng = torch.Generator().manual_seed(0)
    g = gan.g_turn(batch)["loss"]
    gan.rng = torch.Generator().manual_seed(0)
    fake = gan.generate(batch).detach()
    swapped = gan.d_loss(gan.discriminator(fake), gan.discriminator(batch.images))
    assert g.item() == pytest.approx(swapped.item(), rel=1e-6)


class TestTutorialStep:
    def test_g_goes_first_and_makes_twice_the_batch(self):
        gan = make_gan("dcgan_tutorial")
        assert [t.name for t in gan.turns()] == ["g", "d"]
        assert gan.config.batch_size == 32
        gan.g_turn(real_batch(6))
        assert len(gan._fakes) == 12

    def test_d_sees_one_concatenated_batch_of_the_fakes_made_before_gs_update(self):
        gan = make_gan("dcgan_tutorial", dropout=0.0)
        seen = []
        gan.discriminator.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].detach().clone()))
        g, d = gan.turns()
        batch = real_batch(6)
        g.take(batch)
        d.take(batch)
        of_g, of_d = seen
        assert len(of_d) == 12
        assert torch.equal(of_d[:6], batch.images)
        assert torch.equal(of_d[6:], of_g[:6])

    def test_g_asks_a_d_of_running_statistics_without_dropout_and_leaves_them(self):
        gan = make_gan("dcgan_tutorial", bn=True)
        batch = real_batch(6)
        for _ in range(3):  # away from the statistics that batch norm starts with
            for each in gan.turns():
                each.take(batch)
        before = {name: buffer.clone() for name, buffer in gan.discriminator.named_buffers()}
        loss = gan.g_turn(batch)["loss"]
        assert before
        assert all(torch.equal(buffer, before[name]) for name, buffer in gan.discriminator.named_buffers())
        assert gan.discriminator.training
        expected = torch.nn.functional.softplus(-gan.discriminator.eval()(gan._fakes)).mean()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)

    def test_d_loss_is_the_mean_cross_entropy_of_the_batch(self):
        gan = make_gan("dcgan_tutorial", dropout=0.0)
        batch = real_batch(6)
        gan.g_turn(batch)
        loss = gan.d_turn(batch)["loss"]
        scores = gan.discriminator(torch.cat([batch.images, gan._fakes[:6]]))
        targets = torch.cat([torch.ones(6), torch.zeros(6)])
        expected = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-6)


def test_dcgan_sees_reals_and_fakes_in_separate_passes():
    gan = make_gan("dcgan")
    sizes = []
    gan.discriminator.register_forward_hook(lambda _m, inputs, _o: sizes.append(len(inputs[0])))
    gan.d_turn(real_batch(6))
    assert sizes == [6, 6]


def test_base_gan_names_the_missing_loss():
    gan = gans.GAN()
    with pytest.raises(NotImplementedError, match="d_loss"):
        gan.d_turn(real_batch())


def test_batch_length_is_its_images():
    assert len(Batch(torch.zeros(3, 1, 28, 28), torch.zeros(3, dtype=torch.int64))) == 3


def test_ttur_gives_each_player_its_own_rate():
    rates = {turn.name: turn.optimizer.param_groups[0]["lr"] for turn in make_gan("ttur").turns()}
    assert rates == {"d": 4e-4, "g": 1e-4}


@pytest.mark.parametrize("name", gans.names())
def test_every_adam_is_keras_s_as_in_the_tutorial(name):
    """Keras divides by sqrt(v) + 1e-7, torch by itself by sqrt(v) + 1e-8; of RMSprop the tutorial says nothing."""
    optimizers = [turn.optimizer for turn in make_gan(name).turns()]
    if name in {"wgan", "mmd_gan", "vae_gan"}:
        assert all(isinstance(optimizer, torch.optim.RMSprop) for optimizer in optimizers)
        return
    assert all(isinstance(optimizer, torch.optim.Adam) for optimizer in optimizers)
    assert {group["eps"] for optimizer in optimizers for group in optimizer.param_groups} == {1e-7}

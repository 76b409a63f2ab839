"""Which factors are on, what they must not be combined with, and that none is silently ignored."""

import re

import pytest
import torch
from oracles import make_gan
from torch import nn

import gans
from gans import contract, factors, objectives
from gans.networks import Dropout
from gans.standard.nsgan import NSGAN


def config(**settings):
    return NSGAN.Config(**{"bn": False, "dropout": 0.0} | settings)


STRENGTHS = {"ada_target", "ada_images", "unroll_lr"}  # settings of a factor, which alone do nothing


def test_every_factor_and_the_two_switches_of_d_have_an_off_value():
    assert {field: value for field, value in factors.OFF.items() if field not in STRENGTHS} == {
        "bn": False, "dropout": 0.0, "spectral_norm": False, "minibatch": "none", "pack": 1, "augment": "none",
        "instance_noise": 0.0, "label_smoothing": 0.0, "top_k": 1.0, "feature_matching": False, "mode_seeking": 0.0,
        "latent_step": 0.0, "unroll": 0,
    }  # fmt: skip
    assert set(factors.STRENGTHS) == STRENGTHS
    default = NSGAN.Config().to_dict()
    assert {field for field, off in factors.OFF.items() if default[field] != off} == {"bn", "dropout"}


def test_off_does_nothing():
    gan, batch = make_gan("nsgan", **factors.OFF), contract.real_batch(4)
    gan.progress = 1.0
    assert gan.see(batch.images) is batch.images
    layers = list(gan.discriminator.modules())
    absent = (nn.BatchNorm2d, Dropout, nn.utils.parametrize.ParametrizationList)
    assert not any(isinstance(layer, absent) for layer in layers)
    assert gan.discriminator.head.in_features == 7 * 7 * 128
    found = objectives.g_objective(gan, batch)["loss"]
    gan.rng.manual_seed(0)
    fake = gan.generator(torch.randn(4, 100, generator=gan.rng))
    assert found.item() == pytest.approx(-gan.discriminator(fake).sigmoid().log().mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("conditions", "settings", "expected"),
    [
        ("unroll", {}, False),
        ("unroll", {"unroll": 1}, True),
        ("bn", {}, False),
        ("bn", {"bn": True}, True),
        ("dropout", {"dropout": 0.3}, True),
        ("top_k", {}, False),
        ("top_k", {"top_k": 0.9}, True),
        ("pack", {}, False),
        ("pack", {"pack": 2}, True),
        ("minibatch", {"minibatch": "stddev"}, True),
        ("minibatch=stddev", {"minibatch": "stddev"}, True),
        ("minibatch=stddev", {"minibatch": "discrimination"}, False),
        ("augment=ada", {}, False),
        ("augment=none", {}, True),
        ("feature_matching=True", {"feature_matching": True}, True),
        ("latent_dim=100", {}, True),  # a value may be asked of what is no factor
        ("bn unroll", {"bn": True}, False),
        ("bn unroll", {"unroll": 2}, False),
        ("bn unroll", {"bn": True, "unroll": 2}, True),
        ("bn augment=ada unroll", {"bn": True, "augment": "ada", "unroll": 1}, True),
        ("bn augment=ada unroll", {"bn": True, "augment": "diffaugment", "unroll": 1}, False),
    ],
)
def test_conditions_hold(conditions, settings, expected):
    assert factors.holds(config(**settings), conditions) is expected


CLASHES = {
    "bn latent_step": {"bn": True, "latent_step": 0.9},
    "minibatch latent_step": {"minibatch": "discrimination", "latent_step": 0.9},
    "feature_matching top_k": {"feature_matching": True, "top_k": 0.5},
    "latent_step augment=ada": {"latent_step": 0.9, "augment": "ada"},
    "latent_step unroll": {"latent_step": 0.9, "unroll": 5},
    "unroll augment=ada": {"unroll": 5, "augment": "ada"},
}


def test_spectral_norm_with_batch_norm_breaks_a_lipschitz_claim_and_is_an_experiment_elsewhere():
    both = {"bn": True, "spectral_norm": True}
    for name in ("sngan", "cr_gan", "mmd_gan_rep", "sagan", "projection_gan", "contragan"):
        cls = gans.get(name)
        assert "batch norm" in cls.skip(cls.Config(**both))
    for name in ("nsgan", "hinge", "ragan", "aae"):
        cls = gans.get(name)
        assert cls.skip(cls.Config(**both)) is None


@pytest.mark.parametrize("conditions", factors.RULES)
def test_every_rule_gives_its_reason_and_needs_both_factors(conditions):
    clash = CLASHES[conditions]
    assert NSGAN.skip(config(**clash)) == factors.RULES[conditions]
    for name, value in clash.items():
        assert NSGAN.skip(config(**{name: value})) is None


@pytest.mark.parametrize(
    ("strength", "on"),
    [
        ({"ada_target": 0.5}, {"augment": "ada"}),
        ({"ada_images": 1000}, {"augment": "ada"}),
        ({"unroll_lr": 0.1}, {"unroll": 1}),
    ],
)
def test_a_setting_of_a_factor_that_is_off_is_skipped_lest_its_cell_repeat_another(strength, on):
    ((name, _),) = strength.items()
    assert NSGAN.skip(config(**strength, **on)) is None
    assert f"{name} changes nothing without" in NSGAN.skip(config(**strength))
    assert f"{name} changes nothing without" in NSGAN.skip(config(**strength, augment="diffaugment"))


def test_a_row_s_own_setting_of_a_factor_may_stay_where_that_is_turned_off():
    """Otherwise it could not be compared without the factor."""
    ada, unrolled = gans.get("ada"), gans.get("unrolled_gan")
    assert ada.skip(ada.Config(augment="none")) is None
    assert "ada_images changes nothing" in ada.skip(ada.Config(augment="none", ada_images=500_000))
    assert unrolled.skip(unrolled.Config(unroll=0)) is None
    assert "unroll_lr changes nothing" in unrolled.skip(unrolled.Config(unroll=0, unroll_lr=0.005))


def test_factors_that_compose_are_not_skipped():
    assert NSGAN.skip(config()) is None
    assert NSGAN.skip(NSGAN.Config()) is None
    together = {"spectral_norm": True, "pack": 2, "augment": "diffaugment", "top_k": 0.5, "mode_seeking": 1.0}
    assert NSGAN.skip(config(**together, instance_noise=0.1, label_smoothing=0.1, latent_step=0.9)) is None
    assert NSGAN.skip(config(latent_step=0.9, augment="diffaugment")) is None


def test_own_conflicts_come_first():
    clash = config(**CLASHES["latent_step unroll"])
    own = {"augment": "not on", "latent_step": "own reason", "unroll": "later one"}
    assert factors.conflict(clash, own) == "own reason"
    assert factors.conflict(clash, {"latent_step unroll": "own reason"}) == "own reason"


def test_own_conflicts_count_without_any_rule():
    assert factors.conflict(config(top_k=0.5), {"top_k": "own reason"}) == "own reason"
    assert factors.conflict(config(), {"top_k": "own reason"}) is None


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"batch_size": 64, "pack": 16}, None),
        ({"batch_size": 16, "pack": 16}, "batch_size 16 makes one pack of 16; a batch needs two or more"),
        ({"batch_size": 64, "pack": 3}, "batch_size 64 is no multiple of pack 3"),
        ({"batch_size": 2, "pack": 4}, "batch_size 2 is no multiple of pack 4"),
    ],
)
def test_packs_must_fill_the_batch(settings, reason):
    assert NSGAN.skip(config(**settings)) == reason


@pytest.mark.parametrize(
    ("batch_size", "pack", "makes_sense"), [(8, 1, True), (6, 1, False), (8, 2, True), (8, 4, False), (48, 4, True)]
)
def test_groups_of_stddev_must_fill_the_batch_and_otherwise_it_fails(batch_size, pack, makes_sense):
    settings = {"batch_size": batch_size, "pack": pack}
    reason = NSGAN.skip(config(**settings, minibatch="stddev"))
    assert (reason is None) is makes_sense
    assert makes_sense or "minibatch=stddev needs a multiple of 4 images" in reason
    assert NSGAN.skip(config(**settings, minibatch="discrimination")) is None
    gan, batch = make_gan("nsgan", dropout=0.0, minibatch="stddev", **settings), contract.real_batch(batch_size)
    if makes_sense:
        assert gan.scores(batch.images).shape == (batch_size // pack,)
    else:
        with pytest.raises(RuntimeError):
            gan.scores(batch.images)


def reasons():
    yield from factors.RULES.items()
    yield "pack", NSGAN.skip(config(pack=3))
    yield "minibatch=stddev", NSGAN.skip(config(minibatch="stddev", batch_size=6))
    yield "unroll_lr", NSGAN.skip(config(unroll_lr=0.1))
    for name in gans.names():
        yield from gans.get(name).conflicts.items()


def test_every_reason_is_one_line_without_a_full_stop():
    for conditions, reason in reasons():
        assert re.fullmatch(r"\S.*[^\s.]", reason), (conditions, reason)


@pytest.mark.parametrize("name", gans.names())
def test_conflicts_name_factors_and_choices_that_exist(name):
    cls = gans.get(name)
    for conditions in cls.conflicts | factors.RULES:
        assert conditions.split()
        for condition in conditions.split():
            field, separator, value = condition.partition("=")
            if separator:
                assert value in map(str, cls.Config.option(field).choices), condition
            else:
                assert field in factors.OFF or cls.Config.option(field).low == 0, condition


@pytest.mark.parametrize("name", gans.names())
def test_every_conflict_of_an_algorithm_can_arise(name):
    """There is a configuration in which it holds, and the default is none."""
    cls = gans.get(name)
    strengths = {key: value for factor in contract.factors_at_work() for key, value in factor.items()}
    strengths |= {"bn": True, "dropout": 0.3}
    for conditions, reason in cls.conflicts.items():
        settings = {"bn": False, "dropout": 0.0}
        for condition in conditions.split():
            field, separator, value = condition.partition("=")
            settings[field] = cls.Config.option(field).parse(value) if separator else strengths.get(field, 1.0)
        assert cls.skip(cls.Config(**settings)) == reason
    assert cls.skip(cls.Config()) is None


class AsksDItself(NSGAN):
    """G's turn goes past `scores`, `fakes` and `best`."""

    def g_turn(self, batch):
        return {"loss": self.g_loss(self.discriminator(self.generate(batch)))}


class NamesPackOnly(AsksDItself):
    """What fails is named; what is ignored is not."""

    conflicts = {"pack": "its D sees one image"}


def test_an_algorithm_that_fails_with_a_factor_is_told_so():
    with pytest.raises(AssertionError, match=r"^pack=2 fails \(RuntimeError: .*make it work or name it in `conflicts`"):
        contract.check_every_factor_acts_or_is_skipped(AsksDItself)


def test_an_algorithm_that_ignores_a_factor_is_told_so():
    with pytest.raises(AssertionError, match=r"^top_k=0.5 changes nothing: .*gans.GAN or name it in `conflicts`"):
        contract.check_every_factor_acts_or_is_skipped(NamesPackOnly)


@pytest.mark.parametrize(
    ("name", "weight"), [("ebgan", "lambda_pt"), ("zcr_gan", "lambda_g"), ("stylegan", "path_length")]
)
def test_feature_matching_is_skipped_where_it_would_drop_a_term_of_the_row(name, weight):
    cls = gans.get(name)
    assert "would replace G's loss" in cls.skip(cls.Config(feature_matching=True, **{weight: 1.0}))
    assert cls.skip(cls.Config(feature_matching=True, **{weight: 0.0})) is None
    assert cls.skip(cls.Config(**{weight: 1.0})) is None


@pytest.mark.parametrize(("name", "config"), [("mmgan", {}), ("bgan", {}), ("fgan", {"g_loss": "exact"})])
def test_feature_matching_is_skipped_where_only_g_s_loss_sets_a_row_apart(name, config):
    cls = gans.get(name)
    assert "would replace G's loss" in cls.skip(cls.Config(feature_matching=True, **config))

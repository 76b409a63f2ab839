"""The contract over everything registered; a new algorithm is tested by existing. Broken ones must fail it."""

import inspect
from dataclasses import dataclass, replace

import pytest
import torch

import gans
from gans import contract, option
from gans.conditional.cgan import CGAN
from gans.standard.dcgan import DCGAN
from gans.standard.nsgan import NSGAN


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", gans.names())
def test_contract(name, check):
    check(gans.get(name))


@pytest.mark.parametrize("name", gans.names())
def test_built_in_algorithms_are_short_and_say_what_the_tutorial_does(name):
    cls = gans.get(name)
    assert len(inspect.getsource(inspect.getmodule(cls)).splitlines()) <= 120
    assert "tutorial" in {deviation.partition(":")[0] for deviation in cls.info.deviations}
    assert len(cls.info.losses) >= 2, "each player's loss"


class StealsATurn(DCGAN):
    """G's turn also moves D."""

    def turns(self):
        d, g = super().turns()

        def nudge():
            with torch.no_grad():
                self.discriminator.head.weight += 1

        return [d, replace(g, after=nudge)]


class ForgetsTheHead(DCGAN):
    """D's optimizer lacks the head."""

    def turns(self):
        d, g = super().turns()
        return [replace(d, optimizer=self.optimizer(self.discriminator.trunk.parameters(), 1e-4)), g]


class UnseededNoise(DCGAN):
    """Latents from a generator that nobody seeds."""

    entropy = torch.Generator()

    def latent(self, n):
        return torch.randn(n, self.config.latent_dim, generator=self.entropy)


class KeepsStateOutside(DCGAN):
    """A loss that grows with every turn of D, counted where no `state_dict` sees it."""

    taken = 0

    def d_loss(self, real_scores, fake_scores):
        self.taken += 1
        return super().d_loss(real_scores, fake_scores) + self.taken * real_scores.mean()


class LeavesTheRange(DCGAN):
    """Images beyond [-1, 1]."""

    def generate(self, batch, latent=None):
        return super().generate(batch, latent) * 40


@pytest.mark.parametrize("field", ["curves", "stacked"])
def test_an_algorithm_of_another_field_alone_keeps_the_contract(field):
    class Elsewhere(NSGAN):
        """NSGAN on one field."""

        fields = (field,)

    for check in (contract.check_generate, contract.check_uniform_generator_starts_equal):
        check(Elsewhere)


class ShowsADANothing(DCGAN):
    """A turn of D that ends without `observe`."""

    def d_turn(self, batch):
        real_scores, fake_scores = self.scores(batch.images), self.scores(self.constant_fakes(batch))
        return {"loss": self.d_loss(real_scores, fake_scores)}


class ForgetsThePenalty(CGAN):
    """A penalty that the turn of D, another class's, does not know of."""

    def penalty(self, real_images, fake_images):
        return real_images.mean()


def test_training_of_many_d_turns_is_never_more_than_done():
    class Slow(DCGAN):
        """G moves in each 12th step."""

        @dataclass(frozen=True, kw_only=True)
        class Config(DCGAN.Config):
            n_d: int = option(12)

        def d_loss(self, real_scores, fake_scores):
            assert 0 <= self.progress < 1
            return super().d_loss(real_scores, fake_scores)

    contract.check_a_resumed_model_goes_on(Slow)


def test_two_turns_of_d_a_step_show_ada_what_it_needs():
    """After four it counts anew, so that only p tells of them."""

    class Twice(DCGAN):
        """Each step has two turns of D."""

        def turns(self):
            d, g = super().turns()
            return [d, d, g]

    contract.check_every_factor_acts_or_is_skipped(Twice)


class Undocumented(DCGAN):
    """A field without meaning."""

    @dataclass(frozen=True, kw_only=True)
    class Config(DCGAN.Config):
        strength: float = option(1.0)


@pytest.mark.parametrize(
    ("broken", "check", "words"),
    [
        (
            StealsATurn,
            contract.check_each_turn_changes_only_its_player,
            "turn g changed parameters that are not its own",
        ),
        (ForgetsTheHead, contract.check_every_parameter_gets_a_gradient, "no turn trains .*head.weight"),
        (UnseededNoise, contract.check_training_follows_the_seed, "the same seed gave other values"),
        (UnseededNoise, contract.check_generate, "the same rng gave other images"),
        (KeepsStateOutside, contract.check_a_resumed_model_goes_on, "other values of .*discriminator.head.weight"),
        (LeavesTheRange, contract.check_generate, r"left \[-1, 1\]"),
        (
            ShowsADANothing,
            contract.check_every_factor_acts_or_is_skipped,
            r"^augment=ada fails \(AssertionError: ada saw no scores, for no turn calls self.view.observe",
        ),
        (ForgetsThePenalty, contract.check_a_penalty_is_asked_for, "no turn calls `penalty`: add what it gives"),
        (Undocumented, contract.check_config_round_trip, "strength has no meaning"),
    ],
)
def test_broken_algorithms_fail_in_plain_words(broken, check, words):
    with pytest.raises(AssertionError, match=words):
        check(broken)

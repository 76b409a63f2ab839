"""The contract of every algorithm, built-in or a stranger's: checks that raise AssertionError in plain words.

Takes a registered class; each `check_*` stands alone. `CHECKS` holds them all, for the tests and for plugin writers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from gans.base import GAN, Batch
from gans.factors import Factors
from gans.fields import DIGITS, FIELDS, Field
from gans.snapshot import resume, snapshot
from gans.turn import Turn

Check = Callable[[type[GAN]], None]
CHECKS: list[Check] = []


def _check(function: Check) -> Check:
    CHECKS.append(function)
    return function


def home(cls: type[GAN]) -> Field:
    """The field that an algorithm is checked on: digits where it can play on them, else its own first.

    The harness gives a field its content features; here averages of pixels stand in for them.
    """
    field = DIGITS if DIGITS.name in cls.fields else FIELDS[cls.fields[0]]
    return replace(field, content=lambda: nn.AvgPool2d(2)) if field.source else field


def make(cls: type[GAN], seed: int = 0, **config: Any) -> GAN:
    """The algorithm under a seed, in train mode on the CPU."""
    torch.manual_seed(seed)
    gan = cls(cls.Config(**config), home(cls))
    gan.rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    return gan.train()


def real_batch(n: int = 8, field: Field = DIGITS) -> Batch:
    """n made-up reals, always the same, with the labels 0 to 9 in turn and what the field has beside them."""
    generator = torch.Generator().manual_seed(7)
    images = torch.rand(n, *field.shape, generator=generator) * 2 - 1
    labels = torch.arange(n) % 10
    if field.holes:
        known = torch.ones(n, 1, *field.shape[1:])
        known[..., 8:20, 5:17] = 0
        return Batch(images, labels, images * known, known)
    source = torch.rand(n, *field.source, generator=generator) * 2 - 1 if field.source else None
    return Batch(images, labels, source)


def parameters(gan: GAN) -> dict[str, Tensor]:
    """A copy of every parameter."""
    return {name: p.detach().clone() for name, p in gan.named_parameters()}


@_check
def check_each_turn_changes_only_its_player(cls: type[GAN]) -> None:
    """A turn updates parameters of its own optimizer, and no others."""
    gan = make(cls)
    for turn in gan.turns():
        own = {id(p) for p in turn.parameters}
        before = parameters(gan)
        for key, value in turn.take(real_batch(field=gan.field)).items():
            assert value.ndim == 0, f"turn {turn.name}: '{key}' must be a scalar, not of shape {tuple(value.shape)}"
            assert torch.isfinite(value), f"turn {turn.name}: '{key}' is {value.item()}"
        changed = {key: id(p) in own for key, p in gan.named_parameters() if not torch.equal(p, before[key])}
        foreign = [key for key, is_own in changed.items() if not is_own]
        assert not foreign, f"turn {turn.name} changed parameters that are not its own: {foreign}"
        assert changed, f"turn {turn.name} changed nothing"


@_check
def check_every_parameter_gets_a_gradient(cls: type[GAN]) -> None:
    """Every parameter belongs to a turn and gets a finite gradient in it."""
    gan = make(cls)
    keys = {id(p): key for key, p in gan.named_parameters() if p.requires_grad}
    covered: set[int] = set()
    for turn in gan.turns():
        turn.take(real_batch(field=gan.field))
        covered |= {id(p) for p in turn.parameters}
        without = [keys[id(p)] for p in turn.parameters if p.grad is None or not torch.isfinite(p.grad).all()]
        assert not without, f"turn {turn.name} gives no finite gradient to {without}"
    idle = [key for p, key in keys.items() if p not in covered]
    assert not idle, f"no turn trains {idle}"


@_check
def check_a_penalty_is_asked_for(cls: type[GAN]) -> None:
    """Where there is a `penalty` of the algorithm's own, a turn calls it."""
    gan = make(cls)
    asked: list[Tensor] = []

    def penalty(real_images: Tensor, fake_images: Tensor) -> Tensor | None:
        asked.append(real_images)
        return cls.penalty(gan, real_images, fake_images)

    gan.penalty = penalty  # type: ignore[method-assign]
    for turn in gan.turns():
        turn.take(real_batch(field=gan.field))
    assert asked or cls.penalty is GAN.penalty, "no turn calls `penalty`: add what it gives to the loss of `d_turn`"


def trained(cls: type[GAN], seed: int = 0, **config: Any) -> dict[str, Tensor]:
    """Every parameter after two steps in the middle of a training; the factors of `config` at work."""
    gan = make(cls, seed, **config)
    gan.progress = 0.5
    ada = gan.view.ada
    if ada is not None:
        ada.p.fill_(0.75)
    turns = gan.turns()
    for _ in range(2):
        for turn in turns:
            for key, value in turn.take(real_batch(field=gan.field)).items():
                assert torch.isfinite(value), f"turn {turn.name}: '{key}' is {value.item()}"
    # Of four turns of D nothing is left but the step of p.
    shown = ada is None or ada.signs.any() or ada.p != 0.75
    assert shown, "ada saw no scores, for no turn calls self.view.observe(real_scores)"
    return parameters(gan)


@_check
def check_training_follows_the_seed(cls: type[GAN]) -> None:
    """The same seed repeats training exactly; another seed does not."""
    first, again, other = trained(cls), trained(cls), trained(cls, seed=1)
    differing = [key for key in first if not torch.equal(first[key], again[key])]
    assert not differing, f"the same seed gave other values of {differing}: draw all noise from self.rng or torch's own"
    assert any(not torch.equal(first[key], other[key]) for key in first), "another seed changed nothing"


def train(gan: GAN, turns: Sequence[Turn], steps: Iterable[int], last: int) -> None:
    """Takes the steps of these numbers, from 1 to at most `last`, each with the turns that are due in it."""
    for step in steps:
        gan.progress = (step - 1) / last
        for turn in turns:
            if step % turn.every == 0:
                turn.take(real_batch(field=gan.field))


@_check
def check_a_resumed_model_goes_on(cls: type[GAN]) -> None:
    """A model restored in mid-training from its `state_dict` goes on as if it had not stopped."""
    gan = make(cls)
    turns = gan.turns()
    last = max(4, *(turn.every for turn in turns))
    train(gan, turns, (1, 2), last)
    saved = deepcopy(snapshot(gan, turns))
    train(gan, turns, range(3, last + 1), last)
    # Of another seed, lest anything be right by accident.
    other = make(cls, seed=1)
    other_turns = other.turns()
    resume(other, other_turns, saved)
    train(other, other_turns, range(3, last + 1), last)
    expected, found = gan.state_dict(), other.state_dict()
    differing = [key for key, value in expected.items() if not torch.equal(value, found[key])]
    assert not differing, f"a resumed training gave other values of {differing}: keep all state in buffers"
    same = gan.rng is not None and other.rng is not None and torch.equal(gan.rng.get_state(), other.rng.get_state())
    assert same, "a resumed training drew other numbers from self.rng: keep all state in buffers"


@_check
def check_generate(cls: type[GAN]) -> None:
    """`generate` gives one image an element, fixed by `rng` and the source; pixels lie in [-1, 1]."""
    gan = make(cls).eval()

    def generate(seed: int) -> Tensor:
        gan.rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            return gan.generate(batch)

    batch = real_batch(5, gan.field)
    images, shape = generate(3), (5, *gan.field.shape)
    assert images.shape == shape, f"generate gave shape {tuple(images.shape)}, not {shape}"
    assert images.dtype == torch.float32, f"generate gave {images.dtype}, not float32"
    inside = images.abs().max() <= 1 or not gan.field.pixels
    assert inside, f"generate left [-1, 1]: {images.min():.3f} to {images.max():.3f}"
    assert torch.equal(images, generate(3)), "the same rng gave other images: draw latents with self.latent"
    if gan.field.source is None:
        assert not torch.equal(images, generate(4)), "another rng gave the same images"
        return
    batch = real_batch(10, gan.field).rows(slice(5, 10))
    assert not torch.equal(images, generate(3)), "other sources gave the same images"


@_check
def check_labels_matter_where_the_algorithm_says_so(cls: type[GAN]) -> None:
    """`generate` obeys the batch's labels exactly if `conditional` is set."""
    gan = make(cls).eval()
    batch = real_batch(10, gan.field)
    latent = gan.latent(10)
    with torch.no_grad():
        images = gan.generate(batch, latent)
        other = gan.generate(replace(batch, labels=batch.labels.roll(1)), latent)
    differ = not torch.equal(images, other)
    assert differ or not cls.conditional, "`conditional` is set, but other labels gave the same images"
    assert cls.conditional or not differ, "other labels gave other images: set `conditional = True`"
    if cls.conditional:
        assert cls.info.needs_labels, "a conditional algorithm must be registered with needs_labels=True"


@_check
def check_encoders_and_codes(cls: type[GAN]) -> None:
    """`reconstruct`, `back`, `clusters` and `sweeps` give what they promise, or nothing."""
    gan = make(cls).eval()
    batch = real_batch(6, gan.field)
    latent = gan.latent(6)
    with torch.no_grad():
        rebuilt = gan.reconstruct(batch.images)
        assert rebuilt is None or rebuilt.shape == batch.images.shape, "`reconstruct` must give images of equal shape"
        back = gan.back(batch.images)
        fits = back is None or (batch.source is not None and back.shape == batch.source.shape)
        assert fits, "`back` must give images of the source's shape"
        clusters = gan.clusters(latent)
        fits = clusters is None or (clusters.shape == (6,) and clusters.dtype == torch.int64)
        assert fits, "`clusters` must give an int64 for each latent"
        for name, sweep in gan.sweeps(latent).items():
            fits = sweep.ndim == 3 and (sweep.shape[0], *sweep.shape[2:]) == latent.shape
            assert fits, f"the sweep '{name}' must be [N, steps, L], not {tuple(sweep.shape)}"


@_check
def check_uniform_generator_starts_equal(cls: type[GAN]) -> None:
    """Rows on the uniform field start from the same generator under one seed."""
    gan = make(cls)
    if cls.build_generator is GAN.build_generator:
        torch.manual_seed(0)
        reference = GAN(GAN.Config(latent_dim=gan.config.latent_dim), gan.field).generator.state_dict()
        differing = [key for key, value in gan.generator.state_dict().items() if not torch.equal(value, reference[key])]
        assert not differing, f"under one seed G starts otherwise than in other rows: {differing}"


def factors_at_work() -> Iterator[dict[str, Any]]:
    """Every factor by itself, with a value at which it acts on the batch of `real_batch`."""
    strengths = {"pack": 2, "instance_noise": 0.5, "label_smoothing": 0.1, "top_k": 0.5, "feature_matching": True}
    strengths |= {"mode_seeking": 1.0, "latent_step": 0.9, "unroll": 1, "spectral_norm": True}
    for field in fields(Factors):
        spec = Factors.option(field.name)
        if spec.choices:
            yield from ({field.name: value} for value in spec.choices if value != spec.default)
        elif field.name in strengths:
            yield {field.name: strengths[field.name]}


@_check
def check_every_factor_acts_or_is_skipped(cls: type[GAN]) -> None:
    """No factor is silently ignored: each changes the training, or stands in `conflicts` with a reason."""
    default = cls.Config()
    # G's alone, for factors change what D consists of.
    plain = {key: p for key, p in trained(cls).items() if key.startswith("generator.")}
    for factor in factors_at_work():
        ((name, value),) = factor.items()
        config = cls.Config.from_dict(default.to_dict() | factor)
        if config == default or cls.skip(config):
            continue
        try:
            changed = trained(cls, **factor)
        except Exception as error:
            raise AssertionError(
                f"{name}={value} fails ({type(error).__name__}: {error}): make it work or name it in `conflicts`"
            ) from error
        same = all(torch.equal(changed[key], parameter) for key, parameter in plain.items())
        assert not same, f"{name}={value} changes nothing: use the methods of gans.GAN or name it in `conflicts`"


@_check
def check_config_round_trip(cls: type[GAN]) -> None:
    """The Config survives a dict and text, and every field has a meaning and a source."""
    default = cls.Config()
    assert cls.Config.from_dict(default.to_dict()) == default, "the Config does not survive a round trip through a dict"
    for spec in cls.Config.options():
        assert spec.parse(str(spec.default)) == spec.default, f"{spec.name}={spec.default} does not survive as text"
        assert spec.meaning, f"the field {spec.name} has no meaning: declare it with gans.option"
        assert spec.source, f"the default of {spec.name} has no source"


@_check
def check_default_is_not_skipped(cls: type[GAN]) -> None:
    """The default configuration makes sense."""
    reason = cls.skip(cls.Config())
    assert reason is None, f"the default configuration is skipped: {reason}"


@_check
def check_documentation(cls: type[GAN]) -> None:
    """The docstring has a summary sentence, the losses and the deviations."""
    info = cls.info
    assert info.summary.endswith("."), "the class docstring must start with a summary sentence"
    assert info.losses, "the class docstring has no section 'Losses:' with '* ' bullets"
    assert info.deviations, "the class docstring has no section 'Deviations:' with '* ' bullets"
    assert info.paper, "the paper is not named"

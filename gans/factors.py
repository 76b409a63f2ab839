"""Training tricks as factors: settings of every algorithm that change one thing and compose with any score loss.

Takes a configuration, tells which factors are on and which combinations make no sense. What the factors do stands in
`gans.view` (what D sees), `gans.networks` (D's head and spectral norm) and `gans.objectives` (G's turn).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from gans.config import BaseConfig, option

if TYPE_CHECKING:
    from gans.base import GAN

STDDEV_GROUP = 4
"""Images whose standard deviation the head `minibatch=stddev` takes; source: progressive GAN's official code."""
NO_SIGN = {"augment=ada": "ada steers by the sign of D's score on reals, which here does not say how sure D is"}
"""A conflict of losses that do not anchor the score's level at 0."""
CODES = NO_SIGN | {
    "top_k": "D gives codes, which have no order of which top_k could keep the best",
    "latent_step": "D gives codes, which have no order along which latents could rise",
}
"""The conflicts of algorithms whose D gives codes."""
SINGLE_CODES = CODES | {
    "bn": "batch norm in D couples the images of a batch, so codes are none of single images",
    "minibatch": "a minibatch head couples the images of a batch, so codes are none of single images",
}
"""The conflicts of those whose kernel compares the codes of single images."""
REPLACED = "it would replace G's loss, which is all that sets this row apart from nsgan"
"""Why feature matching makes no sense with a row that differs from NSGAN by G's loss alone."""
CLIPPED = {
    "spectral_norm": "spectral norm rescales the weights that are clipped, so the bound has no meaning",
    "unroll": "the steps that are looked ahead would not be clipped",
}
"""The conflicts of algorithms that clip D's weights."""
LIPSCHITZ = {"bn spectral_norm": "batch norm in D rescales what spectral norm has normalised, so D is not Lipschitz"}
"""A conflict of algorithms that claim a Lipschitz D by spectral norm; elsewhere both together are an experiment."""
RISING = "couples images beyond what G's batch norm does, so latents would rise along the scores of others"


@dataclass(frozen=True, kw_only=True)
class Factors(BaseConfig):
    """The factors, each off by default."""

    spectral_norm: bool = option(
        False, "divide every weight of D by its largest singular value", source="off; Miyato et al. 2018"
    )
    minibatch: str = option(
        "none",
        "statistic of the batch that D's head sees beside its features",
        source="off; discrimination: Salimans et al. 2016, stddev: Karras et al. 2018",
        choices=("none", "discrimination", "stddev"),
    )
    pack: int = option(
        1, "images of one kind that D judges together, as channels", source="off; Lin et al. 2018", low=1, high=16
    )
    augment: str = option(
        "none",
        "random changes of the reals and fakes that D sees: diffaugment always, ada adaptively often",
        source="off; Zhao et al. 2020, Karras et al. 2020",
        choices=("none", "diffaugment", "ada"),
    )
    ada_target: float = option(
        0.6, "share of reals scored above 0, less share below, that ada steers to", source="ADA paper", low=0, high=1
    )
    ada_images: int = option(
        500_000, "reals in which ada's probability can rise from 0 to 1", source="ADA paper's code", low=1
    )
    instance_noise: float = option(
        0.0,
        "standard deviation of Gaussian noise on D's inputs at the start; it falls linearly to 0",
        source="off; Sonderby et al. 2016",
        low=0,
    )
    label_smoothing: float = option(
        0.0,
        "share by which the label of reals moves to that of fakes",
        source="off; Salimans et al. 2016",
        low=0,
        high=0.5,
    )
    top_k: float = option(
        1.0,
        "share of the fakes, the best scored, left in G's loss at the end; it falls linearly from 1",
        source="off; Sinha et al. 2020",
        low=0.01,
        high=1,
    )
    feature_matching: bool = option(
        False, "G matches the mean of D's trunk features instead of fooling D", source="off; Salimans et al. 2016"
    )
    mode_seeking: float = option(
        0.0,
        "weight of G's penalty on images that differ less than their latents",
        source="off; Mao et al. 2019",
        low=0,
    )
    latent_step: float = option(
        0.0,
        "step by which latents rise along D's scores before use (alpha)",
        source="off; LOGAN, Wu et al. 2019",
        low=0,
    )
    unroll: int = option(0, "steps of D that G looks ahead", source="off; Metz et al. 2017", low=0, high=20)
    unroll_lr: float = option(
        0.005,
        "learning rate of those steps, plain gradient descent",
        source="ours: such a step is about as long as one of D's Adam at 2e-4",
        low=0,
    )


OFF = {"bn": False, "dropout": 0.0} | {field.name: field.default for field in fields(Factors)}
"""The value of every factor at which it does nothing."""


RULES = {
    "bn latent_step": f"batch norm in D {RISING}",
    "minibatch latent_step": f"a minibatch head {RISING}",
    "feature_matching top_k": "feature matching asks for no scores of which top_k could keep the best",
    "latent_step augment=ada": "the gradient by which latents rise cannot be differentiated through ada",
    "latent_step unroll": "unrolling a D whose fakes depend on D's gradient takes third derivatives",
    "unroll augment=ada": "the steps that are looked ahead would steer ada as if they were taken",
}
"""What makes no sense with any algorithm: conditions -> reason."""
STRENGTHS = {"ada_target": "augment=ada", "ada_images": "augment=ada", "unroll_lr": "unroll"}
"""Settings that mean something only where a factor is on -> this condition."""


def holds(config: BaseConfig, conditions: str) -> bool:
    """Whether all of `conditions` hold: 'field' for a factor or weight that is on, 'field=value' for this value."""
    for condition in conditions.split():
        name, separator, value = condition.partition("=")
        setting = getattr(config, name)
        if str(setting) != value if separator else setting == OFF.get(name, 0):
            return False
    return True


def conflict(config: GAN.Config, conflicts: dict[str, str]) -> str | None:
    """Why the factors that are on make no sense together or, by `conflicts` (conditions -> reason), with the algorithm.

    None where they do.
    """
    for conditions, reason in [*conflicts.items(), *RULES.items()]:
        if holds(config, conditions):
            return reason
    for name, condition in STRENGTHS.items():
        # Such a cell trains as the one of the class's default does.
        if not holds(config, condition) and getattr(config, name) != getattr(type(config), name):
            return f"{name} changes nothing without {condition}; leave it out where that is off"
    if config.batch_size % config.pack:
        return f"batch_size {config.batch_size} is no multiple of pack {config.pack}"
    if config.batch_size == config.pack:
        return f"batch_size {config.batch_size} makes one pack of {config.pack}; a batch needs two or more"
    if config.minibatch == "stddev" and config.batch_size // config.pack % STDDEV_GROUP:
        return f"minibatch=stddev needs a multiple of {STDDEV_GROUP} images, or packs of them, in a batch"
    return None

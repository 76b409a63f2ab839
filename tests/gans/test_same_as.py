"""Rows flagged as the same mathematics are the same: one trains into the other."""

import re

import pytest
import torch

import gans
from gans import contract

BULLET = r"`(?P<name>\w+)`(?: (?:with|for) (?P<settings>[^:]+))?: (?P<how>.+)"


def claims():
    for name in gans.names():
        for item in gans.get(name).info.same_as:
            yield pytest.param(name, item, id=f"{name} {item.partition(':')[0]}")


def parsed(cls, text):
    assignments = re.split(r", | and ", text or "")
    pairs = [assignment.split("=") for assignment in assignments if assignment]
    return {field: cls.Config.option(field).parse(value) for field, value in pairs}


def trained(name, **config):
    gan = contract.make(gans.get(name), **config)
    turns = gan.turns()
    for step in range(2):
        gan.progress = step / 2
        for turn in turns:
            turn.take(contract.real_batch(16, gan.field))
    return contract.parameters(gan)


@pytest.mark.parametrize(("name", "item"), list(claims()))
def test_each_claim_names_a_row_and_settings_that_exist(name, item):
    claim = re.fullmatch(BULLET, item)
    assert claim is not None, item
    other = gans.get(claim["name"])
    if "bit for bit" in claim["how"]:
        settings = parsed(other, claim["settings"])
        if "only what is judged" not in claim["how"]:
            assert other.Config(**settings).to_dict() == gans.get(name).Config().to_dict()
        mine, theirs = trained(name), trained(claim["name"], **settings)
        assert all(torch.equal(mine[key], theirs[key]) for key in theirs)
        assert set(mine) == set(theirs)
    else:
        parsed(gans.get(name), claim["settings"])


def test_the_list_of_equal_rows_is_complete():
    """A row that trains as another does says so of one of them."""
    groups = {}
    for name in gans.names():
        weights = trained(name)
        key = tuple((k, weights[k].double().sum().item()) for k in sorted(weights) if k.startswith("generator"))
        groups.setdefault(key, []).append(name)
    for group in groups.values():
        for name in group:
            said = " ".join(gans.get(name).info.same_as)
            assert len(group) == 1 or any(f"`{other}`" in said for other in group if other != name), group


@pytest.mark.parametrize(("g_loss", "other"), [("variant", "nsgan"), ("exact", "mmgan")])
def test_fgan_with_js_has_the_losses_of_the_first_gans_up_to_constants(g_loss, other):
    scores = torch.linspace(-3, 3, 7).requires_grad_()
    fgan = contract.make(gans.get("fgan"), divergence="js", g_loss=g_loss)
    first = contract.make(gans.get(other))
    real = scores + 0.5
    d = torch.autograd.grad(fgan.d_loss(real, scores) - first.d_loss(real, scores), scores)[0]
    g = torch.autograd.grad(fgan.g_loss(scores) - first.g_loss(scores), scores)[0]
    torch.testing.assert_close(d, torch.zeros(7), rtol=0, atol=1e-7)
    torch.testing.assert_close(g, torch.zeros(7), rtol=0, atol=1e-7)

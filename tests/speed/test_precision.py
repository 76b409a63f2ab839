"""bf16 is asked for, computed where it should be, and refused where the device has none."""

import pytest
import torch

import gans
from bench import precision
from bench.errors import BenchError
from bench.precision import in_precision, products, supports
from bench.speed.step import our_loop
from gans import GAN, Turn, contract

CPU = torch.device("cpu")


def test_full_precision_leaves_the_turn_alone():
    turn = contract.make(gans.get("dcgan")).turns()[0]
    assert in_precision(turn, CPU, "fp32") is turn


def test_float32_is_float32_and_tf32_is_asked_for():
    """What a CUDA device would do, which torch remembers without one."""
    conv, matmul = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = conv.fp32_precision, matmul.fp32_precision
    with products("tf32"):
        assert (conv.fp32_precision, matmul.fp32_precision) == ("tf32", "tf32")
        with products("fp32"):
            assert (conv.fp32_precision, matmul.fp32_precision) == ("ieee", "ieee")
        with products("bf16"):
            assert (conv.fp32_precision, matmul.fp32_precision) == ("ieee", "ieee")
        assert conv.fp32_precision == "tf32"
    assert (conv.fp32_precision, matmul.fp32_precision) == before
    assert not supports(CPU, "tf32")


def test_each_step_is_taken_in_its_precision(monkeypatch):
    seen = []

    def note(self, batch, honest=Turn.take):
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return honest(self, batch)

    monkeypatch.setattr(Turn, "take", note)
    for chosen in ("fp32", "tf32"):
        loop = our_loop("dcgan", 4, CPU, chosen)
        loop.run(1)
    assert seen == ["ieee", "ieee", "tf32", "tf32"]


def kinds(**modules):
    """What each of the modules gives from now on: name -> dtype."""
    seen = {}
    for name, module in modules.items():

        def note(_module, _inputs, output, name=name):
            seen[name] = output.dtype

        module.register_forward_hook(note)
    return seen


def test_convolutions_are_bf16_and_what_decides_is_not():
    gan = contract.make(gans.get("dcgan"))
    g, d = gan.generator, gan.discriminator
    seen = kinds(up=g.upsample[0], trunk=d.trunk, images=g, scores=d)
    for turn in gan.turns():
        scalars = in_precision(turn, CPU, "bf16").take(contract.real_batch())
        assert {value.dtype for value in scalars.values()} == {torch.float32}
    assert seen == {"up": torch.bfloat16, "trunk": torch.bfloat16, "images": torch.float32, "scores": torch.float32}
    assert {p.dtype for p in gan.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in d.parameters()} == {torch.float32}


BUILDS = ("build_generator", "build_discriminator", "new_discriminator")


def brings_nets(name):
    cls = gans.get(name)
    return any(getattr(cls, build) is not getattr(GAN, build) for build in BUILDS)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("name", ["wgan_gp", *filter(brings_nets, gans.names())])
def test_every_net_takes_steps_in_bf16(name, device):
    """Each turn's loss is finite, and within bf16's eight bits near that of float32; most rows share their nets."""
    losses = []
    for chosen in ("fp32", "bf16"):
        gan = contract.make(gans.get(name)).to(device)
        gan.rng = torch.Generator(device).manual_seed(0)
        turns = [in_precision(turn, gan.device, chosen) for turn in gan.turns()]
        batch = contract.real_batch(field=gan.field).to(device)
        losses.append([turn.take(batch)["loss"] for turn in turns])
    for full, half in zip(*losses, strict=True):
        assert half.isfinite()
        assert (full - half).abs() < 0.1 * full.abs() + 0.1


@pytest.mark.parametrize("name", ["pggan", "bigan", "vae", "pix2pix", "infogan", "began"])
def test_heads_are_float32_in_every_net(name):
    """The head of D, of an encoder, and what reads codes."""
    gan = contract.make(gans.get(name))
    parts = {key: module for key, module in gan.named_modules() if key.rpartition(".")[2] in ("head", "q", "code")}
    seen = kinds(**{key.replace(".", "_"): module for key, module in parts.items()})
    for turn in gan.turns():
        in_precision(turn, CPU, "bf16").take(contract.real_batch(field=gan.field))
    assert parts and set(seen.values()) == {torch.float32}


@pytest.mark.parametrize("name", [name for name in gans.names() if "curves" not in gans.get(name).fields[:1]])
def test_images_are_float32_in_every_row(name):
    gan = contract.make(gans.get(name))
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert gan.generate(contract.real_batch(field=gan.field)).dtype == torch.float32


def test_a_device_without_bf16_refuses_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False, "amx_bf16": False})
    assert supports(CPU, "fp32")
    assert not supports(CPU, "bf16")
    with pytest.raises(BenchError, match="--precision bf16: this cpu has no such arithmetic"):
        precision.check(CPU, "bf16")
    precision.check(CPU, "fp32")


def test_a_device_with_bf16_takes_it(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    precision.check(CPU, "bf16")


def test_an_unknown_precision_is_refused_with_those_allowed():
    with pytest.raises(BenchError, match="--precision fp64: allowed is fp32, tf32, bf16"):
        precision.check(CPU, "fp64")

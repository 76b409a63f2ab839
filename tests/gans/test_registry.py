"""Names: near ones are suggested, taken and ill-formed ones refused; plugins may ask for names while they load."""

import os
import re
import subprocess
import sys

import pytest

import gans
from gans import GAN, ConfigError, RegistrationError, UnknownAlgorithm, register

WORDS = {"family": "test", "year": 2024, "paper": "none, arXiv:0000.00000"}


@pytest.mark.parametrize(
    ("typo", "meant"), [("wgangp", "wgan_gp"), ("dcgna", "dcgan"), ("ls_gan", "lsgan"), ("WGAN_GP", "wgan_gp")]
)
def test_unknown_name_suggests_the_nearest(typo, meant):
    with pytest.raises(UnknownAlgorithm, match=rf"unknown algorithm '{typo}'; did you mean .*'{meant}'"):
        gans.get(typo)


def test_unknown_name_with_no_neighbour_says_where_all_are():
    with pytest.raises(UnknownAlgorithm) as error:
        gans.get("zzzzzz")
    assert str(error.value) == f"unknown algorithm 'zzzzzz'; {len(gans.names())} are known ('bench list' shows all)"


def test_a_family_tells_its_members():
    with pytest.raises(UnknownAlgorithm, match=r"'autoencoder' is a family of algorithms: ebgan, began, magan; name"):
        gans.get("autoencoder")


def test_taken_name_is_refused_and_says_by_whom():
    with pytest.raises(RegistrationError, match=r"'dcgan' is already registered by gans.standard.dcgan"):
        register("dcgan", **WORDS)(type("Mine", (GAN,), {}))


@pytest.mark.parametrize("name", ["", "Big", "with space", "-x", "a/b", "1gan"])
def test_ill_formed_name_is_refused(name):
    with pytest.raises(RegistrationError, match="lower-case"):
        register(name, **WORDS)(type("Mine", (GAN,), {}))


def test_other_classes_are_refused():
    with pytest.raises(RegistrationError, match=r"subclass of gans\.GAN"):
        register("mine", **WORDS)(dict)


def test_a_class_that_has_a_name_is_refused_a_second_one():
    nsgan = gans.get("nsgan")
    with pytest.raises(RegistrationError, match="NSGAN is registered as 'nsgan' already; register a subclass"):
        register("mine", **WORDS)(nsgan)
    assert nsgan.info.name == "nsgan"
    assert "mine" not in gans.names()


def test_plugins_may_ask_for_names_while_they_are_loaded(tmp_path):
    """A function that subclasses one algorithm found by name and one of a plugin that is still to come."""
    (tmp_path / "first.py").write_text(
        "import gans\n"
        f"words = {WORDS!r}\n"
        "def add():\n"
        "    for name in ('nsgan', 'second'):\n"
        "        gans.register(f'my_{name}', **words)(type('Mine', (gans.get(name),), {}))\n"
    )
    (tmp_path / "second.py").write_text(
        f"import gans\n@gans.register('second', **{WORDS!r})\nclass Second(gans.get('nsgan')):\n    pass\n"
    )
    metadata = tmp_path / "asking-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: asking\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[gans.algorithms]\nfirst = first:add\nsecond = second\n")
    script = "import gans; print(*sorted({'my_nsgan', 'my_second', 'second', 'wgan'} & set(gans.names())))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (ended.stdout, ended.stderr) == ("my_nsgan my_second second wgan\n", "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class Mine\n", r"SyntaxError: expected ':' \(mine.py, line 1\)"),
        ("\nimport relux\n", r"ModuleNotFoundError: No module named 'relux' \(.*mine.py, line 2\)"),
    ],
)
def test_a_file_of_a_family_that_cannot_be_imported_is_named_with_its_line(tmp_path, source, said):
    family = tmp_path / "own"
    family.mkdir()
    (family / "__init__.py").touch()
    (family / "mine.py").write_text(source)
    script = (
        f"import gans\ngans.__path__.append({str(tmp_path)!r})\ntry: gans.names()\nexcept gans.GANError as e: print(e)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert re.fullmatch(rf"gans.own.mine cannot be imported: {said}; mend its file or move it away\n", ended.stdout)


def test_unknown_track_is_refused():
    with pytest.raises(RegistrationError, match="unknown track 'x'; one of noise-to-image"):
        register("mine", track="x", **WORDS)(type("Mine", (GAN,), {}))
    assert "mine" not in gans.names()


class TestConfig:
    config = gans.get("wgan_gp").Config

    def test_subclass_inherits_meaning_and_range_of_a_changed_default(self):
        spec = self.config.option("lr_g")
        assert (spec.default, spec.low, spec.meaning) == (1e-4, 0, "learning rate of G")
        assert spec.source == "official gan_mnist.py"

    @pytest.mark.parametrize(
        ("field", "text", "value"),
        [
            ("bn", "on", True),
            ("bn", "FALSE", False),
            ("lr_g", "3e-4", 3e-4),
            ("n_d", " 2 ", 2),
            ("lambda_gp", "1", 1.0),
        ],
    )
    def test_text_is_typed(self, field, text, value):
        parsed = self.config.option(field).parse(text)
        assert parsed == value
        assert type(parsed) is type(value)

    @pytest.mark.parametrize(
        ("field", "text", "allowed"),
        [
            ("bn", "maybe", "on or off"),
            ("n_d", "0", "a whole number of at least 1"),
            ("n_d", "1.5", "a whole number"),
            ("lr_g", "fast", "a number of at least 0"),
            ("lr_g", "nan", "a number"),
            ("lr_g", "inf", "a number"),
            ("dropout", "0.95", "at most 0.9"),
        ],
    )
    def test_what_is_not_allowed_is_one_line(self, field, text, allowed):
        with pytest.raises(ConfigError) as error:
            self.config.option(field).parse(text)
        assert f"{field}={text}: allowed is" in str(error.value)
        assert allowed in str(error.value)

    def test_choices_are_listed(self):
        with pytest.raises(ConfigError, match="coding=x: allowed is one of binary, chi2, tutorial"):
            gans.get("lsgan").Config(coding="x")

    def test_misspelt_field_suggests_the_nearest(self):
        with pytest.raises(ConfigError, match=r"unknown field 'lamda_gp'; did you mean 'lambda_gp'"):
            self.config.from_dict({"lamda_gp": 1.0})

    def test_is_frozen_and_hashable(self):
        assert hash(self.config()) == hash(self.config())
        with pytest.raises(AttributeError):
            self.config().bn = True

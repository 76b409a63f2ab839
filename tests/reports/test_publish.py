"""docs/publish.py: what of a store is committed."""

import io

import pytest
from pages import script
from PIL import Image

import gans
from bench.environment import code


@pytest.fixture(scope="module")
def publish():
    return script("publish")


def test_older_code_stands_only_where_a_cell_has_nothing_else(publish, builder):
    today = code(gans.get("dcgan"))
    builder.references()
    builder.skip()
    builder.trial("dcgan", True, 0, 20.0, pictures=False, code=today)
    builder.trial("dcgan", True, 1, 21.0, pictures=False, code="older")
    builder.trial("dcgan", False, 0, 22.0, pictures=False, code="older")
    builder.trial("dcgan", False, 1, None, pictures=False, code="older")
    builder.trial("dcgan", False, 2, 23.0, pictures=False, status="failed", code=today)
    builder.trial("dcgan", False, 3, 23.0, pictures=False, status="interrupted", code=today)
    builder.protocol(1_000, "20 steps")
    builder.references()
    builder.trial("dcgan", True, 0, 200.0, pictures=False, preset="smoke", code=today)
    kept = publish.kept(builder.results().trials)
    assert kept.loc[kept["kind"] == "reference", "cell"].tolist() == ["real train digits", "untrained generator"]
    trials = kept[kept["kind"] != "reference"]
    assert list(zip(trials["cell"], trials["seed"], strict=True)) == [
        ("dcgan bn=on", 0),
        ("dcgan bn=off", 0),
        ("dcgan bn=off", 1),
    ]


class TestAnimation:
    def test_shows_every_cell_of_the_first_seed_that_has_them_all(self, publish, builder):
        for name in publish.SHOWN:
            for bn in (True, False):
                builder.trial(name, bn, 0, 20.0, pictures=name != "wgan")
                builder.trial(name, bn, 1, 20.0)
        results = builder.results()
        content = publish.animation(results)
        with Image.open(io.BytesIO(content)) as moving:
            assert moving.n_frames == 2, "of three pictures the last and the one before the one before it"
            width, height = moving.size
        run = results.trials.query("cell == 'dcgan bn=on' and seed == 1")["run_id"].iloc[0]
        (one, *_) = publish.film("dcgan bn=on", results.artifact(run, "training.gif"))
        assert (height, width) == (2 * one.shape[0], len(publish.SHOWN) * one.shape[1])

    def test_is_none_where_a_cell_is_missing(self, publish, builder):
        for name in publish.SHOWN:
            builder.trial(name, True, 0, 20.0)
        assert publish.animation(builder.results()) is None

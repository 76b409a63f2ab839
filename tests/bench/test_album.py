"""The pictures beside an exported file: named for good, seen by the report, carried from store to store."""

import io

import numpy as np
import pytest
from PIL import Image
from stores import record, reference, trial

from bench import album, results
from bench.errors import BenchError
from bench.frames import write
from bench.merge import merge
from bench.pictures import SAMPLES, png_bytes


@pytest.fixture
def exported(tmp_path):
    """Writes a store to a file with its album; gives the file."""

    def export(store, name="theirs.parquet"):
        loaded = results.load(store.uri)
        write(loaded.trials, loaded.curves, tmp_path / name)
        album.write(loaded, tmp_path / name)
        return tmp_path / name

    return export


def pictures(file):
    return {path.name: path.read_bytes() for path in album.folder(file).iterdir()}


def test_what_has_a_picture_in_the_store_has_it_in_the_album(store, exported):
    loaded, file = results.load(store.uri), exported(store)
    kinds = loaded.trials.set_index("run_id")["kind"]
    shown = {run_id for run_id in kinds.index if loaded.artifact(run_id, SAMPLES)}
    assert set(kinds[list(shown)]) == {"trial"}, "no picture was recorded for the reference of this store"
    again = results.load(file)
    assert {run_id for run_id in kinds.index if again.artifact(run_id, SAMPLES)} == shown
    fingerprint = loaded.trials.set_index("cell").loc["dcgan bn=on", "fingerprint"]
    assert f"dcgan-bn-on-0-{fingerprint[:8]}.png" in pictures(file)
    assert again.artifacts(next(iter(shown)), "latent") == []


def test_pictures_have_sixteen_shades_and_else_are_the_stores(new_store, exported):
    here = new_store("here")
    run_id = record(here, trial(), 20.0)
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    archive = results.load(here.uri).archives[run_id]
    archive.fetch(run_id, SAMPLES, "").write_bytes(png_bytes(shades))
    (content,) = pictures(exported(here)).values()
    seen = np.asarray(Image.open(io.BytesIO(content)))
    assert seen.shape == shades.shape
    assert len(np.unique(seen)) == 16
    assert np.abs(seen.astype(int) - shades).max() <= 8
    assert album.reduced(content) == content, "a second time changes nothing"


def test_they_travel_through_another_store_under_the_same_names(store, new_store, exported):
    file = exported(store)
    here = new_store("other machine")
    merge(results.from_file(file), here)
    assert pictures(exported(here, "again.csv")) == pictures(file)


def test_a_store_beside_its_export_gives_the_whole_files(store, exported):
    file = exported(store)
    for sources in ((store.uri, file), (file, store.uri)):
        loaded = results.load(*sources)
        assert not any(isinstance(archive, album.Album) for archive in loaded.archives.values())


def test_two_seeds_and_two_groups_of_one_name_have_names_of_their_own(new_store, exported):
    here = new_store("here")
    for seed in (0, 1):
        record(here, trial(seed=seed), 20.0 + seed)
    reference(here)
    assert len(pictures(exported(here))) == 2
    loaded = results.load(here.uri).trials
    assert len(set(dict(album.names(loaded)).values())) == len(loaded)


def test_an_export_leaves_no_picture_of_an_earlier_one(store, new_store, exported):
    file = exported(store)
    (album.folder(file) / "notes.txt").write_text("mine")
    here = new_store("here")
    record(here, trial("lsgan"), 20.0)
    exported(here)
    left = sorted(pictures(file))
    assert len(left) == 2
    assert left[0].startswith("lsgan-bn-on-0-")
    assert left[1] == "notes.txt"


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(album.LARGEST)])
def test_what_is_no_picture_is_not_shown(store, exported, content):
    file = exported(store)
    for path in album.folder(file).iterdir():
        path.write_bytes(content)
    loaded = results.load(file)
    assert all(loaded.artifact(run_id, SAMPLES) is None for run_id in loaded.trials["run_id"])


def test_a_damaged_picture_of_a_store_is_one_line(new_store, exported):
    here = new_store("here")
    run_id = record(here, trial(), 20.0)
    results.load(here.uri).archives[run_id].fetch(run_id, SAMPLES, "").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    with pytest.raises(BenchError, match="damaged"):
        exported(here)

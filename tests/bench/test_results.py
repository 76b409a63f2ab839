"""One door: stores, experiments, exported files, one or several, and stores that were copied to another machine."""

import errno
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from stores import copy_of, fill, record, reference, skip, trial

from bench import results
from bench.errors import BenchError
from bench.frames import write
from bench.stored import find_run
from bench.track import Store, shown
from reports import html


def same_rows(left, right, without=()):
    """Equal trials, whatever their order and the columns of `without`."""
    frames = [
        frame.sort_values(["kind", "cell", "seed"], ignore_index=True).drop(columns=list(without))
        for frame in (left, right)
    ]
    pd.testing.assert_frame_equal(*frames, check_exact=True, check_like=True)


def test_a_store_by_address_folder_and_file_is_the_same(store, folder):
    expected = results.load(store.uri)
    assert len(expected.trials) == 4
    for source in (str(folder), folder / "mlflow.db", f"{folder}#bench", f"{store.uri}#bench"):
        loaded = results.load(source)
        same_rows(loaded.trials, expected.trials)
        assert loaded.store == store.uri


def test_the_experiment_behind_the_hash_wins_over_the_default(new_store):
    record(new_store("here"), trial(seed=4), 40.0)
    store = new_store("here", "other")
    record(store, trial(seed=5), 50.0)
    loaded = results.load(f"{store.uri}#other", experiment="bench")
    assert list(loaded.trials["seed"]) == [5]
    assert loaded.experiment == "other"


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_exported_file_is_the_store_without_its_pictures(store, tmp_path, ending):
    loaded = results.load(store.uri)
    write(loaded.trials, loaded.curves, tmp_path / f"all.{ending}")
    read = results.load(tmp_path / f"all.{ending}")
    pd.testing.assert_frame_equal(read.trials.drop(columns="imported"), loaded.trials.drop(columns="imported"))
    pd.testing.assert_frame_equal(read.curves, loaded.curves, check_exact=True)
    assert set(read.trials["imported"]) == {f"all.{ending}"}
    run_id = read.trials["run_id"].iloc[-1]
    assert loaded.artifact(run_id, "samples.png")
    assert read.artifact(run_id, "samples.png") is None
    assert read.artifacts(run_id, "latent") == []


def test_two_stores_make_the_report_of_one_store_with_the_same_runs(new_store, monkeypatch):
    """Each seed on a machine of its own; the store that holds both was written in one go."""
    fixed = iter(range(1_700_000_000_000, 1_800_000_000_000, 60_000))
    started = {}
    add = Store.add

    def at(self, name, kind, parent=None, tags=None, _=None):
        return add(self, name, kind, parent, tags, started.setdefault(name, next(fixed)))

    monkeypatch.setattr(Store, "add", at)
    both, first, second = fill(new_store("both"), (0, 1)), fill(new_store("a"), (0,)), fill(new_store("b"), (1,))
    one, merged = results.load(both.uri), results.load(first.uri, second.uri)
    same_rows(merged.trials, one.trials, without=["run_id", "parent_id"])
    assert merged.store == f"{first.uri}, {second.uri}"
    assert len(merged.curves) == len(one.curves)
    pages = [html.render(loaded).replace(loaded.store, "STORE") for loaded in (one, merged)]
    for loaded, i in ((one, 0), (merged, 1)):
        for run_id in loaded.trials["run_id"]:
            pages[i] = pages[i].replace(run_id, "RUN").replace(run_id[:8], "RUN")
    assert pages[0].splitlines() == pages[1].splitlines()


def test_a_store_and_its_export_count_once_and_keep_the_pictures(store, tmp_path):
    loaded = results.load(store.uri)
    write(loaded.trials, loaded.curves, tmp_path / "all.csv")
    for sources in ((store.uri, tmp_path / "all.csv"), (tmp_path / "all.csv", store.uri)):
        merged = results.load(*sources)
        pd.testing.assert_frame_equal(merged.trials, loaded.trials, check_exact=True)
        assert len(merged.curves) == len(loaded.curves)
        assert merged.artifact(merged.trials["run_id"].iloc[-1], "samples.png")


def test_a_repeat_elsewhere_counts_once_and_the_last_that_finished_stays(new_store):
    first, second = new_store("a"), new_store("b")
    record(first, trial(), 21.0)
    record(second, trial(), 99.0, status="failed")
    merged = results.load(first.uri, second.uri)
    assert list(merged.trials["fid"]) == [21.0]
    assert set(merged.curves["run_id"]) == set(merged.trials["run_id"])


def test_a_later_divergence_is_not_hidden_by_an_earlier_finish(new_store):
    store = new_store("here")
    record(store, trial(), 21.0)
    record(store, trial(), 99.0, status="diverged")
    assert list(results.load(store.uri).trials["status"]) == ["diverged"]


def test_who_only_reads_makes_no_database(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nothing.db")
    for sources in ((), ("sqlite:///typo.db",)):
        with pytest.raises(BenchError, match=r"nothing\.db|typo\.db"):
            results.load(*sources)
    with pytest.raises(BenchError, match=r"no trial with a run id that starts with 'abc': there is no nothing\.db yet"):
        find_run("abc")
    assert not list(tmp_path.iterdir())


def test_a_password_is_not_shown():
    uri = "postgresql+psycopg2://me:secret@host:5432/mlflow"
    assert shown(uri) == "postgresql+psycopg2://host:5432/mlflow"
    assert shown("http://me@host:5000/a@b") == "http://host:5000/a@b"
    assert shown("sqlite:////data/a@b/mlflow.db") == "sqlite:////data/a@b/mlflow.db"
    with pytest.raises(BenchError) as refusal:
        results.load("http://me:secret@127.0.0.1:9")
    assert "secret" not in str(refusal.value)


def test_references_and_skips_of_several_stores_are_one_row_each(new_store):
    stores = [new_store("a"), new_store("b")]
    for each in stores:
        reference(each)
        skip(each)
    merged = results.load(*(each.uri for each in stores))
    assert sorted(merged.trials["kind"]) == ["reference", "skip"]


def test_a_run_that_has_only_begun_is_no_row_yet(new_store):
    store = new_store("here")
    store.add("just now", "trial")
    reference(store)
    assert list(results.load(store.uri).trials["kind"]) == ["reference"]


@pytest.fixture(scope="module")
def moved(empty_store, tmp_path_factory):
    """A store that was copied to a folder that MLflow has never heard of, and the page it made in its first place."""
    origin, place = tmp_path_factory.mktemp("origin"), tmp_path_factory.mktemp("elsewhere") / "copy"
    store = fill(copy_of(empty_store, origin))
    page = html.render(results.load(store.uri)).replace(store.uri, "STORE")
    shutil.copytree(origin, place)
    shutil.rmtree(origin)
    return place, page


class TestMoved:
    """Its first place is gone."""

    def test_the_report_is_the_same(self, moved):
        place, page = moved
        loaded = results.load(place)
        assert "data:image/png" in page
        assert html.render(loaded).replace(loaded.store, "STORE") == page

    def test_weights_and_folders_are_found(self, moved, monkeypatch, tmp_path):
        place, _ = moved
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/mlflow.db")
        archive, run = find_run(results.load(place).trials["run_id"].iloc[-1])
        found = archive.fetch(run.info.run_id, "samples.png", str(tmp_path))
        assert found.is_relative_to(place)
        assert archive.list(run.info.run_id, "latent") == ["latent/interpolation.png"]
        assert archive.fetch(run.info.run_id, "weights.safetensors", str(tmp_path)) is None

    def test_without_its_files_it_has_figures_and_no_pictures(self, moved, tmp_path):
        shutil.copy(moved[0] / "mlflow.db", tmp_path)
        loaded = results.load(tmp_path)
        assert loaded.trials["fid"].notna().sum() == 3
        assert loaded.artifact(loaded.trials["run_id"].iloc[-1], "samples.png") is None

    def test_a_new_run_must_not_write_to_where_the_store_came_from(self, moved, monkeypatch):
        place, _ = moved
        monkeypatch.chdir(place)
        with pytest.raises(BenchError, match=r"was moved or copied here, but MLflow would .* another --experiment"):
            Store("bench", f"sqlite:///{place}/mlflow.db")
        record(Store("next", f"sqlite:///{place}/mlflow.db"), trial(seed=7), 30.0)
        both = results.load(place, f"{place}#next")
        assert sorted(both.trials["seed"].dropna()) == [0, 0, 7]
        assert all(both.artifact(row, "samples.png") for row in both.trials.query("kind == 'trial'")["run_id"])


class TestCopied:
    """Its first place is still there."""

    @pytest.fixture
    def places(self, empty_store, tmp_path):
        origin, copy = tmp_path / "origin", tmp_path / "copy"
        origin.mkdir()
        fill(copy_of(empty_store, origin))
        shutil.copytree(origin, copy)
        return origin, copy

    def test_a_new_run_must_not_write_into_the_original(self, places):
        origin, copy = places
        with pytest.raises(BenchError, match=rf"was moved or copied here, but .* \({origin}/mlruns/\d+\); choose"):
            Store("bench", f"sqlite:///{copy}/mlflow.db")
        Store("bench", f"sqlite:///{origin}/mlflow.db")

    @pytest.mark.parametrize("with_files", [True, False])
    def test_the_original_may_be_another_user_s(self, places, monkeypatch, with_files):
        origin, copy = places
        honest = Path.stat

        def stat(self, **options):
            if self.is_relative_to(origin):
                raise PermissionError(errno.EACCES, "Permission denied")
            return honest(self, **options)

        monkeypatch.setattr(Path, "stat", stat)
        if not with_files:
            shutil.rmtree(copy / "mlruns")
        loaded = results.load(copy)
        run_id = loaded.trials["run_id"].iloc[-1]
        assert (loaded.artifact(run_id, "samples.png") is not None) == with_files
        assert loaded.artifacts(run_id, "latent") == ["latent/interpolation.png"] * with_files
        with pytest.raises(BenchError, match="was moved or copied here"):
            Store("bench", f"sqlite:///{copy}/mlflow.db")

    def test_its_place_may_have_any_name(self, places, tmp_path):
        place = places[1].rename(tmp_path / "run #1, 50 %")
        shutil.rmtree(places[0])
        loaded = results.load(place)
        assert loaded.artifact(loaded.trials["run_id"].iloc[-1], "samples.png")
        assert not (tmp_path / "run ").exists()

    def test_what_a_process_that_died_was_writing_is_taken_back(self, places, tmp_path):
        expected = results.load(places[1]).trials
        with closing(sqlite3.connect(places[1] / "mlflow.db")) as database:
            database.execute("PRAGMA cache_size = 1")
            database.execute("UPDATE tags SET value = value || 'half'")
            database.execute("UPDATE metrics SET value = 0")
            for path in places[1].glob("mlflow.db*"):
                shutil.copy(path, tmp_path)
            database.rollback()
        assert (tmp_path / "mlflow.db-journal").stat().st_size
        same_rows(results.load(tmp_path).trials, expected)


def test_files_of_a_server_lie_beside_its_database(new_store, tmp_path):
    """`mlflow server` notes addresses without a folder and puts the files into mlartifacts."""
    folder, run_id = tmp_path / "here", record(new_store("here"), trial(), 20.0)
    with sqlite3.connect(folder / "mlflow.db") as database:
        (noted,) = database.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
        address = f"mlflow-artifacts:/{noted.partition('mlruns/')[2]}"
        database.execute("UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", [address, run_id])
    (folder / "mlruns").rename(folder / "mlartifacts")
    assert results.load(folder).artifact(run_id, "samples.png")


class TestRefused:
    @pytest.mark.parametrize(("tag", "value"), [("year", "9" * 30), ("seed", "four"), ("config", "[" * 9_999)])
    def test_a_run_that_no_bench_wrote(self, new_store, tag, value):
        store = new_store("here")
        store.write(record(store, trial(), 20.0), tags={tag: value}, params={})
        with pytest.raises(BenchError, match=r"a run in the store is none of this version of bench .*; delete it, or"):
            results.load(store.uri)

    def test_a_folder_without_a_store(self, tmp_path):
        with pytest.raises(BenchError, match=r"no such file; allowed are a tracking URI"):
            results.load(tmp_path)

    @pytest.mark.parametrize(
        "source", ["a" * 5000, "a" * 5000 + "#bench", "sqlite:///" + "a" * 5000, "a" * 5000 + ".csv"]
    )
    def test_a_name_that_is_too_long_for_any_file(self, source, command):
        code, _, err = command("report", "--from", source)
        assert (code, err.count("\n")) == (2, 1)

    def test_a_file_that_is_no_database(self, tmp_path):
        (tmp_path / "notes.txt").write_text("figures")
        with pytest.raises(BenchError, match=r"notes.txt is no MLflow store: file is not a database"):
            results.load(tmp_path / "notes.txt")

    def test_another_program_s_database_is_left_alone(self, tmp_path):
        with sqlite3.connect(tmp_path / "photos.db") as database:
            database.execute("CREATE TABLE photos (id INTEGER)")
        before = (tmp_path / "photos.db").read_bytes()
        for source in (tmp_path / "photos.db", f"sqlite:///{tmp_path}/photos.db"):
            with pytest.raises(BenchError, match=r"photos.db is no MLflow store: no such table: experiments"):
                results.load(source)
        assert (tmp_path / "photos.db").read_bytes() == before

    def test_an_experiment_of_a_file(self, tmp_path):
        with pytest.raises(BenchError, match="holds no experiments; leave '#bench' out"):
            results.load(f"{tmp_path}/all.csv#bench")

    def test_an_experiment_that_is_not_there(self, store, folder):
        with pytest.raises(BenchError, match=r"no experiment 'other' in .*it has: bench"):
            results.load(f"{folder}#other")

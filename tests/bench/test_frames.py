"""Exported files: every value comes back as it was, and what is no such file is refused in one line."""

import hashlib
import json
import math
from dataclasses import fields

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import PROTOCOL

from bench import frames
from bench.columns import CURVES, TRIALS, typed
from bench.columns import PROTOCOL as PROTOCOL_COLUMNS
from bench.errors import BenchError
from bench.protocol import Protocol

NASTY = ['a, "b"', "NA", "nan", "None", "", " x ", "two\nlines", "a\rb", "00123", "1e5", "=1+1", "Fréchet ∞", "True"]
NUMBERS = [0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1 / 3, math.nan, 123456789.123456789, 1e-7]
ENDINGS = [".parquet", ".csv"]


def make(values=NUMBERS, texts=NASTY):
    """Trials that hold these numbers and texts, and two points for each."""
    rows = [
        {
            "run_id": f"{i:032x}", "parent_id": "p", "kind": "trial", "name": "dcgan", "status": "finished",
            "reason": texts[i % len(texts)], "seed": i if i % 3 else 0, "year": None if i % 2 else 2015,
            "bn": [True, False, None][i % 3], "config": {"bn": True, "lr": value if value == value else None, "a": [1]},
            "versions": {"torch": "2.14.1"}, "deviations": ["one, \"two\"", "three"], "protocol": PROTOCOL.id,
            "protocol_text": str(PROTOCOL), "steps": None if i % 2 else 2000, "fid": value, "mnist_fid_1k": value,
            "started": pd.Timestamp("2026-11-28 19:00:00.123") + pd.Timedelta(i, "ms"), "fingerprint": f"00{i}",
            **{field.name: getattr(PROTOCOL, field.name) for field in fields(Protocol)},
        }
        for i, value in enumerate(values)
    ]  # fmt: skip
    text = [column.name for column in TRIALS if column.kind == "text"]
    trials = typed(pd.DataFrame(rows).reindex(columns=[*(c.name for c in TRIALS), "mnist_fid_1k"]))
    trials[text] = trials[text].fillna("")
    points = [(row["run_id"], step, "loss_d", row["fid"], 1.0, 2.0, math.nan, 0.1) for row in rows for step in (1, 2)]
    return typed(trials), typed(pd.DataFrame(points, columns=[column.name for column in CURVES]), CURVES)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_round_trip_is_exact(tmp_path, ending):
    trials, curves = make()
    frames.write(trials, curves, tmp_path / f"all{ending}")
    again, points = frames.read(tmp_path / f"all{ending}")
    pd.testing.assert_frame_equal(again, trials, check_exact=True)
    pd.testing.assert_frame_equal(points, curves, check_exact=True)
    assert [value.hex() for value in again["fid"].dropna()] == [v.hex() for v in NUMBERS if v == v]
    assert list(again["reason"]) == NASTY[: len(NUMBERS)]
    assert again["config"][0] == {"bn": True, "lr": 0.1 + 0.2, "a": [1]}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=False), min_size=9, max_size=30), st.text(st.characters(codec="utf-8"), max_size=9))
def test_any_float_and_any_text_survive_as_csv(tmp_path, values, text):
    trials, curves = make(values, [text])
    frames.write(trials, curves, tmp_path / "all.csv")
    again, points = frames.read(tmp_path / "all.csv")
    pd.testing.assert_frame_equal(again, trials, check_exact=True)
    pd.testing.assert_frame_equal(points, curves, check_exact=True)


def test_lists_and_dicts_are_text_in_the_file(tmp_path):
    trials, curves = make()
    frames.write(trials, curves, tmp_path / "all.parquet")
    raw = pd.read_parquet(tmp_path / "all.parquet")
    assert json.loads(raw["config"][0]) == trials["config"][0]
    assert json.loads(raw["deviations"][0]) == ['one, "two"', "three"]
    assert set(raw["schema"]) == {frames.SCHEMA}


def test_the_version_changes_with_the_columns():
    """An older file must not be read as if it had today's columns: raise SCHEMA, then note its columns here."""
    layout = [(column.name, column.kind) for column in (*TRIALS, *CURVES)] + sorted(PROTOCOL_COLUMNS)
    assert (frames.SCHEMA, hashlib.sha256(repr(layout).encode()).hexdigest()[:8]) == (2, "03ccbe3b")


class TestRefused:
    @pytest.fixture(params=ENDINGS)
    def path(self, request, tmp_path):
        trials, curves = make([1.5, 2.5])
        frames.write(trials, curves, tmp_path / f"all{request.param}")
        return tmp_path / f"all{request.param}"

    def change(self, path, **values):
        """Writes these values over columns of the file, as another program would."""
        csv = path.suffix == ".csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False) if csv else pd.read_parquet(path)
        for name, value in values.items():
            frame = frame.drop(columns=name) if value is None else frame.assign(**{name: value})
        frame.to_csv(path, index=False) if csv else frame.to_parquet(path)

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"schema": 99}, "has schema version 99, this bench reads 2"),
            ({"schema": None}, "is no file of bench; write one with: bench export"),
            ({"weights": None, "task": None}, "lacks task, weights"),
            ({"samples": 2000}, r"row 1 .*the columns of its protocol do not give the id"),
            ({"dataset": ""}, r"row 1 .*the columns of its protocol do not give the id"),
            ({"kind": "trail"}, "row 1: kind is 'trail'; allowed is trial, reference or skip"),
            ({"fingerprint": ""}, "a trial without seed or fingerprint"),
            ({"seed": "many"}, "column seed: not of type whole"),
            ({"config": "{bn"}, "column config: not of type json"),
            ({"bn": "perhaps"}, "column bn: not of type yes/no"),
            ({"started": "yesterday"}, "column started: not of type time"),
            ({"remark": "by hand"}, "column remark: not of type number"),
        ],
    )
    def test_what_another_program_changed(self, path, values, words):
        self.change(path, **values)
        with pytest.raises(BenchError, match=words) as refusal:
            frames.read(path)
        assert str(refusal.value).startswith(str(path))

    @pytest.mark.parametrize(("name", "columns"), [("commit", TRIALS), ("metric", CURVES)])
    def test_a_text_that_is_missing(self, tmp_path, name, columns):
        path = tmp_path / "all.parquet"
        frames.write(*make([1.5, 2.5]), path)
        changed = path if columns is TRIALS else frames.curves_path(path)
        frame = pd.read_parquet(changed)
        frame.assign(**{name: [None, *frame[name].iloc[1:]]}).to_parquet(changed)
        with pytest.raises(BenchError, match=rf"{changed.name}, column {name}: not of type text: a value is missing"):
            frames.read(path)

    def test_without_rows(self, path):
        trials, curves = make([1.5])
        frames.write(trials.iloc[:0], curves.iloc[:0], path)
        with pytest.raises(BenchError, match="holds no rows"):
            frames.read(path)

    @pytest.mark.parametrize("part", [0, 0.5, 0.98])
    def test_a_part_of_it(self, path, part):
        content = path.read_bytes()
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(BenchError, match="is empty or damaged"):
            frames.read(path)

    def test_a_last_number_that_lost_its_end(self, tmp_path):
        """Nothing is left out of the line, and what stands there is a number."""
        frames.write(*make([1.5, 123.456789]), tmp_path / "all.csv")
        content = (tmp_path / "all.csv").read_text()
        assert content.endswith("123.456789\n")
        (tmp_path / "all.csv").write_text(content[:-4])
        with pytest.raises(BenchError, match="it is cut off"):
            frames.read(tmp_path / "all.csv")

    def test_noise(self, path):
        path.write_bytes(bytes(range(256)) * 20)
        with pytest.raises(BenchError, match=r"is empty or damaged|is no file of bench"):
            frames.read(path)

    def test_curves_of_another_file(self, path):
        trials, curves = make([1.5, 2.5, 3.5])
        frames.write(trials, curves, path.with_stem("other"))
        frames.curves_path(path.with_stem("other")).replace(frames.curves_path(path))
        with pytest.raises(BenchError, match=r"all.curves.* holds curves of runs that .* lacks"):
            frames.read(path)

    def test_another_ending_and_no_file(self, path):
        with pytest.raises(BenchError, match=r"allowed is .parquet or .csv"):
            frames.write(*make([1.0]), path.with_suffix(".xlsx"))
        with pytest.raises(BenchError, match=r"no file .*nowhere"):
            frames.read(path.with_stem("nowhere"))


def test_without_the_file_of_curves_it_warns_and_has_none(tmp_path):
    frames.write(*make([1.0]), tmp_path / "all.csv")
    frames.curves_path(tmp_path / "all.csv").unlink()
    with pytest.warns(UserWarning, match=r"all.curves.csv is not there, so .*all.csv has no curves"):
        trials, curves = frames.read(tmp_path / "all.csv")
    assert len(trials) == 1
    assert curves.empty
    assert list(curves) == [column.name for column in CURVES]


def test_an_export_that_is_broken_off_leaves_no_rows_without_their_curves(tmp_path, monkeypatch):
    def stop(path, content):
        save(path, content)
        raise KeyboardInterrupt

    save = frames.save
    monkeypatch.setattr(frames, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        frames.write(*make(), tmp_path / "all.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["all.curves.csv"]


def test_a_frame_of_very_many_metrics_is_in_one_piece(recwarn):
    """A store of several tasks has over a hundred columns; pandas warned the user of each one more."""
    metrics = {f"metric_{i}": [float(i)] for i in range(300)}
    frame = typed(pd.DataFrame({"run_id": ["a"], **metrics}), CURVES[:1])
    assert frame.assign(part=0)["metric_299"].tolist() == [299.0]
    assert not recwarn.list

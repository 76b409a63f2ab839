"""What a database of MLflow holds of one experiment, by plain queries.

MLflow's own search makes objects of every value through an object-relational mapper, which takes longer for ten
thousand runs than everything else that a report does; these queries of its tables give the same runs. A second
library that opens the same sqlite file would break the locks of this process's other connections, so they go through
MLflow's own connection.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag
from mlflow.tracking import MlflowClient

from bench.columns import POSITION

TOGETHER = 500
"""Runs, or steps, in one condition; databases limit the parameters of a query."""


def is_database(client: MlflowClient) -> bool:
    """Whether this client's store is one, rather than a server."""
    return urlsplit(client.tracking_uri).scheme not in ("http", "https", "file", "")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Inside, nobody looks for cycles, which a million tuples have none of: looking takes as long as making them."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextmanager
def _reader(client: MlflowClient) -> Iterator[Callable[[Any], list[Any]]]:
    """What gives the tuples of a query, past SQLAlchemy's rows: there may be millions."""
    with client._tracking_client.store.ManagedSessionMaker() as session:
        connection = session.connection()

        def read(query: Any) -> list[Any]:
            text = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
            with closing(connection.connection.cursor()) as cursor, _uncollected():
                cursor.execute(text)
                return list(cursor.fetchall())

        yield read


def _value(table: Any) -> Any:
    """A metric's value, NULL where it is NaN: MLflow has a column of its own for that."""
    from sqlalchemy import case, null

    return case((table.is_nan, null()), else_=table.value)


def runs(client: MlflowClient, experiment_id: str) -> list[Run]:
    """Every active run of the experiment, the newest first."""
    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlParam, SqlRun, SqlTag
    from sqlalchemy import select

    of = select(SqlRun.run_uuid).where(SqlRun.experiment_id == int(experiment_id), SqlRun.lifecycle_stage == "active")
    found: dict[str, RunInfo] = {}
    tags: dict[str, list[RunTag]] = {}
    params: dict[str, list[Param]] = {}
    metrics: dict[str, list[Metric]] = {}
    about = (
        SqlRun.run_uuid, SqlRun.user_id, SqlRun.status, SqlRun.start_time, SqlRun.end_time, SqlRun.artifact_uri,
        SqlRun.name,
    )  # fmt: skip
    with _reader(client) as read:
        query = select(*about).where(SqlRun.run_uuid.in_(of)).order_by(SqlRun.start_time.desc(), SqlRun.run_uuid)
        for run_id, user, status, start, end, artifacts, name in read(query):
            found[run_id] = RunInfo(run_id, experiment_id, user, status, start, end, "active", artifacts, name)
            tags[run_id], params[run_id], metrics[run_id] = [], [], []
        for table, kind, kept in ((SqlTag, RunTag, tags), (SqlParam, Param, params)):
            query = select(table.run_uuid, table.key, table.value).where(table.run_uuid.in_(of))
            for run_id, key, value in read(query):
                if run_id in kept:  # not begun between two queries
                    kept[run_id].append(kind(key, value))
        last = SqlLatestMetric
        query = select(last.run_uuid, last.key, _value(last), last.timestamp, last.step).where(last.run_uuid.in_(of))
        for run_id, key, number, timestamp, step in read(query):
            if run_id in metrics:
                metrics[run_id].append(Metric(key, float("nan") if number is None else number, timestamp, step))
    return [Run(info, RunData(metrics[run_id], params[run_id], tags[run_id])) for run_id, info in found.items()]


def points(
    client: MlflowClient, experiment_id: str, metrics: Collection[str] | None, run_ids: Sequence[str] | None
) -> pd.DataFrame:
    """Points as they were logged, and the positions at their steps: columns run_id, step, metric, value.

    Of these metrics, by default of all; of these runs at least, by default of all in the experiment.
    """
    from mlflow.store.tracking.dbmodels.models import SqlMetric, SqlRun
    from sqlalchemy import select

    columns = (SqlMetric.run_uuid, SqlMetric.step, SqlMetric.key, _value(SqlMetric))
    query = select(*columns).order_by(SqlMetric.timestamp, SqlMetric.step)
    of = [SqlMetric.run_uuid.in_(select(SqlRun.run_uuid).where(SqlRun.experiment_id == int(experiment_id)))]
    # One metric of many runs is one stretch of the table's index; all metrics of a run are another.
    if run_ids is not None and (metrics is None or len(run_ids) <= TOGETHER):
        starts = range(0, len(run_ids), TOGETHER)
        of = [SqlMetric.run_uuid.in_(run_ids[start : start + TOGETHER]) for start in starts]
    found: list[tuple[str, int, str, float | None]] = []
    with _reader(client) as read:
        for condition in of:
            some = query.where(condition)
            if metrics is None:
                found += read(some)
                continue
            wanted = read(some.where(SqlMetric.key.in_(sorted(metrics))))
            steps = {step for _, step, _, _ in wanted}
            positions = some.where(SqlMetric.key.in_(POSITION))
            found += wanted
            found += read(positions.where(SqlMetric.step.in_(steps)) if len(steps) <= TOGETHER else positions)
    return pd.DataFrame(found, columns=["run_id", "step", "metric", "value"])

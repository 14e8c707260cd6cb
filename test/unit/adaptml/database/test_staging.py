"""Predictions that are staged, range by range and some twice, and take their place at once."""

from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from pandas.testing import assert_frame_equal

from adaptml.database import Database, WritebackKind, read_back, write_back
from adaptml.database.staging import STAGED, drop_stage, make_stage, new_stage, stage_predictions, take_place
from adaptml.errors import DatabaseError, UnknownTableError
from adaptml.tasks import Task

TASK = Task(name="zoo", classes=["Cat", "cat", "a.b"], setting="multilabel")
KIND = WritebackKind.PREDICTIONS


def frame(first: int, n: int, prob: float = 0.25) -> pd.DataFrame:
    labels = [[], ["Cat"], ["Cat", "a.b"]]
    rows = range(first, first + n)
    return pd.DataFrame(
        {
            "table_name": "posts",
            "id": [f"r{i}" for i in rows],
            "label": [labels[i % 3] for i in rows],
            "label_probs": [[prob, i / 7, 1 / 3] for i in rows],
            "model": "multilabel_zoo/3",
        }
    )


def shown(database: Database) -> pd.DataFrame:
    return read_back(database, TASK, KIND).drop(columns="written_at")


def test_what_was_staged_is_what_would_have_been_written(database: Database) -> None:
    write_back(database, TASK, KIND, frame(0, 2, prob=0.5), "of before")
    write_back(database, TASK, KIND, frame(0, 2, prob=0.5), "run")  # the same points and run: replaced below
    before, stage = shown(database), new_stage()
    make_stage(database, TASK, stage)
    for some in (frame(0, 3), frame(3, 3), frame(1, 4)):  # the last is of ranges that were done before
        stage_predictions(database, TASK, stage, some, "run")
        assert_frame_equal(shown(database), before)  # nobody sees a part of it
    assert take_place(database, TASK, stage) == 4
    by_workers = shown(database)
    assert take_place(database, TASK, stage) == 0  # as after a kill: each point is there once
    assert_frame_equal(shown(database), by_workers)
    times = read_back(database, TASK, KIND).query("run_id == 'run'")["written_at"]
    drop_stage(database, stage)
    drop_stage(database, stage)
    assert [name for name in database.tables() if name.startswith(STAGED)] == []
    write_back(database, TASK, KIND, frame(0, 6), "run")
    assert_frame_equal(shown(database), by_workers)
    assert len(by_workers) == 8
    assert times.iloc[0] == times.iloc[-1] == times.max()  # that of when they took their place


def test_what_nobody_waits_for_any_more_is_not_written(database: Database) -> None:
    stage = new_stage()
    with pytest.raises(UnknownTableError):
        stage_predictions(database, TASK, stage, frame(0, 2), "run")
    make_stage(database, TASK, stage)
    bad = frame(0, 2).assign(label_probs=[[0.1, 0.2, 0.3], [0.1, float("nan"), 0.3]])
    with pytest.raises(DatabaseError, match=r"label_probs of 1 of 2 rows \(r1\) are not 3 finite numbers"):
        stage_predictions(database, TASK, stage, bad, "run")
    assert take_place(database, TASK, stage) == 0


@pytest.mark.parametrize("staged", [False, True])
def test_rows_that_another_writes_meanwhile_are_not_counted(database: Database, staged: bool) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite lets one process write at a time")
    write_back(database, TASK, KIND, frame(0, 2), "run")
    stage = new_stage()
    make_stage(database, TASK, stage)
    stage_predictions(database, TASK, stage, frame(0, 5), "run")
    url = database.engine.url.render_as_string(hide_password=False)
    wrote = []

    def at_an_insert(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO zoo_predictions") and not wrote:
            with Database(url) as other:
                wrote.append(write_back(other, TASK, KIND, frame(5, 7), "run"))

    sa.event.listen(database.engine, "before_cursor_execute", at_an_insert)
    new = (
        take_place(database, TASK, stage) if staged else write_back(database, TASK, KIND, frame(0, 5), "run")
    )
    assert (wrote, new, len(shown(database))) == ([7], 3, 12)

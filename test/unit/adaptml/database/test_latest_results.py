"""What the last run said of a few points."""

import pandas as pd
import pytest

from adaptml.database import Database
from adaptml.database.latest_results import MOST_KEYS, latest_results
from adaptml.database.writeback import WritebackKind, write_back
from adaptml.tasks import Task

TASK = Task(name="pets", classes=["cat", "dog"])
LABELS = WritebackKind.LABELS


def labels(*rows: tuple[str, str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["table_name", "id", "label"])
    return frame.assign(label=[[name] for name in frame["label"]], label_probs=[[0.5, 0.5]] * len(rows))


def keys(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["table_name", "id"])


def test_the_last_run_counts(database: Database) -> None:
    asked = keys(("posts", "1"), ("posts", "2"), ("more", "1"), ("posts", "9"))
    assert latest_results(database, TASK, LABELS, asked).empty
    write_back(database, TASK, LABELS, labels(("posts", "1", "cat"), ("more", "1", "cat")), "first")
    write_back(database, TASK, LABELS, labels(("posts", "1", "dog"), ("posts", "2", "dog")), "second")
    found = latest_results(database, TASK, LABELS, asked)
    rows = {(row.table_name, row.id): (list(row.label), row.run_id) for row in found.itertuples()}
    assert rows == {
        ("posts", "1"): (["dog"], "second"), ("posts", "2"): (["dog"], "second"), ("more", "1"): (["cat"], "first"),
    }  # fmt: skip
    assert latest_results(database, TASK, LABELS, asked[:0]).empty


def test_too_many_keys_are_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="at most 500"):
        latest_results(database, TASK, LABELS, keys(*[("posts", str(i)) for i in range(MOST_KEYS + 1)]))

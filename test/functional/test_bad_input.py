"""Bad input, as one table: each gives one clear line and exit code 1, and leaves everything as it was."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml.cli import app
from adaptml.database import Database, TextList, Vector
from adaptml.settings import Settings
from adaptml.tasks import Setting
from adaptml.tasks.scaffold import new_task

ROWS = 12
RAISING = """
from snorkel.labeling import labeling_function
def get_lfs(params):
    @labeling_function()
    def fails(x): return 1 // 0
    return [fails]
"""


@pytest.fixture
def room(tracking: Settings, tmp_path: Path) -> Path:
    """A task `topic`, a table `posts` with some odd columns, and frames: a small project to go wrong in."""
    task = new_task(tracking.tasks_dir, "topic", ["left", "right"], Setting.MULTICLASS, "txt")
    for name, lfs in {
        "raising": RAISING,
        "strange": RAISING.replace("1 // 0", "'middle'"),
    }.items():
        new_task(tracking.tasks_dir, name, ["left", "right"], Setting.MULTICLASS, "txt")
        (task.folder.parent / name / "lfs.py").write_text(lfs)
    (tracking.tasks_dir / "broken").mkdir()
    (tracking.tasks_dir / "broken/task.yaml").write_text(
        "title: x\nsetting: both\nclasses: [{name: a, nam: b}]\ncolumns: []\nlf_features: [txt]\n"
    )
    columns = {
        "id": sa.Text(),
        "txt": sa.Text(),
        "txt_lemmas": TextList(),
        "txt_vec": Vector(),
        "odd": Vector(),
        "nan": Vector(),
    }
    ids = [f"p{i}" for i in range(ROWS)]
    rows = pd.DataFrame(
        {
            "id": ids, "txt": "left", "txt_lemmas": [["left"]] * ROWS, "txt_vec": [[i, 1.0] for i in range(ROWS)],
            "odd": [[1.0] * (1 + i % 2) for i in range(ROWS)], "nan": [[np.nan]] * ROWS,
        }
    )  # fmt: skip
    with closing(Database(tracking.database_url.get_secret_value())) as database:
        database.create_table("posts", columns)
        database.upsert("posts", rows, ["id"])
    keys = pd.DataFrame({"table_name": "posts", "id": ids})
    both = [["left"] if i % 2 else ["right"] for i in range(ROWS)]
    frames = {
        "good": keys,
        "no_id": keys.drop(columns="id"),
        "twice": pd.concat([keys, keys.head(2)]),
        "empty": keys.head(0),
        "absent": pd.concat([keys, pd.DataFrame({"table_name": "posts", "id": [f"x{i}" for i in range(7)]})]),
        "no_table": keys.assign(table_name="nope"),
        "labelled": keys.assign(label=both),
        "one_class": keys.assign(label=[["left"]] * ROWS),
        "unknown_class": keys.assign(label=[["middle"]] * ROWS),
    }
    for name, frame in frames.items():
        frame.to_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "not.json").write_text("{")
    (tmp_path / "none.json").write_text("[]")
    return tmp_path


CASES: list[tuple[str, str]] = [
    ("task check nope", "no task 'nope' in "),
    ("task check broken", "has 5 problems: title: .*; setting: .*; classes.*; columns: .*; features: missing"),
    ("sample-tasks nope txt 5 topic", "no table 'nope' in .*; its tables are posts"),
    ("sample-tasks posts nope txt 5 topic", "table 'posts' has no column nope; its columns are id, txt"),
    ("sample-tasks posts txt 0 topic", "0 points were asked for; expected at least 1"),
    ("featurize posts --text nope --lemmas l", "table 'posts' has no column nope"),
    ("featurize posts --text txt --vector v --encoder nope", "no text encoder 'nope'; expected one of hashing, hybrid"),
    ("process-annotations {}/not.json topic majority", "not.json"),
    ("process-annotations {}/none.json topic majority", "none.json"),
    ("process-annotations {}/nowhere.json topic majority", "nowhere.json"),
    ("annotator-agreement topic", "process-annotations"),
    ("label topic --data {}/no_id.parquet", r"no_id\.parquet has no column id; it has table_name: add what lacks"),
    ("label topic --data {}/twice.parquet", r"twice\.parquet holds 2 data points more than once: posts/p0, posts/p1; keep one"),
    ("label topic --data {}/empty.parquet", r"empty\.parquet has no rows; expected at least one data point"),
    ("label topic --data {}/absent.parquet", "7 of 19 data points are not in their table: posts/x0, posts/x1, posts/x2, posts/x3, posts/x4 and 2 more;"),
    ("label topic --data {}/no_table.parquet", "no table 'nope' in "),
    ("label topic --data {}/good.parquet --dev-data 1", "the task 'topic' has no gold labels: no file "),
    ("label topic --data {}/good.parquet --label-model nope", "nope"),
    ("label topic --data {}/good.parquet --no-such 5", "no parameter no_such; they declare: none"),
    ("label raising --data {}/good.parquet", "fails.*posts/p0.*ZeroDivisionError"),
    ("label strange --data {}/good.parquet", "fails.*middle.*left, right"),
    ("train topic --train {}/one_class.parquet", "the training data hold one class only, expected at least two"),
    ("train topic --train {}/unknown_class.parquet", "labels middle are no classes of the task; its classes are left, right"),
    ("train topic --train {}/good.parquet", "has no column label; expected lists of class names"),
    ("train topic --train {}/labelled.parquet --features txt", "feature column 'txt' holds str; expected numbers or vectors"),
    ("train topic --train {}/labelled.parquet --features odd", "vectors of feature column 'odd' differ in length"),
    ("train topic --train {}/labelled.parquet --features nan", "feature column 'nan' has values that are not finite"),
    ("train topic --train {}/labelled.parquet --algorithm nope", "no algorithm 'nope'; expected one of "),
    ("train topic --train {}/labelled.parquet --test {}/labelled.parquet", "every point of the training data is also tested on"),
    ("compare topic --train {}/labelled.parquet --gold 0", "comparing needs gold labels; give --gold 1 or a frame"),
    ("deploy nope", "no end model 'nope' in the registry; it has none: train it first"),
    ("predict topic --data {}/good.parquet", "no champion 'multiclass_topic' in the registry"),
    ("settings nope", "no setting 'nope'; expected one of root, home"),
]  # fmt: skip


def contents(settings: Settings) -> dict[str, object]:
    """What must not change: the data, every file that is no MLflow record, and the registry."""
    with closing(sqlite3.connect(settings.home / "data.db")) as connection:
        data = list(connection.iterdump())
    with closing(sqlite3.connect(settings.home / "mlflow.db")) as connection:
        models = connection.execute("SELECT count(*) FROM model_versions").fetchone()
        running = connection.execute("SELECT count(*) FROM runs WHERE status NOT IN ('FAILED')").fetchone()
    files = sorted(str(p) for p in settings.home.rglob("*") if p.is_file() and "mlruns" not in p.parts)
    return {"data": data, "files": files, "models": models, "running": running}


@pytest.mark.parametrize(("command", "message"), CASES, ids=[command for command, _ in CASES])
def test_one_clear_line_and_nothing_lost(command: str, message: str, room: Path, tracking: Settings) -> None:
    before = contents(tracking)
    result = CliRunner().invoke(app, command.replace("{}", str(room)).split())
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.exit_code == 1, result.output
    assert len(errors) == 1
    assert result.stderr.rstrip().endswith(errors[0])
    assert re.search(message, errors[0]), errors[0]
    assert contents(tracking) == before

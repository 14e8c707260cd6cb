"""Bad input, as one table: each gives one clear line and exit code 1, and leaves everything as it was."""

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.database import TextList, Vector
from adaptml.project import Project
from adaptml.settings import Settings
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
def room(tracking: Settings, project: Project, tmp_path: Path) -> Path:
    """A task `topic`, a table `posts` with some odd columns, and frames: a small project to go wrong in."""
    new_task(tracking.tasks_dir, "topic", ["left", "right"], "multiclass")
    for name, lfs in {
        "raising": RAISING,
        "strange": RAISING.replace("1 // 0", "'middle'"),
    }.items():
        new_task(tracking.tasks_dir, name, ["left", "right"], "multiclass")
        (tracking.tasks_dir / name / "lfs.py").write_text(lfs)
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
            "odd": [[1.0] * (1 + i % 2) for i in range(ROWS)],
        }
    )  # fmt: skip
    project.database.create_table("posts", columns)
    project.database.upsert("posts", rows, ["id"])
    with project.database.engine.begin() as connection:  # as somebody else may have written it
        connection.execute(sa.update(sa.table("posts", sa.column("nan", Vector()))).values(nan=[np.nan]))
    keys = pd.DataFrame({"table_name": "posts", "id": ids})
    both = [["left"] if i % 2 else ["right"] for i in range(ROWS)]
    frames = {
        "good": keys,
        "no_id": keys.drop(columns="id"),
        "twice": pd.concat([keys, keys.head(2)]),
        "empty": keys.head(0),
        "absent": pd.DataFrame({"table_name": "posts", "id": [f"x{i}" for i in range(7)]}),
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


# Facts, not wording: what was given, what was expected, what to do.
CASES: list[tuple[str, str]] = [
    ("task check nope", "no task 'nope' in .*`adaptml task new`"),
    ("task check broken", "has 5 problems: title: .*; setting: .*; classes.*; columns: .*; features: missing"),
    ("task check topic --data nope", "no table 'nope' in .*posts"),
    ("task check raising --data posts", "fails.*posts/p.*lfs.py, line 5.*ZeroDivisionError"),
    ("task check strange --data posts", "fails.*'middle'.*left, right"),
    ("task new topic", "topic is there already"),
    ("task new Topic", "'Topic'; expected a lower-case letter"),
    ("task new fresh --classes one", "2 to 127 classes; given 1"),
    ("task new fresh --setting both", "'both'; expected multiclass or multilabel"),
    ("sample-tasks topic --data nope --n 5", "no table 'nope' in .*posts"),
    ("sample-tasks topic --data posts --n 5 --columns nope,txt", "table 'posts' has no column nope; .* id, txt"),
    ("sample-tasks topic --data posts --n 0", "0 points .* at least 1"),
    ("sample-tasks nope --data posts --n 5", "no task 'nope'"),
    ("sample-points topic --data nope --n 5", "no table 'nope' in .*posts"),
    ("sample-points topic --data posts --n 5 --sampling odd", "odd.*random"),
    ("featurize topic --data posts --text nope", "table 'posts' has no column nope"),
    ("featurize topic --data posts --encoder nope", "no encoder 'nope'; expected one of frames, hashing, hybrid"),
    ("featurize topic --data nope", "no table 'nope' in .*posts"),
    ("process-annotations topic {}/not.json", "not.json"),
    ("process-annotations topic {}/none.json", "none.json"),
    ("process-annotations topic {}/nowhere.json --choice drop", "nowhere.json"),
    ("annotator-agreement topic", "process-annotations"),
    ("label topic --data nowhere", "no table 'nowhere' in .*posts"),
    ("label topic --data posts --where 'txt ='", "refused|does not answer"),
    ("label topic --data \"posts where txt = 'nothing'\"", "no data point"),
    ("label topic --data {}/good.parquet --where \"txt = 'left'\"", "goes with a table.*good.parquet"),
    ("label topic --data {}/no_id.parquet", r"no_id\.parquet has no column id; it has table_name"),
    ("label topic --data {}/twice.parquet", r"twice\.parquet .*2 duplicated data points.*: posts/p0, posts/p1"),
    ("label topic --data {}/empty.parquet", r"empty\.parquet has no rows; expected at least one"),
    ("label topic --data {}/absent.parquet", "7 data points.*posts/x0.*posts/x4 and 2 more"),
    ("label topic --data {}/no_table.parquet", "no table 'nope' in "),
    ("label topic --data posts --gold task", "'topic' has no gold labels: no table .*process-annotations"),
    ("label topic --data posts --gold nowhere.csv", "nowhere.csv"),
    ("label topic --data posts --label-model nope", "nope"),
    ("label topic --data posts --label-model em", "em.*multiclass|multiclass.*em"),
    ("label topic --data posts --no-such 5", "no parameter no_such; they declare: none"),
    ("label topic --data posts --setting both", "'both'; expected multiclass or multilabel"),
    ("label raising --data posts", "fails.*posts/p0.*ZeroDivisionError"),
    ("label strange --data posts", "fails.*middle.*left, right"),
    ("lfs raising --data posts", "fails.*posts/p0.*ZeroDivisionError"),
    ("lfs topic --data posts --show nope", "nope.*left_left"),
    ("train topic --data {}/one_class.parquet", "one class only, expected at least two"),
    ("train topic --data {}/unknown_class.parquet", "labels middle .* classes are left, right"),
    ("train topic --data {}/good.parquet", "has no column label; expected lists of class names"),
    ("train topic --data {}/labelled.parquet --features txt", "feature column 'txt' holds the same text in all 12 rows .*featurize"),
    ("train topic --data {}/labelled.parquet --features odd", "vectors of feature column 'odd' differ in length"),
    ("train topic --data {}/labelled.parquet --features nan", "feature column 'nan' .* not finite"),
    ("train topic --data {}/labelled.parquet --algorithm nope", "no algorithm 'nope'; expected one of "),
    ("train topic --data {}/labelled.parquet --test {}/labelled.parquet", "every point of the training data is also tested on"),
    ("train topic --data 00000000000000000000000000000000", "run 00000000000000000000000000000000"),
    ("compare topic --data {}/labelled.parquet --gold none", "gold labels; give --gold task or "),
    ("deploy nope", "no end model 'nope' in the registry; .*train"),
    ("predict topic --data {}/good.parquet", "no champion 'multiclass_topic' in the registry.*adaptml deploy"),
    ("runs nope", "no task 'nope'"),
    ("settings nope", "no setting 'nope'; expected one of root, home"),
]  # fmt: skip

REFUSED: list[tuple[str, str]] = [
    ("sampel-tasks topic", "'sampel-tasks'.*sample-tasks"),
    ("label topic", "'--data'.*adaptml label --help"),
    ("label --data posts", "TASK.*adaptml label --help"),
    ("sample-tasks topic --data posts --n many", "--n.*integer.*'many'"),
    ("predict topic --data posts --colour red", "--colour.*adaptml predict --help"),
    ("sample-tasks posts txt 30 topic", "`adaptml sample-tasks topic --data posts --n 30`"),
    ("sample-points posts 100 topic --sampling diverse", "`adaptml sample-points topic --data posts --n 100 --sampling diverse`"),
    ("featurize posts topic", "`adaptml featurize topic --data posts`"),
    ("process-annotations export.json topic majority", "`adaptml process-annotations topic export.json --choice majority`"),
    ("annotate push topic posts --n 60", "`adaptml annotate push topic --data posts --n 60`"),
    ("label topic --data posts --gold", "`adaptml label topic --data posts --gold task`"),
    ("label topic --train-data posts --dev-data 1", "`adaptml label topic --data posts --gold task`"),
]  # fmt: skip


def contents(settings: Settings) -> dict[str, object]:
    """What must not change: the data, every file that is no MLflow record, and the registry.

    Votes that were computed before a step failed are kept, and right.
    """
    with closing(sqlite3.connect(settings.home / "data.db")) as connection:
        data = list(connection.iterdump())
    with closing(sqlite3.connect(settings.home / "mlflow.db")) as connection:
        models = connection.execute("SELECT count(*) FROM model_versions").fetchone()
        running = connection.execute("SELECT count(*) FROM runs WHERE status NOT IN ('FAILED')").fetchone()
    kept = {"mlruns", "votes"}
    files = sorted(str(p) for p in settings.home.rglob("*") if p.is_file() and not kept & set(p.parts))
    return {"data": data, "files": files, "models": models, "running": running}


@pytest.mark.parametrize(("command", "message"), CASES, ids=[command for command, _ in CASES])
def test_one_clear_line_and_nothing_lost(command: str, message: str, room: Path, tracking: Settings) -> None:
    check_refusal(1, command, message, room, tracking)


@pytest.mark.parametrize(("command", "message"), REFUSED, ids=[command for command, _ in REFUSED])
def test_what_the_parser_refuses_is_one_line_too(
    command: str, message: str, room: Path, tracking: Settings
) -> None:
    check_refusal(2, command, message, room, tracking)


def check_refusal(code: int, command: str, message: str, room: Path, settings: Settings) -> None:
    before = contents(settings)
    words = shlex.split(command.replace("{}", str(room)))
    result = CliRunner().invoke(app, words, prog_name="adaptml")
    errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    assert len(errors) == 1
    assert result.stderr.rstrip().endswith(errors[0])
    assert re.search(message, errors[0]), errors[0]
    assert contents(settings) == before

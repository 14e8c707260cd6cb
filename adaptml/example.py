"""A small project to try things on, made in a second: 24 comments, some of them spam."""

import json
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from adaptml.addresses import sqlite_address
from adaptml.errors import DatabaseError, FileError, TaskError
from adaptml.files import write_text
from adaptml.project import Project
from adaptml.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

TABLE, TASK = "comments", "spam"
_COMMENTS = {
    "spam": (
        "Subscribe to my channel and win a phone!",
        "Check out my new video, link below",
        "Free gift cards at www.gifts.example, hurry",
        "I will subscribe to everyone who subscribes to me",
        "Please check out my page",
        "Earn money at home: www.money.example",
        "Subscribe, subscribe, subscribe",
        "My cover is better, check it out",
        "Free coins here: www.coins.example",
        "Please like and subscribe to my covers",
        "Check my channel for free songs",
        "Win a trip, visit www.trip.example now",
    ),
    "ham": (
        "I love this song so much",
        "The best chorus of the year",
        "This song makes me cry",
        "Who else listens to this in winter?",
        "Love the drums in the last minute",
        "What a voice, I love it",
        "This song reminds me of my sister",
        "Two billion views and still the best",
        "The dance in this video is the best",
        "I check this song out every morning",
        "My favourite song since school",
        "He can really sing, what a voice",
    ),
}
_ANNOTATED_OF_A_CLASS = 6  # the last ones of each; the others are for the labelling functions alone
_DISPUTED = "s8"
_COLUMN = "text"
_TASK_FILE = """\
title: Is it spam?
description: Whether a comment under a music video advertises something.
setting: multiclass
positive: spam
classes: [{name: ham}, {name: spam}]
columns: [{name: text, type: text}]
lf_features: [text, tokens]
features: [vector]
featurize: {text: text, lemmas: tokens, vector: vector, encoder: hashing}
"""
_LFS_FILE = """\
from adaptml import keyword_lf, labeling_function


def get_lfs(params):
    @labeling_function
    def link(x):
        return "spam" if "www." in x.text else None

    return [
        keyword_lf("subscribe", ["subscribe"], "spam", "tokens"),
        keyword_lf("check_out", ["check"], "spam", "tokens"),
        link,
        keyword_lf("praise", ["love", "good", "favourite"], "ham", "tokens"),  # best becomes good, too
        keyword_lf("song", ["song", "voice"], "ham", "tokens"),
    ]
"""


def example_project(folder: str | Path | None = None) -> Project:
    """A project of 24 featurised comments in the table `comments`, and a task `spam` with rules and gold.

    The gold labels are those of annotator 1, of the 12 comments `h6` … `h11` and `s6` … `s11`; what both
    annotators said is in `annotations.json`.

    Args:
        folder: where to make it; default: a temporary folder, which goes when the project does.

    Raises:
        FileError: the folder holds the example already, or cannot be written.

    Example:
        >>> with adaptml.example_project() as project:
        ...     project.task_names(), project.database.count("comments")
        (['spam'], 24)
    """
    root = Path(tempfile.mkdtemp(prefix="adaptml-example-") if folder is None else folder).resolve()
    _write_task(root / "tasks" / TASK)
    project = Project(settings=_settings(root))
    if folder is None:
        weakref.finalize(project, shutil.rmtree, root, ignore_errors=True)
    _fill(project, root / "annotations.json")
    return project


def add_example(project: Project) -> None:
    """Put the example's task and table into a project; its features and gold are still to be made.

    Args:
        project: without a task `spam` and a table `comments`.

    Raises:
        FileError: there is such a task, or the folder of tasks cannot be written.
        DatabaseError: there is such a table, or the database refuses.
    """
    if project.database.has_table(TABLE):
        raise DatabaseError(
            f"the example is made in a table {TABLE!r}, and there is one; expected none: load the "
            "example into another project"
        )
    _write_task(project.settings.tasks_dir / TASK)
    _write_comments(project)


def has_example(project: Project) -> bool:
    """Whether a project has the example's task, as it was made or edited since."""
    try:
        return TASK in project.task_names() and project.task(TASK).columns[0].name == _COLUMN
    except TaskError:  # its file is being edited
        return False


def annotate_example(project: Project) -> None:
    """Write what the example's annotators said into its folder of annotations, and make gold of it.

    Args:
        project: what `add_example` was given.

    Raises:
        FileError, DatabaseError: it cannot be written.
    """
    _annotate(project, project.settings.annotations(TASK) / "example_annotations.json")


def _write_task(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
        (folder / "task.yaml").write_text(_TASK_FILE, encoding="utf-8")
        (folder / "lfs.py").write_text(_LFS_FILE, encoding="utf-8")
    except OSError as error:
        raise FileError(
            f"no example can be made in {folder}: {error.strerror}; expected a new folder: name another"
        ) from error


def _settings(root: Path) -> Settings:
    """Embedded parts in one folder, whatever the environment says."""
    return Settings(  # type: ignore[call-arg]
        _env_file=None,
        root=root,
        home=Path("workspace"),
        tasks_dir=Path("tasks"),
        database_url=SecretStr(sqlite_address(root / "workspace" / "data.db")),
        MLFLOW_TRACKING_URI=sqlite_address(root / "workspace" / "mlflow.db"),
        MLFLOW_RUN_ID="",
    )


def _fill(project: Project, file: Path) -> None:
    """Write the comments, their features, and what annotators say, as an export and as gold labels."""
    _write_comments(project)
    project.featurize(TASK, TABLE)
    _annotate(project, file)


def _annotate(project: Project, file: Path) -> None:
    project.process_annotations(TASK, write_text(json.dumps(_export(_asked())), file), choice="1")


def _write_comments(project: Project) -> None:
    import sqlalchemy as sa

    project.database.create_table(TABLE, {"id": sa.Text(), "text": sa.Text()})
    project.database.upsert(TABLE, _comments()[["id", "text"]], ["id"])


def _asked() -> "pd.DataFrame":
    """The comments that were annotated."""
    comments = _comments()
    place = comments.groupby("class").cumcount()
    return comments[place >= len(comments) // 2 - _ANNOTATED_OF_A_CLASS]


def _comments() -> "pd.DataFrame":
    """The comments: `id`, `text`, `class`."""
    import pandas as pd

    rows = [
        (f"{name[0]}{number}", text, name)
        for name, texts in _COMMENTS.items()
        for number, text in enumerate(texts)
    ]
    return pd.DataFrame(rows, columns=["id", "text", "class"])


def _export(comments: "pd.DataFrame") -> list[dict[str, Any]]:
    """An export as Label Studio writes it: annotator 1 is right, annotator 2 takes one comment for ham."""
    return [
        {
            "data": {"ref_id": key, "meta_info": {"table_name": TABLE, "task": TASK}, "text": text},
            "annotations": [_annotation(1, name), _annotation(2, "ham" if key == _DISPUTED else name)],
        }
        for key, text, name in comments[["id", "text", "class"]].itertuples(index=False)
    ]


def _annotation(annotator: int, name: str) -> dict[str, Any]:
    result = {"from_name": "label", "type": "choices", "value": {"choices": [name]}}
    return {"completed_by": annotator, "updated_by": annotator, "result": [result]}

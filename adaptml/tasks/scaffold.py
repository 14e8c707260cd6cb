"""A new task's folder: a task file and labelling functions that run as they are."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from adaptml.errors import FileError, TaskError, listed
from adaptml.tasks.editing import TaskEdits, edited
from adaptml.tasks.loader import load_task, parse_task
from adaptml.tasks.problems import problem_type
from adaptml.tasks.scaffold_lfs import LEMMAS, lfs_file, quoted
from adaptml.tasks.schema import Column, Task, name_problem

TEXT = (Column.model_construct(name="txt", type="text"),)
_ENCODERS = {
    "image": "pictures",
    "audio": "sounds",
    "video": "frames",
}  # of vectors, beside that of texts; numbers are features as they are


def new_task(
    tasks_dir: Path,
    name: str,
    class_names: Sequence[str],
    setting: str,
    columns: Sequence[Column] = TEXT,
    edits: TaskEdits | None = None,
) -> Task:
    """Write `<tasks_dir>/<name>/` with `task.yaml` and `lfs.py`, whole or not at all.

    Args:
        tasks_dir: folder of the task folders.
        name: the task's name: lower-case letters, digits and `_`, for it also names tables and an endpoint.
        class_names: at least two.
        setting: exactly one class a data point, or any number.
        columns: what annotators see, at least one column; the rules and features are about all of them.
        edits: what is known already of what else the file says.

    Raises:
        TaskError: the name cannot be used or is taken, or the classes or the columns cannot be used.
        FileError: nothing can be written in the folder of tasks.
    """
    problem = name_problem(name)
    if problem:
        raise TaskError(problem)
    folder = tasks_dir / name
    if folder.exists():
        raise TaskError(f"{folder} is there already; choose another name or edit it")
    content = _task_file(name, class_names, setting, columns)
    shown = listed([f"{column.name or 'none'} ({column.type})" for column in columns], 20)
    given = f"classes: {listed(class_names, 20) or 'none'}; columns: {shown}"
    try:
        parse_task(content, folder, f"new task {name!r} ({given})")
    except TaskError as error:
        raise TaskError(f"{error}; fix them and run this again") from error
    if edits is not None:
        content = edited(content, edits)
        parse_task(content, folder, f"new task {name!r}")
    try:
        tasks_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=tasks_dir, prefix=".new-") as scratch:
            made = Path(scratch) / name
            made.mkdir()
            (made / "task.yaml").write_text(content, encoding="utf-8")
            (made / "lfs.py").write_text(lfs_file(class_names, columns), encoding="utf-8")
            shutil.move(made, folder)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{folder} cannot be made: {reason}; see who may write in {tasks_dir}") from error
    return load_task(name, tasks_dir)


_ASKED = "What annotators are asked, in a sentence or two."
_CHOSEN_WHEN = "When an annotator should choose it."
PLACEHOLDERS = (_ASKED, _CHOSEN_WHEN)  # texts that their writer is to replace

_TASK_FILE = """\
# The one place where this task's classes and columns are written.
title: {title}
description: {asked}
setting: {setting}
{positive}classes:
{classes}
columns:  # what annotators see{files}
{columns}
# feedback: true  # also ask annotators which words decided, and why
lf_features: [{lf_features}]  # what labelling functions read
features: [{features}]  # what the end model reads
{featurize}# What steps take where a command says nothing else; `label --keep` and `train --keep` write it.
# label: {{label_model: auto, config: {{n_epochs: 100}}}}
# train: {{algorithm: logistic_regression, params: {{C: 10}}, strategy: auto}}
"""

# Nobody's positive class is one of the two by accident.
_POSITIVE = "# positive: {example}  # of two classes, the one that precision and recall are to be about\n"
_FILES = "; of files their paths in the folder of pictures, or addresses"


def _task_file(name: str, class_names: Sequence[str], setting: str, columns: Sequence[Column]) -> str:
    names = [quoted(c) for c in class_names]
    rule = f"    description: {_CHOSEN_WHEN}\n    examples: []"
    binary = problem_type(setting).exclusive and len(class_names) == 2
    read, learned, made = _features(columns)
    return _TASK_FILE.format(
        title=quoted(name.replace("_", " ").capitalize().ljust(3, "?")),
        asked=_ASKED,
        setting=setting,
        positive=_POSITIVE.format(example=names[-1]) if binary else "",
        classes="\n".join(f"  - name: {c}\n{rule}" for c in names),
        files=_FILES if any(column.type in ("image", "audio", "video") for column in columns) else "",
        columns="\n".join(f"  - {{name: {quoted(c.name)}, type: {c.type}}}" for c in columns),
        lf_features=", ".join(map(quoted, read)),
        features=", ".join(map(quoted, learned)),
        featurize=_featurize(made),
    )


def _features(columns: Sequence[Column]) -> tuple[list[str], list[str], list[str]]:
    """What labelling functions read, what models learn from, and what `featurize` makes of each column."""
    read, learned, made = [], [], []
    for column in columns:
        name, vector = column.name, f"{column.name}_vec"
        read.append(name)
        if column.type == "text":
            read.append(f"{name}{LEMMAS}")
            parts = [quoted(part) for part in (name, f"{name}{LEMMAS}", vector)]
            made.append("{{text: {}, lemmas: {}, vector: {}}}".format(*parts))
        elif column.type != "number":
            made.append(
                f"{{text: {quoted(name)}, vector: {quoted(vector)}, encoder: {_ENCODERS[column.type]}}}"
            )
        learned.append(name if column.type == "number" else vector)
    return read, learned, made


def _featurize(made: Sequence[str]) -> str:
    if len(made) < 2:
        return "".join(f"featurize: {part}\n" for part in made)
    return "\n".join(["featurize:", *(f"  - {part}" for part in made), ""])

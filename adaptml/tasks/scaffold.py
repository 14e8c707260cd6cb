"""A new task's folder: a task file and labelling functions that run as they are."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from adaptml.errors import FileError, TaskError, listed
from adaptml.tasks.loader import load_task, parse_task
from adaptml.tasks.problems import problem_type
from adaptml.tasks.schema import Task, name_problem


def new_task(
    tasks_dir: Path,
    name: str,
    class_names: Sequence[str],
    setting: str,
    text: str,
    *,
    image: str | None = None,
) -> Task:
    """Write `<tasks_dir>/<name>/` with `task.yaml` and `lfs.py`, whole or not at all.

    Args:
        tasks_dir: folder of the task folders.
        name: the task's name: lower-case letters, digits and `_`, for it also names tables and an endpoint.
        class_names: at least two.
        setting: exactly one class a data point, or any number.
        text: the column that holds the text.
        image: of a task about pictures, the column that holds their paths or addresses; `text` then means
            nothing.

    Raises:
        TaskError: the name cannot be used or is taken, or the classes or the column cannot be used.
        FileError: nothing can be written in the folder of tasks.
    """
    problem = name_problem(name)
    if problem:
        raise TaskError(problem)
    folder = tasks_dir / name
    if folder.exists():
        raise TaskError(f"{folder} is there already; choose another name or edit it")
    content = _task_file(name, class_names, setting, text, image)
    column = f"text column: {text or 'none'}" if image is None else f"image column: {image or 'none'}"
    given = f"classes: {listed(class_names, 20) or 'none'}; {column}"
    try:
        parse_task(content, folder, f"new task {name!r} ({given})")
    except TaskError as error:
        raise TaskError(f"{error}; fix them and run this again") from error
    try:
        tasks_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=tasks_dir, prefix=".new-") as scratch:
            made = Path(scratch) / name
            made.mkdir()
            (made / "task.yaml").write_text(content, encoding="utf-8")
            (made / "lfs.py").write_text(_lfs_file(class_names, text, image), encoding="utf-8")
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
"""

_DEFAULTS = """\
# What the steps take where a command says nothing else; `label --keep` and `train --keep` write it.
# label: {{label_model: auto, config: {{n_epochs: 100}}}}
# train: {{algorithm: logistic_regression, params: {{C: 10}}, strategy: auto}}
"""

_TEXT_COLUMNS = (
    """\
columns:  # what annotators see
  - {{name: {text}, type: text}}
lf_features: [{text}, {lemmas}]  # what labelling functions read
features: [{vector}]  # what the end model reads
featurize: {{text: {text}, lemmas: {lemmas}, vector: {vector}}}
"""
    + _DEFAULTS
)

# Nobody's positive class is one of the two by accident.
_POSITIVE = "# positive: {example}  # of two classes, the one that precision and recall are to be about\n"
_IMAGE_COLUMNS = (
    """\
columns:  # what annotators see: paths of files in the folder of pictures, or addresses
  - {{name: {image}, type: image}}
lf_features: [{image}]  # what labelling functions read
features: [{vector}]  # what the end model reads
featurize: {{text: {image}, vector: {vector}, encoder: pictures}}
"""
    + _DEFAULTS
)

_LFS_FILE = '''\
"""Labelling functions: each votes for a class or abstains."""

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams, keyword_lf

# class → words and phrases that speak for it, as people write them; each becomes a labelling function.
# Long lists can lie in a file beside this one, a word a line: lookup("words.txt").
KEYWORDS = {{
{keywords}
}}


def get_lfs(params: LFParams) -> list[LabelingFunction]:
    """One labelling function a keyword, over the lemmas."""
    return [
        keyword_lf(f"{{name}}_{{word}}", [word], params.labels[name], {lemmas})
        for name, words in KEYWORDS.items()
        for word in words
    ]
'''

_IMAGE_LFS_FILE = '''\
"""Labelling functions: each votes for a class or abstains."""

from snorkel.labeling import LabelingFunction

from dataprogramming.lfs import LFParams

# class → words that speak for it where the path of a picture holds them: folders often say what is in them
WORDS = {{
{keywords}
}}


def in_path(name: str, words: list[str]) -> LabelingFunction:
    """Votes for the class where the picture's path holds one of the words."""

    def vote(x):
        path = str(x[{image}]).lower()
        return name if any(word in path for word in words) else None

    return LabelingFunction(f"path_{{name}}", vote)


def get_lfs(params: LFParams) -> list[LabelingFunction]:
    """One labelling function a class."""
    return [in_path(name, words) for name, words in WORDS.items()]
'''


def _task_file(name: str, class_names: Sequence[str], setting: str, text: str, image: str | None) -> str:
    quoted = [_quoted(c) for c in class_names]
    rule = f"    description: {_CHOSEN_WHEN}\n    examples: []"
    binary = problem_type(setting).exclusive and len(class_names) == 2
    head = _TASK_FILE.format(
        title=_quoted(name.replace("_", " ").capitalize().ljust(3, "?")),
        asked=_ASKED,
        setting=setting,
        positive=_POSITIVE.format(example=quoted[-1]) if binary else "",
        classes="\n".join(f"  - name: {c}\n{rule}" for c in quoted),
    )
    if image is not None:
        return head + _IMAGE_COLUMNS.format(image=_quoted(image), vector=_quoted(f"{image}_vec"))
    return head + _TEXT_COLUMNS.format(**_columns(text))


def _lfs_file(class_names: Sequence[str], text: str, image: str | None) -> str:
    keywords = "\n".join(f"    {_quoted(c)}: [{_quoted(c.lower())}]," for c in class_names)
    if image is not None:
        return _IMAGE_LFS_FILE.format(keywords=keywords, image=_quoted(image))
    return _LFS_FILE.format(keywords=keywords, lemmas=_columns(text)["lemmas"])


def _columns(text: str) -> dict[str, str]:
    """The columns of a text and its features, quoted."""
    names = {"text": text, "lemmas": f"{text}_lemmas", "vector": f"{text}_vec"}
    return {key: _quoted(value) for key, value in names.items()}


def _quoted(text: str) -> str:
    """JSON's quoting, which is YAML's and Python's too; YAML does not know its escapes of emoji."""
    return json.dumps(text, ensure_ascii=False)

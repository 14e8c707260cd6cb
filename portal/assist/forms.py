"""Forms for rules, and the rules that they make."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd
import sqlalchemy as sa
from pydantic import BaseModel

from adaptml.database import TextList
from adaptml.errors import FrameError, LabellingError
from adaptml.features.cosine import unit_rows
from adaptml.features.nearest import vector_columns
from adaptml.features.words import split
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.rules.core import Example
from adaptml.rules.source import (
    RuleSource,
    keyword_source,
    like_source,
    lookup_source,
    number_source,
    regex_source,
)
from adaptml.tasks import Task
from adaptml.tasks.class_sets import VoteFor, not_
from adaptml.tasks.rule_file import read_rules

Kind = Literal["keywords", "phrase", "regex", "number", "lookup", "like"]
KINDS: Mapping[Kind, str] = {
    "keywords": "Keywords",
    "phrase": "Phrase",
    "regex": "Regular expression",
    "number": "Number",
    "lookup": "Word list in a file",
    "like": "Like these rows",
}
MOST_EXAMPLES = 200
LIKE_ONE = "0.5"


class RuleForm(BaseModel):
    """What a person typed; all of it is text, and any of it may be missing.

    Attributes:
        kind: of the rule.
        table: the data table.
        label: name of the class.
        also: names of more classes, of which it may be one as well.
        ruled_out: whether it is any class but these.
        column: what the rule looks at.
        name: of the rule; empty: made of the class and what it looks for.
        words: keywords or a phrase, one a line.
        exact: only as it is written.
        pattern: a regular expression.
        above, below: bounds of a number; of rows that are like others, the smallest cosine.
        file: name of the file of words.
        like, unlike: ids of examples and of counterexamples.
    """

    kind: Kind = "keywords"
    table: str = ""
    label: str = ""
    also: list[str] = []
    ruled_out: bool = False
    column: str = ""
    name: str = ""
    words: str = ""
    exact: bool = False
    pattern: str = ""
    above: str = ""
    below: str = ""
    file: str = ""
    like: list[str] = []
    unlike: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed yet that the rule could look for."""
        typed = (self.words, self.pattern, self.above, self.below, self.file, *self.like)
        return not any(text.strip() for text in typed)

    @property
    def votes_for(self) -> VoteFor:
        """The class, or the set of classes, that it votes for."""
        if self.ruled_out:
            return not_(*self.chosen)
        return self.label if len(self.chosen) == 1 else self.chosen

    @property
    def chosen(self) -> list[str]:
        """The classes that were ticked, each once."""
        return list(dict.fromkeys([self.label, *self.also]))

    @property
    def lines(self) -> list[str]:
        """The words."""
        return [line.strip() for line in self.words.splitlines() if line.strip()]


def columns_for(kind: Kind, project: Project, task: Task, table: str) -> list[str]:
    """The columns of a table that a rule of a kind can look at: of those that the task's rules read, or all.

    Vectors need not be among them: the task's file names the column when such a rule is added.

    Raises:
        UnknownTableError: no such table.
    """
    if kind == "like":
        return vector_columns(project.points, task, table)
    wanted: tuple[type, ...] = {"number": (sa.Integer, sa.Numeric), "regex": (sa.String,)}.get(
        kind, (sa.String, TextList)
    )
    found = [
        name
        for name, type_ in project.points.columns(table).items()
        if isinstance(type_, wanted) and name not in KEYS
    ]
    return [name for name in found if name in task.lf_features] if task.lf_features else found


def rule_of(form: RuleForm, project: Project, task: Task) -> RuleSource:
    """The rule that a form makes.

    Raises:
        LabellingError: something is missing or cannot be; the line says what.
    """
    if not {form.label, *form.also} <= {*task.class_names}:
        raise LabellingError("no class is chosen; say which class the rule votes for")
    if len(form.chosen) == len(task.class_names):
        raise LabellingError("all classes are chosen, so that a vote would say nothing; leave one out")
    if not form.column:
        raise LabellingError("no column is chosen; say what the rule looks at")
    name = form.name.strip() or _free_name(form, task)
    label, column = form.votes_for, form.column
    if form.kind == "regex":
        return regex_source(name, form.pattern, label, column)
    if form.kind == "number":
        above, below = (_number(text) for text in (form.above, form.below))
        return number_source(name, label, column, above, below)
    if form.kind == "lookup":
        return lookup_source(name, form.lines, label, column, form.file.strip() or f"{_file(name)}.txt")
    if form.kind == "like":
        return _like(form, name, project)
    words = [" ".join(form.words.split())] if form.kind == "phrase" else form.lines
    return keyword_source(name, words, label, column, exact=form.exact)


def _like(form: RuleForm, name: str, project: Project) -> RuleSource:
    if not form.like:
        raise LabellingError("no row is chosen as an example; choose some of the rows that are alike")
    if len(form.like) + len(form.unlike) > MOST_EXAMPLES:
        raise LabellingError(f"more than {MOST_EXAMPLES} rows are chosen; a few dozen are enough")
    above = _number(form.above)
    if above is None:
        raise LabellingError("nothing says how alike rows have to be; give a number from -1 to 1, as 0.8")
    like, unlike = (_examples(project, form.table, form.column, ids) for ids in (form.like, form.unlike))
    return like_source(name, like, unlike, form.votes_for, form.column, above, f"{_file(name)}.json")


def _examples(project: Project, table: str, column: str, ids: Sequence[str]) -> list[Example]:
    if not ids:
        return []
    keys = pd.DataFrame({"table_name": table, "id": list(dict.fromkeys(ids))}, dtype=str)
    found = project.points.read(keys, [column])
    absent = found["id"][found[column].isna()].tolist()
    if absent:
        raise FrameError(f"row {absent[0]} has no vector in {column!r}; featurise the table, or leave it out")
    return [Example.of(table, key, vector) for key, vector in zip(found["id"], found[column], strict=True)]


def usual_likeness(project: Project, form: RuleForm, column: str) -> str:
    """How alike rows have to be where nobody says it: as the examples are among each other.

    Every example is then found by the others; a single one says nothing, and takes `LIKE_ONE`.
    """
    if len(form.like) < 2 or not column:
        return LIKE_ONE
    vectors = unit_rows([example.vector for example in _examples(project, form.table, column, form.like)])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    return f"{np.floor(100 * cosines.max(axis=1).min()) / 100:.2f}"


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError as error:
        raise LabellingError(f"{text!r} is no number; write it such as 15 or 0.5") from error


def _free_name(form: RuleForm, task: Task) -> str:
    """A name that the file of rules does not hold yet."""
    pattern = re.sub(r"\\.", " ", form.pattern)  # without \b and the like
    first = {"regex": pattern, "number": form.column, "like": "like"}.get(form.kind, form.words)
    words = [word.lower() for word in split(first) if word.isalnum()][:3]
    classes = " or ".join(form.chosen)
    stem = "_".join([*(["not"] if form.ruled_out else []), *classes.split(), *(words or [form.kind])])
    text, number = read_rules(task), 1
    while f'"{(name := stem if number == 1 else f"{stem}_{number}")}"' in text:
        number += 1
    return name


def _file(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", name).strip("_") or "rule"

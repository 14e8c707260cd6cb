"""A rehearsal of a task: its file, its data and its labelling functions, before a step needs them."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

import pandas as pd

from adaptml.data import Data, read_points
from adaptml.database.facts import TableFacts, kind, table_facts
from adaptml.errors import AdaptmlError, FeatureError, ModelError, UnknownTableError, listed
from adaptml.features.catalogue import HOLDS, Feature
from adaptml.features.encoders import check_encoder, encoder_takes
from adaptml.features.lemmas import has_lemmas, lemma_languages
from adaptml.features.values import FeatureValues
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks.defaults import DEFAULT_ALGORITHM, named, shown
from adaptml.tasks.mentions import mentions, said_of
from adaptml.tasks.scaffold import PLACEHOLDERS
from adaptml.tasks.schema import Featurize, Task

Level = Literal["ok", "warning", "error"]
SAMPLE = 2_000  # data points that labelling functions are tried on, at most
SEED = 0


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        level: `ok`, `warning` (it will work, and is perhaps not meant) or `error` (a step will refuse it).
        what: what was looked at, in a word or two.
        text: what was found, and for a warning or an error what to do; one line.

    Example:
        >>> adaptml.check_task(project, "spam")[0]
        Finding(level='ok', what='task file', text='multiclass, 2 classes: ham, spam')
    """

    level: Level
    what: str
    text: str


def check_task(project: Project, task: str | Task, data: Data | None = None) -> list[Finding]:
    """Look at everything that a task's steps will need; nothing is written.

    Args:
        project: holds the task and its data.
        task: the task, or its name.
        data: the points that it is for: a table, `table where …`, a frame or a path of one. Without it only
            the task's files are looked at.

    Returns:
        Findings in the order of the work: the task file, the table, the labelling functions, each of which is
        tried on 20 rows, and its keywords on at most 2,000. Where Snorkel is not installed, as in the
        container for annotation, labelling functions are not looked at, and that is a finding too.

    Raises:
        TaskError: no such task, or a task file that cannot be read: all its problems in one line.

    Example:
        >>> found = adaptml.check_task(project, "spam", "comments")
        >>> [finding.text for finding in found if finding.what == "comments.id"]
        ['text, unique']
    """
    task = project.task(task)
    findings = check_file(task)
    points = None
    if data is not None:
        found, points = check_data(project, task, data)
        findings += found
    return findings + check_functions(project, task, points)


def check_functions(project: Project, task: Task, points: pd.DataFrame | None) -> list[Finding]:
    """Labelling functions, where the library that they are made with is installed."""
    if find_spec("snorkel") is None:
        return [Finding("warning", "labelling functions", "not checked: Snorkel is not installed here")]
    found: list[Finding] = import_module("adaptml").check_lfs(project, task, points)
    return found


def check_file(task: Task) -> list[Finding]:
    """The task file: what it says, and what its writer forgot."""
    classes = f"{task.setting}, {len(task.classes)} classes: {listed(task.class_names, 20)}"
    return [
        Finding("ok", "task file", classes),
        *_guide(task),
        *_former(task),
        *_language(task),
        *_encoder(task),
        *_kept(task),
    ]


def check_data(project: Project, task: Task, data: Data) -> tuple[list[Finding], pd.DataFrame | None]:
    """The tables of some data points.

    Returns:
        Findings; and a sample of at most 2,000 of the points, for labelling functions to be tried on: a frame
        with table_name and id, or None where there is nothing that could be read.
    """
    if isinstance(data, str) and project.database.has_table(data):
        findings = _table(project, task, data)
        if any(f.level == "error" and f.what == f"{data}.id" for f in findings):
            return findings, None
    else:
        findings = []
    try:
        points = read_points(project, data)[KEYS]
        if not findings:
            for table in points["table_name"].unique():
                findings += _table(project, task, str(table))
    except AdaptmlError as error:
        return [*findings, Finding("error", "data", str(error))], None
    return findings, points.sample(min(SAMPLE, len(points)), random_state=SEED)


def _kept(task: Task) -> Iterator[Finding]:
    """What the task file keeps for steps; that of `label` is checked with the labelling functions."""
    for section, kept in (("label", task.label), ("train", task.train)):
        values = named(**{name: value for name, value in kept if value != {}})
        problem = _train_problem(task) if section == "train" and values else ""
        if problem:
            yield Finding("error", section, problem)
        elif values:
            said = ", ".join(f"{name} {shown(value)}" for name, value in values.items())
            yield Finding("ok", section, f"kept in the task file: {said}")


def _train_problem(task: Task) -> str:
    """What is wrong with the algorithm that the task keeps, where the library that it is of is installed."""
    if find_spec("sklearn") is None:
        return ""
    name, known = task.train.algorithm or DEFAULT_ALGORITHM, import_module("adaptml").algorithms()
    if name not in known:
        return f"algorithm: no algorithm {name!r}; expected one of {listed(list(known), 20)}"
    try:
        known[name].from_options(task.train.params)
    except ModelError as error:
        return f"params: {error}"
    return ""


def _guide(task: Task) -> Iterator[Finding]:
    """Texts for annotators that are still those of a new task."""
    left = [spec.name for spec in task.classes if spec.description in PLACEHOLDERS]
    if left:
        yield Finding(
            "warning",
            "coding guide",
            f"nobody has said yet when to choose {listed(left)}: write their description",
        )
    if task.description in PLACEHOLDERS:
        yield Finding("warning", "coding guide", "nobody has said yet what is asked: write the description")


def _former(task: Task) -> Iterator[Finding]:
    """Names of classes of before in the task's code."""
    former = set(task.meanings) - set(task.class_names)
    for line in said_of(mentions(task, former), task.meanings):
        yield Finding("warning", "classes", f"{line}; where the class is meant, write it as it is now")


def _language(task: Task) -> Iterator[Finding]:
    if not any(part.lemmas for part in task.featurize):
        return
    try:
        known = has_lemmas(task.language)
    except FeatureError as error:
        yield Finding("warning", "language", str(error))
    else:
        if not known:
            text = f"{task.language} has no dictionary, so its words stay as they are written"
            yield Finding("warning", "language", f"{text}; these have one: {', '.join(lemma_languages())}")


def _encoder(task: Task) -> Iterator[Finding]:
    for part in task.featurize:
        try:
            if part.vector is not None:
                check_encoder(part.encoder)
            if part.answer is not None or part.score is not None:
                check_encoder(part.encoder, "answers")
        except FeatureError as error:
            yield Finding("error", "encoder", str(error))


def _table(project: Project, task: Task, table: str) -> list[Finding]:
    shown = [column.name for column in task.columns]
    read = [part.text for part in task.featurize]
    wanted = list(dict.fromkeys([*shown, *read, *task.lf_features, *task.model_features]))
    try:
        facts = table_facts(project.database, table, wanted)
    except UnknownTableError as error:
        return [Finding("error", "table", str(error))]
    level: Level = "ok" if facts.rows else "error"
    rows = f"{facts.rows} rows" if facts.rows else "no rows: load some"
    found = [Finding(level, table, rows), *_ids(table, facts)]
    try:
        features = project.points.resolved(table, wanted)
    except FeatureError as error:  # a version that the task names and the table does not have
        return [*found, Finding("error", "features", str(error))]
    return found + [
        _column(task, table, str(name), facts)
        if feature is None
        else _feature(table, str(name), feature, project)
        for name, feature in features.items()
    ]


def _ids(table: str, facts: TableFacts) -> Iterator[Finding]:
    what = f"{table}.id"
    if facts.id_problem is not None:
        yield Finding("error", what, facts.id_problem)
    if facts.indexed is False:
        hint = f"CREATE UNIQUE INDEX {table.replace('.', '_')}_id ON {table} (id)"
        yield Finding("warning", what, f"no index, so that every look-up reads the whole table: {hint}")
    elif facts.id_problem is None:
        yield Finding("ok", what, f"{kind(facts.types['id'])}, unique")


def _feature(table: str, name: str, feature: Feature, project: Project) -> Finding:
    """A feature that the task names, in a table of its own."""
    rows = FeatureValues(project.results, feature).count()
    return Finding(
        "ok", f"{table}.{name}", f"{HOLDS[feature.kind]}, feature {feature.reference} of {rows} rows"
    )


def _read_by(made: Featurize) -> tuple[str, ...]:
    """What the column may hold that `featurize` reads, in the words of `kind`."""
    if made.lemmas is not None or not made.makes:
        return ("text",)
    try:
        takes = encoder_takes(made.encoder)
        return {"text": ("text",), "number": ("number",)}.get(takes, ("text", "vector"))
    except FeatureError:  # which is a finding of its own
        return ("text",)


# What a column of each type may hold, in the words of `kind`; texts are shown whatever they are.
_SHOWN = {"number": ("number",), "image": ("text", "vector"), "audio": ("text",), "video": ("text",)}


def _column(task: Task, table: str, name: str, facts: TableFacts) -> Finding:
    """One column that the task names: there, of a type that its use can take, filled."""
    what = f"{table}.{name}"
    computed = any(name in part.makes for part in task.featurize)
    if name not in facts.types:
        if computed:
            hint = f"not there yet: run `adaptml featurize {task.name} --data {table}`"
            return Finding("warning", what, hint)
        has = listed(list(facts.types), 20)
        return Finding("error", what, f"no such column; the columns are {has}: rename it in the task file")
    holds = kind(facts.types[name])
    if name in task.model_features and (
        holds not in ("vector", "number", "text") or (computed and holds == "text")
    ):
        hint = "expected numbers or a vector: name the column that holds the features"
        return Finding("error", what, f"{holds}; {hint}")
    for made in task.featurize:
        if name == made.text and holds not in (reads := _read_by(made)):
            return Finding("error", what, f"{holds}; featurize reads {reads[0]} here: name another column")
    shown_as = next((column.type for column in task.columns if column.name == name), "text")
    if holds not in (*_SHOWN.get(shown_as, (holds,)), "untyped"):
        hint = f"expected {_SHOWN[shown_as][0]} in a column of type {shown_as}"
        return Finding("warning", what, f"{holds}; {hint}: correct the task file, or name another column")
    if name in task.model_features and holds == "text":
        holds = "text, a category where it has few values"
    missing = facts.missing[name]
    if missing:
        hint = f": run `adaptml featurize {task.name} --data {table}`" if computed else ""
        return Finding("warning", what, f"{holds}, missing in {missing} of {facts.rows} rows{hint}")
    return Finding("ok", what, holds)

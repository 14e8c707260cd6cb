"""Texts and vectors of old and new rows, as many as a test needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlalchemy as sa

from adaptml.database import Vector
from adaptml.errors import FeatureError, one_line
from adaptml.features.reading import read_features
from adaptml.features.required import check_featurized
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.watching.statistics import FEWEST
from dataprogramming.watching.told_apart import ToldApart, told_apart
from dataprogramming.watching.words import NewWords, new_words

MOST_TEXTS = 5_000
MOST_VECTORS = 2_000
TOO_FEW = f"; a side has fewer than {2 * FEWEST}"


@dataclass(frozen=True)
class ByWords:
    """The words of new rows.

    Attributes:
        rows: `table_name` and `id` of the new rows whose texts were read.
        found: the words; None where there is nothing to test.
        note: what was compared, in a sentence.
    """

    rows: pd.DataFrame
    found: NewWords | None
    note: str


@dataclass(frozen=True)
class ByVectors:
    """The vectors of new rows; as `ByWords`."""

    rows: pd.DataFrame
    found: ToldApart | None
    note: str


def some(keys: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """At most so many rows, drawn at random, in their order."""
    drawn = np.random.default_rng(seed).permutation(len(keys))[:most]
    return keys.iloc[np.sort(drawn)][KEYS].reset_index(drop=True)


def check_new_featurized(project: Project, task: Task, new: pd.DataFrame) -> None:
    """Refuse new rows whose words nobody computed yet: rules would be silent on them, and seem to have died.

    Args:
        project: holds the features.
        task: says which words its rules read, and of which text they are made.
        new: `table_name` and `id` (m rows).

    Raises:
        FeatureError: says how many rows have a text and no words.
    """
    for made in task.featurize:
        if made.lemmas is None or (task.lf_features and made.lemmas not in task.lf_features):
            continue
        check_featurized(project.points, task, map(str, new["table_name"].unique()), [made.lemmas])
        missing = _without_words(project, new, made.text, made.lemmas)
        if missing:
            raise FeatureError(
                f"{missing} of {len(new)} new rows have no {made.lemmas!r} yet, which rules of task "
                f"{task.name!r} read: run `adaptml featurize {task.name} --data {new['table_name'].iloc[0]}`"
            )


def _without_words(project: Project, new: pd.DataFrame, text: str, lemmas: str) -> int:
    """How many rows have a text and no words, read in chunks."""
    missing = 0
    for rows in project.points.read_stored(new, [text, lemmas]):
        cells = rows.columns()
        pairs = zip(cells[text], cells[lemmas], strict=True)
        missing += sum(read is not None and words is None for read, words in pairs)
    return missing


def by_words(project: Project, task: Task, old: pd.DataFrame, new: pd.DataFrame, seed: int) -> ByWords:
    """Look for new words in what annotators read, of at most 5,000 rows a side.

    Args:
        project: holds the tables.
        task: says which columns are texts.
        old, new: `table_name` and `id`.
        seed: draws rows and halves.
    """
    columns = [column.name for column in task.columns if column.type == "text"]
    if not columns:
        return ByWords(new.head(0), None, "left out: the task shows no text")
    (_, was), (rows, now) = (_texts(project, some(keys, MOST_TEXTS, seed), columns) for keys in (old, new))
    found = new_words(was, now, seed)
    note = f"{len(now)} new rows and {len(was)} old ones"
    return ByWords(rows, found, note if found else f"nothing to test in {note}")


def _texts(project: Project, keys: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """The rows that are still there, and what annotators read of each."""
    parts = [keys.head(0)]
    for table, group in keys.groupby("table_name", sort=False):
        kinds = project.database.columns(str(table))
        there = [name for name in columns if isinstance(kinds.get(name), sa.String)]
        parts.append(project.database.read(group, there, skip_missing=True))
    read = pd.concat(parts, ignore_index=True)
    cells = read.drop(columns=KEYS).itertuples(index=False, name=None)
    return read[KEYS], ["\n".join(text for text in row if isinstance(text, str)) for row in cells]


def by_vectors(project: Project, task: Task, old: pd.DataFrame, new: pd.DataFrame, seed: int) -> ByVectors:
    """Ask whether a classifier tells new rows from old by their vectors, of at most 2,000 rows a side.

    Args:
        project: holds the features.
        task: names them.
        old, new: `table_name` and `id`.
        seed: draws rows and halves.
    """
    was, now = some(old, MOST_VECTORS, seed), some(new, MOST_VECTORS, seed)
    tables = [str(name) for name in pd.concat([was, now])["table_name"].unique()]
    kinds = [project.points.columns(table) for table in tables]
    vectors = [name for name in task.features if all(isinstance(kind.get(name), Vector) for kind in kinds)]
    if not vectors:
        return ByVectors(now, None, "left out: no feature of the task is a vector in every table")
    try:
        matrices = [read_features(project.points, keys, vectors) for keys in (was, now)]
    except FeatureError as error:  # rows that nobody featurised yet; the rest can be watched all the same
        return ByVectors(now, None, f"left out: {one_line(error)}")
    found = told_apart(matrices[0], matrices[1], seed)
    note = f"{', '.join(vectors)} of {len(now)} new rows and {len(was)} old ones"
    return ByVectors(now, found, note if found else note + TOO_FEW)

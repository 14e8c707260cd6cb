"""Classes may be called anything, and columns may not: `<task>_classes` says which slug is whose."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml.database.core import Database
from adaptml.errors import DatabaseError
from adaptml.tasks.schema import Task

FLAG, PROB = "is_", "prob_"  # before the slug, so that no class can take the name of another column
MAX_SLUG_BYTES = 50  # PostgreSQL takes 63 for a column
# String and not Text, which on CrateDB has no index: people look for a slug.
_COLUMNS: dict[str, TypeEngine[Any]] = {"name": sa.Text(), "slug": sa.String(), "position": sa.Integer()}


def class_slugs(names: Sequence[str], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """A slug for each class: small ASCII letters, digits and _, so that no database wants it quoted.

    Args:
        names: class names in the task's order.
        known: slugs that classes have already. They keep them, and nobody else gets them.

    Returns:
        Name → slug of 1 to 50 characters, no two alike, in the order of the names.

    Example:
        >>> class_slugs(["a.b", "Cat", "cat", "Straße", "Ψ"])
        {'a.b': 'a_b', 'Cat': 'cat', 'cat': 'cat_2', 'Straße': 'strasse', 'Ψ': 'class_5'}
        >>> class_slugs(["cat", "Cat"], known={"cat": "cat_2", "Cat": "cat"})
        {'cat': 'cat_2', 'Cat': 'cat'}
    """
    slugs = dict(known or {})
    taken = set(slugs.values())
    for number, name in enumerate(names, start=1):
        if name not in slugs:
            slugs[name] = _free(_ascii(name) or f"class_{number}", taken)
            taken.add(slugs[name])
    return {name: slugs[name] for name in names}


def class_columns(slugs: Mapping[str, str]) -> dict[str, TypeEngine[Any]]:
    """Names and types of the columns of classes: the flags, then the probabilities."""
    flags: dict[str, TypeEngine[Any]] = {FLAG + slug: sa.SmallInteger() for slug in slugs.values()}
    return flags | {PROB + slug: sa.Double() for slug in slugs.values()}


def _ascii(name: str) -> str:
    """What of a name is ASCII, marks on letters taken off; it may be nothing."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "_", plain)[:MAX_SLUG_BYTES].strip("_")


def _free(slug: str, taken: set[str]) -> str:
    """The slug, or the first with a number behind it that nobody has."""
    found, number = slug, 1
    while found in taken:
        number += 1
        found = f"{slug[: MAX_SLUG_BYTES - len(str(number)) - 1].rstrip('_')}_{number}"
    return found


def classes_table(task: str) -> str:
    """Name of the table that says which columns belong to which class."""
    return f"{task}_classes"


def read_slugs(database: Database, task: str) -> dict[str, str]:
    """The slugs of a task's classes, name → slug; those that are no class of it any more come last.

    Raises:
        DatabaseError: a table of that name that is not of this kind.
    """
    frame = _read(database, task)
    return dict(zip(frame["name"], frame["slug"], strict=True))


def keep_slugs(database: Database, task: Task, *, current: bool = True) -> dict[str, str]:
    """Give every class of a task a slug, for good: name → slug in the task's order.

    `position` is the place of a class in the task, from 0, and NULL for one that is no class of it any more.

    Args:
        database: where the results lie.
        task: has the classes.
        current: whether the classes are those of the task now; if not, only new names are added, without a
            place unless they are the first.

    Raises:
        DatabaseError: a table of that name that is not of this kind.
    """
    before = _read(database, task.name)
    known = dict(zip(before["name"], before["slug"], strict=True))
    slugs = class_slugs(task.class_names, known)
    places: Mapping[str, int | None] = {name: place for place, name in enumerate(slugs)}
    if not current and len(before):
        places = dict.fromkeys(slugs) | dict(zip(before["name"], before["position"], strict=True))
    rows = [(name, slug, places.get(name)) for name, slug in (known | slugs).items()]
    now = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    if _rows(now) != _rows(before):
        database.create_table(classes_table(task.name), _COLUMNS, ["name"])
        database.upsert(classes_table(task.name), now, ["name"])
    return slugs


def _read(database: Database, task: str) -> pd.DataFrame:
    """name, slug and position of each class, in order; no rows where nothing was written yet."""
    table = classes_table(task)
    if table not in database.tables():
        return pd.DataFrame(columns=list(_COLUMNS), dtype=object)
    has = database.columns(table)
    if set(_COLUMNS) - set(has):
        raise DatabaseError(
            f"table {table!r} is to hold {', '.join(_COLUMNS)} of the classes of task {task!r}, and has the "
            f"columns {', '.join(has)}: rename it, or name another database in ADAPTML_RESULTS_DATABASE_URL"
        )
    found = database.found_table(table, list(_COLUMNS))
    with database.translated(), database.engine.connect() as connection:
        rows = connection.execute(sa.select(*(found.c[name] for name in _COLUMNS))).all()
    in_order = sorted(map(tuple, rows), key=lambda row: (row[2] is None, row[2], row[0]))
    return pd.DataFrame(in_order, columns=list(_COLUMNS), dtype=object)


def _rows(frame: pd.DataFrame) -> set[tuple[object, ...]]:
    return set(frame.itertuples(index=False, name=None))

"""The tables of labels, predictions and annotations after a change of classes.

`label` holds the names of now. A class that was renamed keeps its columns; what classes were merged into gets
columns of its own, filled with what theirs say. The columns of classes that were merged, split or dropped
stay as they are, and `<task>_classes` gives them no place any more, so that all of it can be taken back.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add

import pandas as pd
import sqlalchemy as sa

from adaptml.database import Database, cratedb
from adaptml.database.class_slugs import (
    FLAG,
    PROB,
    class_columns,
    class_slugs,
    classes_table,
    keep_slugs,
)
from adaptml.database.writeback import WritebackKind
from adaptml.database.writeback_before import OF_BEFORE, migrate, pages
from adaptml.frames import KEYS
from adaptml.tasks import ClassChange, Task

Labels = tuple[str, ...]
Slugs = dict[str, tuple[str, int | None]]
RUN_KEYS = [*KEYS, "run_id"]
KINDS = (WritebackKind.LABELS, WritebackKind.PREDICTIONS)
_UNTIL = " (until {date})"  # behind the name of a class whose name lives on in what it was merged into


def tables_of(database: Database, task: str) -> dict[WritebackKind, str]:
    """The tables that results of a task were written back to, as far as they are there."""
    there = set(database.tables())
    names = {kind: f"{task}_{kind}" for kind in WritebackKind}
    return {kind: name for kind, name in names.items() if name in there}


def count_labels(database: Database, table: str) -> Counter[Labels]:
    """How many rows of a table have each label set."""
    target = database.found_table(table, [*RUN_KEYS, "label"])
    keys = [*RUN_KEYS, *(["annotator"] if "annotator" in target.c else [])]
    columns = [*(target.c[key] for key in keys), target.c.label]
    return Counter(tuple(row[-1] or ()) for page in pages(database, target, columns, keys) for row in page)


def relabel(database: Database, table: str, new: Callable[[Labels], Labels]) -> int:
    """Write label sets anew, all of a table in one transaction; returns how many rows have another one.

    Args:
        database: holds the table.
        table: one with a column `label`.
        new: what a label set becomes; what it has become stays.
    """
    becomes = {old: new(old) for old in count_labels(database, table)}
    target, n = database.found_table(table, ["label"]), 0
    with database.translated(), database.engine.begin() as connection:
        for old, now in becomes.items():
            if old != now:
                statement = sa.update(target).where(target.c.label == [*old]).values(label=[*now])
                n += connection.execute(statement).rowcount
        cratedb.refresh(connection, target)
    return n


def read_classes(database: Database, task: str) -> Slugs:
    """`<task>_classes`: name → slug and place."""
    table = classes_table(task)
    if table not in database.tables():
        return {}
    target = database.found_table(table, ["name", "slug", "position"])
    with database.translated(), database.engine.connect() as connection:
        rows = connection.execute(sa.select(target.c.name, target.c.slug, target.c.position)).all()
    return {name: (slug, position) for name, slug, position in rows}


def spread(database: Database, task: Task, before: Task) -> None:
    """Give tables of an earlier version, with all probabilities in one array, columns of their classes."""
    for kind, table in tables_of(database, task.name).items():
        if kind in KINDS and OF_BEFORE in database.columns(table):
            slugs = keep_slugs(database, before)
            database.add_columns(table, class_columns(slugs))
            migrate(database, table, RUN_KEYS, slugs)


def follow(database: Database, task: str, change: ClassChange) -> None:
    """Bring the columns of classes and `<task>_classes` up to one change; the same again changes nothing.

    The places of the classes are left open, for `keep_slugs` to fill in.

    Args:
        database: of results.
        task: its name.
        change: the change.
    """
    rows = read_classes(database, task)
    if not rows:
        return
    slugs = {name: slug for name, (slug, _) in rows.items()}
    merged: dict[str, list[str]] = {}
    for target, names in sources(change).items():
        known = [slugs[name] for name in names if name in slugs]
        until = target + _UNTIL.format(date=change.date)
        if len(names) == 1 and known and slugs.get(target, known[0]) == known[0]:
            slugs[target] = slugs.pop(names[0])
        elif len(names) > 1 and known and (target not in slugs or (target in names and until not in slugs)):
            if target in slugs:
                slugs[until] = slugs.pop(target)
            slugs[target] = class_slugs([target], slugs)[target]
            merged[slugs[target]] = known
    for kind, table in tables_of(database, task).items():
        if kind in KINDS:
            _fill(database, table, merged)
    write_classes(database, task, {name: (slug, None) for name, slug in slugs.items()}, rows)


def sources(change: ClassChange) -> dict[str, list[str]]:
    """New name → the classes of before that became it and nothing else."""
    found: dict[str, list[str]] = {}
    for name in change.before:
        targets = change.targets(name)
        if len(targets) == 1:
            found.setdefault(targets[0], []).append(name)
    return found


def write_classes(database: Database, task: str, rows: Slugs, before: Slugs) -> None:
    """Make `<task>_classes` hold these rows in place of others; new ones come before old ones go."""
    table = classes_table(task)
    new = [(name, *place) for name, place in rows.items() if before.get(name) != place]
    if new:
        frame = pd.DataFrame(new, columns=["name", "slug", "position"], dtype=object)
        database.upsert(table, frame, ["name"])
    gone = [name for name in before if name not in rows]
    if gone:
        target = database.found_table(table, ["name"])
        with database.translated(), database.engine.begin() as connection:
            for name in gone:
                connection.execute(sa.delete(target).where(target.c.name == name))
            cratedb.refresh(connection, target)


def _fill(database: Database, table: str, merged: Mapping[str, Sequence[str]]) -> None:
    """Columns of what classes were merged into: any of their flags, their probabilities' sum, at most 1."""
    there = set(database.columns(table))
    for slug, slugs in merged.items():
        flags, probs = ([prefix + one for one in slugs if prefix + one in there] for prefix in (FLAG, PROB))
        if not flags or not probs:
            continue
        database.add_columns(table, class_columns({slug: slug}))
        target = database.found_table(table, [*flags, *probs, FLAG + slug, PROB + slug])
        total = reduce(add, (sa.func.coalesce(target.c[name], 0.0) for name in probs))
        capped = sa.case((total > 1.0, 1.0), else_=total)
        statement = (
            sa.update(target)
            .where(_any_known(target, flags))
            .values(
                {
                    FLAG + slug: sa.case((sa.or_(*(target.c[name] == 1 for name in flags)), 1), else_=0),
                    PROB + slug: sa.case((_any_known(target, probs), capped), else_=sa.null()),
                }
            )
        )
        with database.translated(), database.engine.begin() as connection:
            connection.execute(statement)
            cratedb.refresh(connection, target)


def _any_known(target: sa.Table, columns: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.or_(*(target.c[name].is_not(None) for name in columns))


def take_back(database: Database, task: str, change: ClassChange, before: Slugs) -> None:
    """Labels and predictions by the names of before a change, and `<task>_classes` as it was.

    Rows that were there before say by their flags what they were labelled. Of rows that were made since,
    names change that stand for one class of before; others stay as they are.

    Args:
        database: of results.
        task: its name.
        change: the change.
        before: `<task>_classes` as it was.
    """
    for kind, table in tables_of(database, task).items():
        if kind in KINDS:
            _relabel_back(database, table, change, before)
    rows = read_classes(database, task)
    if rows:
        slugs = {slug for slug, _ in before.values()}
        since: Slugs = {}  # their columns hold something, so nobody else may get them
        for name, (slug, _) in rows.items():
            if slug not in slugs:
                since[f"{name} (taken back, {slug})" if name in before else name] = (slug, None)
        write_classes(database, task, {**since, **before}, rows)


def _relabel_back(database: Database, table: str, change: ClassChange, before: Slugs) -> None:
    one_to_one = {new: names[0] for new, names in sources(change).items() if len(names) == 1}
    lossy = [name for name in change.before if name not in one_to_one.values() and name in before]
    there = set(database.columns(table))
    flags = {name: FLAG + before[name][0] for name in lossy if FLAG + before[name][0] in there}
    target = database.found_table(table, ["label", *flags.values()])
    keys = [target.c[key] for key in RUN_KEYS]
    columns = [*keys, target.c.label, *(target.c[column] for column in flags.values())]
    found = {
        (tuple(row[len(keys)] or ()), tuple(row[len(keys) + 1 :]))
        for page in pages(database, target, columns, RUN_KEYS)
        for row in page
    }
    with database.translated(), database.engine.begin() as connection:
        for label, values in found:
            has = dict(zip(flags, values, strict=True))
            new = _label_before(label, has, one_to_one, change.before)
            if new != label:
                same = [
                    target.c[flags[name]].is_(None) if value is None else target.c[flags[name]] == value
                    for name, value in has.items()
                ]
                where = sa.and_(target.c.label == [*label], *same)
                connection.execute(sa.update(target).where(where).values(label=[*new]))
        cratedb.refresh(connection, target)


def _label_before(
    label: Labels, flags: Mapping[str, int | None], one_to_one: Mapping[str, str], before: Sequence[str]
) -> Labels:
    """A label set by the names of before: of what they do not say one by one, the flags of the row do."""
    was_there = any(value is not None for value in flags.values())
    names = {one_to_one.get(name, name) for name in label if name in one_to_one or not was_there}
    names |= {name for name, value in flags.items() if value == 1}
    return (
        *(name for name in before if name in names),
        *(name for name in label if name in names - set(before)),
    )

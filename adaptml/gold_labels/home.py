"""Gold's home: the table `<task>_gold`, a row for each point and origin; `gold_df` is its export."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from adaptml.errors import DatabaseError
from adaptml.files import removing, replacing
from adaptml.frames import KEYS, read_frame
from adaptml.gold_labels.core import RANK, Origin, differ, parts, read_seen
from adaptml.labelled import GOLD_LABEL
from adaptml.project import Project

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from adaptml.database import Database

ROW_KEYS = [*KEYS, "origin"]
COLUMNS = [*ROW_KEYS, "label", "choice", "who", "made_at", "part", "seen"]
EXPORTED = [*KEYS, GOLD_LABEL, "origin", "part"]
_BEFORE = {*KEYS, "run_id", GOLD_LABEL, "written_at"}  # the columns that the table had before gold had a home


@dataclass(frozen=True)
class GoldHome:
    """The gold labels of one task, whoever made them.

    A row is a point's label by one origin: `table_name`, `id`, `origin`, `label` (list of class names),
    `choice` (how annotators' labels were chosen, or the file), `who` (the annotators), `made_at` (UTC, None
    where it is not on record), `part` (`tune` or `judge`) and `seen` (as `seen_text` writes it, or None).

    Attributes:
        project: holds the table in its database of results, and the export.
        task: the task's name.
    """

    project: Project
    task: str

    @property
    def table(self) -> str:
        """Name of the table."""
        return f"{self.task}_gold"

    @property
    def exists(self) -> bool:
        """Whether there is gold of any kind, that of a project made before gold had a home included."""
        return self.project.settings.gold(self.task).is_file() or self.table in self.project.results.tables()

    def rows(self) -> pd.DataFrame:
        """All rows, of all origins, ordered by key; those of before, as they are, where the table holds none.

        Raises:
            DatabaseError: a table of that name that is none of gold labels.
        """
        database, columns = self.project.results, self._columns()
        if "origin" in columns:
            rows = _read(database, self.table, COLUMNS)
            if len(rows):
                return rows
        elif columns and not columns >= _BEFORE:
            raise DatabaseError(
                f"the table {self.table!r} holds no gold labels of this project; expected the columns "
                f"{', '.join(COLUMNS)}: give it another name, and run this again"
            )
        path = self.project.settings.gold(self.task)
        if path.is_file():
            return _rows_of_before(read_frame(path))
        if columns >= _BEFORE:
            return _rows_of_before(_latest_run(_read(database, self.table, sorted(_BEFORE))))
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})

    def _columns(self) -> set[str]:
        """The columns of the table; none where it is not there."""
        database = self.project.results
        return set(database.columns(self.table)) if self.table in database.tables() else set()

    def replace(self, new: pd.DataFrame, export: Path | None = None) -> None:
        """Write rows that take the place of all earlier ones of their origins, and the export.

        Args:
            new: the columns of a row, but for `part`, at least one row.
            export: where to write the export; default: in its place.
        """
        rows = self.rows()
        after = _joined(rows[~rows["origin"].isin(set(new["origin"]))], new)
        self._write(after, new, whole=True, export=export)

    def add(self, new: pd.DataFrame) -> None:
        """Write rows that take the place of earlier ones of the same point and origin, and the export.

        Args:
            new: the columns of a row, but for `part`, at least one row.
        """
        rows = self.rows()
        there = pd.MultiIndex.from_frame(rows[ROW_KEYS]).isin(pd.MultiIndex.from_frame(new[ROW_KEYS]))
        self._write(_joined(rows[~there], new), new, whole=False)

    def take_out(self, points: pd.DataFrame) -> None:
        """Remove rows, and write the export without them.

        Args:
            points: the columns of `ROW_KEYS`; rows that are in the table.
        """
        import sqlalchemy as sa

        from adaptml.database import cratedb

        rows = self.rows()
        gone = pd.MultiIndex.from_frame(rows[ROW_KEYS]).isin(pd.MultiIndex.from_frame(points[ROW_KEYS]))
        if "origin" not in self._columns():  # what was gold before moves in first
            self.add(rows)
        export = self.project.settings.gold(self.task)
        with removing(export) if gone.all() else replacing(export) as path:
            if not gone.all():
                exported(rows[~gone]).to_parquet(path, index=False)
            database = self.project.results
            target = database.found_table(self.table, ROW_KEYS)
            with database.translated(), database.engine.begin() as connection:
                for row in points[ROW_KEYS].itertuples(index=False, name=None):
                    same = (target.c[key] == value for key, value in zip(ROW_KEYS, row, strict=True))
                    connection.execute(sa.delete(target).where(*same))
                cratedb.refresh(connection, target)

    def _write(self, after: pd.DataFrame, new: pd.DataFrame, whole: bool, export: Path | None = None) -> None:
        """Write to the table, then the export, which takes its place when the table has been written."""
        from adaptml.database.replacing import replace_kind  # SQLAlchemy takes a third of a second

        with replacing(export or self.project.settings.gold(self.task)) as path:
            exported(after).to_parquet(path, index=False)
            database = self.project.results
            self._make_table(database)
            if _read(
                database, self.table, ROW_KEYS
            ).empty:  # what was gold before moves in with the first rows
                database.upsert(self.table, after, ROW_KEYS)
            elif whole:
                replace_kind(database, self.table, _joined(after.iloc[:0], new), ROW_KEYS, "origin")
            else:
                database.upsert(self.table, _joined(after.iloc[:0], new), ROW_KEYS)

    def _make_table(self, database: "Database") -> None:
        """Make the table unless it is there; one of before keeps its rows under another name."""
        import sqlalchemy as sa

        from adaptml.database.replacing import rename_table
        from adaptml.database.types import TextList

        tables = database.tables()
        if self.table in tables and "origin" not in database.columns(self.table):
            rename_table(database, self.table, _free(f"{self.table}_of_before", tables))
        types: dict[str, TypeEngine[Any]] = dict.fromkeys(COLUMNS, sa.Text())
        types |= {"label": TextList(), "made_at": sa.DateTime(timezone=True)}
        database.create_table(self.table, types, ROW_KEYS)


def counting(rows: pd.DataFrame) -> pd.DataFrame:
    """The row of each point that counts, that of the highest origin, in the order of the points.

    What was said of an earlier wording than the one that was labelled last counts less than anything else.
    """
    ranks = rows["origin"].map(RANK) - len(RANK) * _outdated(rows)
    return rows.loc[rows.assign(rank=ranks).groupby(KEYS, sort=False)["rank"].idxmax()].reset_index(drop=True)


def _outdated(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows saw another wording than the last row of their point that has it on record."""
    dated = rows[rows["made_at"].notna() & rows["seen"].notna()]
    order = pd.to_datetime(dated["made_at"], utc=True).sort_values(kind="stable").index
    latest = dict(
        zip(dated.loc[order, KEYS].itertuples(index=False, name=None), dated.loc[order, "seen"], strict=True)
    )
    points = rows[KEYS].itertuples(index=False, name=None)
    flags = [
        differ(read_seen(seen), read_seen(latest.get(point)))
        for point, seen in zip(points, rows["seen"], strict=True)
    ]
    return pd.Series(flags, index=rows.index, dtype=bool)


def exported(rows: pd.DataFrame) -> pd.DataFrame:
    """`gold_df`: `table_name`, `id`, `gold_label`, `origin` and `part` of the rows that count."""
    return counting(rows).rename(columns={"label": GOLD_LABEL})[EXPORTED]


def _joined(kept: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    new = new.assign(part=parts(new))[COLUMNS].astype(object)
    return pd.concat([kept, new], ignore_index=True).sort_values(ROW_KEYS, ignore_index=True)


def _read(database: "Database", table: str, columns: list[str]) -> pd.DataFrame:
    import sqlalchemy as sa

    source = database.found_table(table, columns)
    query = sa.select(*(source.c[name] for name in columns)).order_by(*(source.c[key] for key in KEYS))
    with database.translated(), database.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    cells = {name: [row[place] for row in rows] for place, name in enumerate(columns)}
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in cells.items()})


def _latest_run(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the run that was written last."""
    latest = rows.loc[rows["written_at"] == rows["written_at"].max(), "run_id"].iloc[0] if len(rows) else None
    return rows[rows["run_id"] == latest]


def _rows_of_before(frame: pd.DataFrame) -> pd.DataFrame:
    """Gold labels of which nothing else is on record: they were chosen from what annotators said."""
    rows = frame[[*KEYS]].astype(object).reset_index(drop=True)
    labels = [[label] if isinstance(label, str) else [*map(str, label)] for label in frame[GOLD_LABEL]]
    rows["label"] = pd.Series(labels, dtype=object)
    nothing = dict.fromkeys(("choice", "who", "made_at", "seen"), None)
    rows = rows.assign(origin=Origin.ANNOTATORS.value, part=parts(rows), **nothing)
    return rows[COLUMNS].astype(object)


def _free(name: str, taken: list[str]) -> str:
    number = 1
    while (free := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    return free

"""Rows of one table, by their ids or in the order of these, as the database keeps them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from adaptml.database.among import Among
from adaptml.database.chunks import ChunkSize, TooMuchAtOnceError, read_by_ids
from adaptml.database.connection import Connected
from adaptml.database.fetching import Prepared, Row, fetched
from adaptml.database.keys import to_column, to_text
from adaptml.database.not_text import NOT_UTF8, name_not_text
from adaptml.database.stored import Decode, StoredRows, stored, stored_rows
from adaptml.database.unique_ids import duplicated, may_be_null
from adaptml.errors import DatabaseError, DatabaseUnavailableError

CHUNK_ROWS = 5_000  # ids a statement, at most: below SQLite's 32,766 and PostgreSQL's 65,535 parameters
PAGE_ROWS = 20_000  # rows a statement, at most, where many are read in the order of their ids
FEW = 500  # ids that are looked up without a look at how many rows there are
BY_PAGE = 0.25  # share of a table's rows from which reading all of them is faster than looking each up


class Rows(Connected):
    """A database whose tables are read row by row."""

    def by_key(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> Iterator[StoredRows]:
        """Rows of a table by their ids, in chunks; those of ids that it does not hold are left out.

        Where most of a table is asked for, its rows come in the order of their ids, by ranges of ids.

        Args:
            table: name of a data table.
            columns: names of its columns, each once, without the id.
            ids: n ids, none twice; the positions of rows are places among these.

        Raises:
            UnknownTableError, UnknownColumnError, DatabaseError, DatabaseUnavailableError: as `Reader.read`.
        """
        by_page = len(ids) > FEW and self._has_at_most(table, len(ids) / BY_PAGE)
        return (self._by_page if by_page else self._by_id)(table, columns, ids)

    def _has_at_most(self, table: str, rows: float) -> bool:
        """Whether a table has no more rows than these; no more are counted."""
        source = self.data_table(table)
        if "one_row" not in source.info:
            after = sa.bindparam("after", type_=sa.Integer())
            source.info["one_row"] = Prepared(
                sa.select(sa.literal(1)).select_from(source).limit(1).offset(after)
            )
        return not self._rows(source, source.info["one_row"], {"after": math.floor(rows)})

    def count(self, table: str) -> int:
        """Number of rows in a table."""
        with self.translated(), self.engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(self.data_table(table))
            return int(connection.execute(query).scalar_one())

    def _by_page(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> Iterator[StoredRows]:
        """Those rows of a whole table that were asked for, with their places among the ids."""
        source = self.data_table(table, columns, fresh=True)
        select, decode = self._stored(source, columns)
        place_of: dict[str, int] | None = None  # needed only where ids and table are not in step
        found, n_found, start = np.zeros(len(ids), dtype=bool), 0, 0
        for rows in self._pages(source, select):
            read = self.ids(source, rows)
            if place_of is None and read == ids[start : start + len(read)]:
                places = np.arange(start, start + len(read))
                start += len(read)
            else:
                if place_of is None:
                    place_of = {key: place for place, key in enumerate(ids)}
                known = list(map(place_of.get, read))
                if None in known:
                    ours = [number for number, place in enumerate(known) if place is not None]
                    rows, read = [rows[number] for number in ours], [read[number] for number in ours]
                    known = [known[number] for number in ours]
                places = np.array(known, dtype=np.int64)
            before = np.flatnonzero(found[places])
            found[places], n_found = True, n_found + len(read)
            if np.count_nonzero(found) < n_found:
                raise duplicated(table, [*read, *(read[number] for number in before)])
            if read:
                yield stored_rows(table, columns, read, rows, decode, places)

    def _by_id(self, table: str, columns: Sequence[str], ids: Sequence[str]) -> Iterator[StoredRows]:
        """Rows looked up by their ids, those that are there, with their places among the ids."""
        decode: dict[str, Decode] = {}

        def ask(some: Sequence[str]) -> list[Row | None]:
            nonlocal decode
            rows, decode = self._found(table, columns, some)
            return rows

        for start, rows in read_by_ids(ids, CHUNK_ROWS, ask):
            here = np.arange(start, start + len(rows))
            there = [row for row in rows if row is not None]
            if len(there) < len(rows):
                here = here[[row is not None for row in rows]]
            if there:
                keys = (
                    ids[start : start + len(rows)]
                    if len(there) == len(rows)
                    else [ids[i] for i in here.tolist()]
                )
                yield stored_rows(table, columns, keys, there, decode, here)

    def _look_up(
        self, source: sa.Table, columns: Sequence[str], ids: Sequence[str]
    ) -> tuple[list[Row | None], dict[str, Decode]]:
        """For each of the ids its row, the id first, or None; and how to decode the cells."""
        by_ids, decode = self._by_ids(source, columns)
        wanted = to_column(ids, source.c.id.type, self.engine.dialect.name)
        rows = self._rows(source, *by_ids.of(wanted)) if wanted else []
        found = self.ids(source, rows)
        by_id = dict(zip(found, rows, strict=True))
        if len(by_id) < len(rows):
            raise duplicated(source.fullname, found)
        return list(map(by_id.get, ids)), decode

    def _found(
        self, table: str, columns: Sequence[str], ids: Sequence[str]
    ) -> tuple[list[Row | None], dict[str, Decode]]:
        """As `_look_up`; a table that was made again since it was looked at is looked at once more."""
        known = self._tables.get(table)
        source = self.data_table(table, columns)
        try:
            found = self._look_up(source, columns, ids)
            if source is not known or self._tables.get(table) is source:
                return found
        except DatabaseUnavailableError:
            raise
        except DatabaseError:
            if source is not known:
                raise
        return self._look_up(self.data_table(table, columns, fresh=True), columns, ids)

    def _rows(
        self, source: sa.Table, query: "sa.Select[Any] | Prepared", given: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        """What a query of a table finds with the parameters that are given."""
        with self.translated(), self.engine.connect() as connection:
            try:
                return fetched(connection, query, given)
            except OperationalError as error:
                if NOT_UTF8 in str(error.orig):
                    select = query.query if isinstance(query, Prepared) else query
                    name_not_text(connection, source.fullname, select.params(given or {}))
                raise

    def _by_ids(self, source: sa.Table, columns: Sequence[str]) -> tuple[Among, dict[str, Decode]]:
        """The query for rows of a table by their ids, built once for each table and columns."""
        known: dict[tuple[str, ...], tuple[Among, dict[str, Decode]]]
        known = source.info.setdefault("by_ids", {})
        asked = tuple(columns)
        if asked not in known:
            select, decode = self._stored(source, columns)
            known[asked] = Among(self.engine.dialect.name, select, source.c.id), decode
        return known[asked]

    def ids(self, source: sa.Table, rows: Sequence[Row]) -> list[str]:
        """The ids of rows of a table, in each of which the id comes first and is not NULL."""
        values = list(map(itemgetter(0), rows))
        return to_text(values, source.c.id.type, self.engine.dialect.name, source.fullname)

    def _stored(self, source: sa.Table, columns: Sequence[str]) -> tuple["sa.Select[Any]", dict[str, Decode]]:
        found = {column: stored(source.c[column], self.engine.dialect) for column in columns}
        select = sa.select(source.c.id, *(selected for selected, _ in found.values()))
        return select, {column: decode for column, (_, decode) in found.items() if decode is not None}

    def _pages(
        self, source: sa.Table, query: "sa.Select[Any]", page_rows: int | None = None
    ) -> Iterator[Sequence[Row]]:
        """All rows that a query finds, the id first, ordered by id; each page is a transaction of its own.

        Rows without an id are left out.
        """
        key, last, size = source.c.id, None, ChunkSize(page_rows or PAGE_ROWS)
        query = query.order_by(key).limit(sa.bindparam("rows", type_=sa.Integer()))
        if may_be_null(source, self.engine.dialect.name):
            query = query.where(key.is_not(sa.null()))
        # The last row again, so that another one with its id is not passed over.
        first, later = Prepared(query), Prepared(query.where(key >= sa.bindparam("last", type_=key.type)))
        while True:
            given = {"rows": size.rows + 1} if last is None else {"rows": size.rows + 1, "last": last}
            try:
                rows = self._rows(source, first if last is None else later, given)
            except TooMuchAtOnceError as error:
                size.refused(size.rows, error)
                continue
            is_last = len(rows) <= size.rows
            again = last is not None and bool(rows) and rows[0][0] == last
            rows = rows[1:] if again else rows[: size.rows]
            if not rows:
                return
            if rows[-1][0] == last:  # or the pages would not get on
                raise duplicated(source.fullname, [last, last])
            yield rows
            if is_last:
                return
            last = rows[-1][0]
            size.read(rows)

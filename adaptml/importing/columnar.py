"""Parquet, Arrow and Feather: columns with types, read a batch at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adaptml.errors import FrameError, one_line
from adaptml.importing.chunks import CHUNK_BYTES, CHUNK_ROWS, Chunk
from adaptml.importing.damaged import DAMAGED
from adaptml.importing.plain import flattened, plain


class Columnar:
    """A .parquet, .arrow or .feather file."""

    typed = True

    def __init__(self, path: Path) -> None:
        """Read its schema.

        Raises:
            FrameError: the file cannot be read.
        """
        self.path = path
        self.name = path.name
        self._parquet = path.suffix.lower() in (".parquet", ".pq")
        self.said = "Parquet" if self._parquet else "Arrow"
        with self._translated():
            self.columns = [str(name) for name in self._schema().names if not _is_index(name)]
        repeated = {name for name in self.columns if self.columns.count(name) > 1}
        if repeated:
            raise FrameError(
                f"{path} has two columns {repeated.pop()!r}; expected each name once: rename one"
            )

    def _schema(self) -> Any:
        import pyarrow.parquet

        if self._parquet:
            return pyarrow.parquet.read_schema(self.path)
        with _opened_arrow(self.path) as reader:
            return reader.schema

    def chunks(self) -> Iterator[Chunk]:
        """All rows."""
        with self._translated():
            for batch in self._batches():
                if not self._parquet:  # whose reader looks; here wrong offsets would read foreign memory
                    batch.validate(full=True)
                mean = max(1, batch.nbytes // max(1, batch.num_rows))
                rows = max(1, min(CHUNK_ROWS, CHUNK_BYTES // mean))
                for start in range(0, batch.num_rows, rows):
                    yield self._chunk(batch.slice(start, rows))

    def _batches(self) -> Iterator[Any]:
        import pyarrow.parquet

        if self._parquet:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                yield from file.iter_batches(batch_size=CHUNK_ROWS, use_threads=False)
        else:
            with _opened_arrow(self.path) as reader:
                if hasattr(reader, "num_record_batches"):
                    yield from map(reader.get_batch, range(reader.num_record_batches))
                else:
                    yield from reader

    def _chunk(self, batch: Any) -> Chunk:
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for name in self.columns:
            column = batch.column(name)
            if pa.types.is_struct(column.type):
                rows = [flattened(value or {}, f"{name}.") for value in column.to_pylist()]
                for inner in dict.fromkeys(key for row in rows for key in row):
                    columns[inner] = plain(inner, [row.get(inner) for row in rows])
            else:
                columns[name] = plain(name, _values(column))
        return Chunk(batch.num_rows, columns)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowException, *DAMAGED) as error:
            raise FrameError(
                f"{self.path} cannot be read as {self.said}: {one_line(error)}; write it again"
            ) from error


@contextmanager
def _opened_arrow(path: Path) -> Iterator[Any]:
    """A reader of record batches, of the file format (which Feather is, too) or the streaming one."""
    import pyarrow as pa
    import pyarrow.feather

    with pa.OSFile(str(path)) as file:
        start = file.read(6)
        file.seek(0)
        if start == b"ARROW1":
            with pa.ipc.open_file(file) as reader:
                yield reader
        elif start.startswith(b"FEA1"):  # Feather as of before 2020
            yield pyarrow.feather.read_table(path).to_reader()
        else:
            with pa.ipc.open_stream(file) as reader:
                yield reader


def _values(column: Any) -> list[Any]:
    """The values of a column; lists of numbers as arrays, which is many times as fast."""
    import pyarrow as pa

    types = pa.types
    is_list = (
        types.is_list(column.type)
        or types.is_large_list(column.type)
        or types.is_fixed_size_list(column.type)
    )
    if is_list and (types.is_floating(column.type.value_type) or types.is_integer(column.type.value_type)):
        return list(column.to_numpy(zero_copy_only=False))
    found: list[Any] = column.to_pylist()
    return found


def _is_index(name: str) -> bool:
    """Whether pandas wrote the frame's index under this name."""
    return str(name).startswith("__index_level_")

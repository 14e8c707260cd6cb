"""Reading and writing frames of data points; every decision about formats lives here."""

import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FrameError, listed, one_line
from adaptml.files import replacing, write_text
from adaptml.user_code import said, user_code

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

KEYS = ["table_name", "id"]
PREVIEW_ROWS = 50
GONE = "gone"  # key in a frame's `attrs`: how many of its points are not in their tables any more
LOOKED_UP_ROWS = 1_000_000  # at once
WRITTEN_ROWS = 100_000  # of a column at once: 1024, which is pyarrow's, takes longer
CELLS = 20_000  # that are Python values at once, where a column is read from one end to the other
_EXACT = 2.0**53  # below it, a float is the whole number that was meant
METADATA = "adaptml"  # key of what a frame says of itself: in Parquet's schema metadata, and in `attrs`
_PAGE = """<!doctype html>
<meta charset="utf-8"><title>{title}</title>
<style>
  body {{ font: 14px/1.5 system-ui, sans-serif; color: #22303f; margin: 1.5em }}
  table {{ border-collapse: collapse }}
  th, td {{ text-align: left; vertical-align: top; padding: .25em .8em; border-bottom: 1px solid #dde4ec }}
  th {{ background: #f7f9fc; position: sticky; top: 0 }}
</style>
<h1>{title}</h1><p>{note}</p>
{table}
"""
_NAMED = ".parquet, .csv, .tsv, .xlsx, .jsonl or .pkl"
_UNREADABLE = (ValueError, OSError, EOFError, KeyError, RecursionError, BadZipFile)  # pyarrow: ValueError
# Ids such as 007 and label sets are text in files that know no types; only a truly empty cell is missing, for
# "NA" can be an id.
_TEXT_COLUMNS = dict.fromkeys([*KEYS, "label", "gold_label"], str)


def read_frame(path: Path | str, *, typed_by_user: bool = False, compact: bool = False) -> pd.DataFrame:
    """Read a frame of data points; its first columns are `table_name` and `id`, both text.

    What a Parquet file says of itself is in the frame's `attrs`, under `adaptml`.

    Args:
        path: a .parquet, .csv, .tsv, .xlsx (its first sheet) or .jsonl file, or the .pkl of an earlier
            ADaPT-ML project.
        typed_by_user: True only where a person named this very path: a pickle runs code when it is
            opened, so it is never opened on anybody else's word.
        compact: leave the lists of a Parquet file as Arrow has them, see `some_cells`: as arrays, one a row,
            they take five times the memory.

    Raises:
        FrameError: no such file, another format, columns missing, keys missing or duplicated, no rows.
    """
    path = Path(path)
    if not path.is_file():
        expected = file_of_now(path) or f"expected a frame of data points ({_NAMED})"
        raise FrameError(f"no file {path}; {expected}")
    if path.suffix == ".pkl" and not typed_by_user:
        raise FrameError(
            f"{path} is a pickle, which can run code; expected .parquet, .csv or .jsonl: convert it"
        )
    reader = _read_compact if compact and path.suffix == ".parquet" else _READERS.get(path.suffix)
    if reader is None:
        raise FrameError(f"{path} ends in {path.suffix or 'nothing'!r}; expected {_NAMED}")
    try:
        frame = reader(path)
    except _UNREADABLE as error:
        raise FrameError(
            f"{path} cannot be read as {path.suffix}: {one_line(error)}; write it again"
        ) from error
    if not isinstance(frame, pd.DataFrame):
        raise FrameError(f"{path} holds a {type(frame).__name__}; expected a data frame with {KEYS}")
    frame = check_keys(frame, str(path))
    if path.suffix == ".parquet":
        frame.attrs[METADATA] = read_metadata(path)
    return frame


def some_cells(column: "pd.Series[Any]") -> "Iterator[pd.Series[Any]]":
    """The cells of a column, CELLS at a time at most, lists as arrays whatever the frame keeps them as."""
    import pyarrow as pa

    for start in range(0, max(1, len(column)), CELLS):
        cells = column.iloc[start : start + CELLS]
        yield pa.array(cells).to_pandas() if isinstance(cells.dtype, pd.ArrowDtype) else cells


def file_of_now(path: Path) -> str:
    """Which file to name in place of a pickle that is not there, for messages; empty where none is."""
    now = path.with_suffix(".parquet")
    return f"{now.name} is there: frames are no pickles any more" if path != now and now.is_file() else ""


def check_keys(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """The frame with its keys first and as text, or an error that says what is wrong with them.

    Args:
        frame: any frame.
        source: where the frame came from, for messages.

    Raises:
        FrameError: a key column is missing, a key is empty or duplicated, or there are no rows.
    """
    absent = [key for key in KEYS if key not in frame.columns]
    if absent:
        given = listed([str(column) for column in frame.columns], 10)
        raise FrameError(
            f"{source} has no column {' and no column '.join(absent)}; it has {given}: "
            "add the missing columns"
        )
    if frame.empty:
        raise FrameError(f"{source} has no rows; expected at least one data point")
    empty = int(frame[KEYS].isna().any(axis=1).sum())
    if empty:
        raise FrameError(
            f"{source} has {empty} rows without a {' or '.join(KEYS)}; fill them in or drop them"
        )
    frame = frame[[*KEYS, *(column for column in frame.columns if column not in KEYS)]]
    frame = frame.assign(**{key: _as_key(frame[key]) for key in KEYS}).reset_index(drop=True)
    duplicated = frame.loc[frame.duplicated(KEYS), KEYS].drop_duplicates()
    if len(duplicated):
        names = listed([f"{table}/{key}" for table, key in duplicated.itertuples(index=False)])
        raise FrameError(
            f"{source} has {len(duplicated)} duplicated data points: {names}; keep one row of each"
        )
    return frame


def _as_key(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Keys as text; whole numbers among floats, as pandas makes them beside missing ones, without `.0`."""
    if column.dtype.kind == "f" and ((column % 1 == 0) & (column.abs() < _EXACT)).all():
        column = column.astype("int64")
    return column.astype(str)


def key_arrays(keys: pd.DataFrame, rows: slice) -> "list[pa.Array]":
    """Table names and ids of some rows of a frame, as Arrow's text."""
    import pyarrow as pa

    found = [pa.array(keys[key].iloc[rows], pa.large_string(), from_pandas=True) for key in KEYS]
    return [one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for one in found]


def points_writer(path: Path, schema: "pa.Schema", compression: str = "snappy") -> "pq.ParquetWriter":
    """What writes data points to a Parquet file, some rows at a time.

    Each id is there once: to look for a dictionary of them would take time and give none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    repeated = [f"{f.name}.list.element" if pa.types.is_list(f.type) else f.name for f in schema]
    repeated.remove(KEYS[1])
    return pq.ParquetWriter(
        path, schema, compression=compression, use_dictionary=repeated, write_batch_size=WRITTEN_ROWS
    )


def not_among(keys: pd.DataFrame, others: pd.DataFrame) -> "npt.NDArray[np.bool_]":
    """Which of some keys are not among others, bool (n,); each key is there once, as `check_keys` has it."""
    rows, left = rows_of_keys(keys, others), np.ones(len(keys), dtype=bool)
    left[rows[rows >= 0]] = False
    return left


def rows_of_keys(among: pd.DataFrame, keys: pd.DataFrame) -> "npt.NDArray[np.int64]":
    """The row of each of some keys in a frame, int64 (r,); -1 of one that is not there.

    Args:
        among: `table_name` and `id` (n rows), each once; however many, a few bytes of each are needed.
        keys: the same columns (r rows).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = np.full(len(keys), -1, np.int64)
    for start in range(0, len(among), LOOKED_UP_ROWS):
        some = slice(start, start + LOOKED_UP_ROWS)
        tables, ids = key_arrays(among, some)
        for table, group in keys.reset_index(drop=True).groupby("table_name", sort=False):
            places, distinct = pd.factorize(group["id"])
            wanted = pa.array(distinct, pa.large_string())
            at = pc.fill_null(pc.index_in(ids, value_set=wanted), -1).to_numpy()
            ours = pc.equal(tables, table).to_numpy(zero_copy_only=False)
            here = np.flatnonzero((at >= 0) & ours)
            rows = np.full(len(distinct), -1, np.int64)
            rows[at[here]] = here + start
            there = rows[places] >= 0
            found[group.index.to_numpy()[there]] = rows[places][there]
    return found


def write_frame(frame: pd.DataFrame, path: Path, metadata: Mapping[str, Any] | None = None) -> Path:
    """Write a frame as Parquet, whole or not at all; returns the path.

    Args:
        frame: any frame, written without its index.
        path: where to.
        metadata: what the frame says of itself, as JSON under the key `adaptml` of the schema's metadata; a
            frame of labels says `task`, `setting` and `classes`. Default: what it said when it was read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    said = frame.attrs.get(METADATA) if metadata is None else dict(metadata)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if said:
        ours = {METADATA: json.dumps(said, ensure_ascii=False)}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **ours})
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return path


def read_metadata(path: Path) -> dict[str, Any]:
    """What a Parquet file says of itself, as `write_frame` wrote it; empty where it says nothing."""
    import pyarrow.parquet as pq

    said = (pq.read_schema(path).metadata or {}).get(METADATA.encode())
    return dict(json.loads(said)) if said else {}


def rows_of_file(path: Path) -> int:
    """How many rows a Parquet file holds; 0 of any other file, which has to be read to tell."""
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows) if path.suffix == ".parquet" else 0
    except (OSError, ValueError):  # which is told where it is read
        return 0


def write_preview(frame: pd.DataFrame, path: Path, rows: int = PREVIEW_ROWS) -> Path:
    """Write the first rows of a frame as an HTML page, for MLflow's artifact viewer; returns the path."""
    shown = frame.head(rows).map(_as_text)
    table = shown.to_html(index=False, border=0, float_format="{:.3f}".format, na_rep="–")
    note = f"{min(rows, len(frame))} of {len(frame)} rows"
    return write_text(_PAGE.format(title=escape(path.stem.replace("_", " ")), note=note, table=table), path)


def _as_text(value: Any) -> Any:
    """A cell as people read it: lists with commas, numbers in them with three places."""
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(f"{item:.3f}" if isinstance(item, float) else str(item) for item in value)
    return value


def _read_compact(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def kept(kind: "pa.DataType") -> pd.ArrowDtype | None:
        return pd.ArrowDtype(kind) if pa.types.is_list(kind) or pa.types.is_large_list(kind) else None

    frame: pd.DataFrame = pq.read_table(path).to_pandas(types_mapper=kept)
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    """Text with a comma between cells, or what spreadsheets of other countries write in its place."""
    with path.open(encoding="utf-8-sig") as file:
        head = file.readline().rstrip("\n")
    of_keys = (sign for sign in ",;\t" if {*KEYS} <= {name.strip('"') for name in head.split(sign)})
    return pd.read_csv(
        path, sep=next(of_keys, ","), dtype=_TEXT_COLUMNS, keep_default_na=False, na_values=[""]
    )


def _read_excel(path: Path) -> pd.DataFrame:
    try:
        return pd.read_excel(
            path, engine="openpyxl", dtype=_TEXT_COLUMNS, keep_default_na=False, na_values=[""]
        )
    except ImportError as error:
        raise FrameError(
            f"{path} needs the package openpyxl; install it with pip install -e '.[excel]', or save the "
            "sheet as .csv"
        ) from error


def _read_jsonl(path: Path) -> pd.DataFrame:
    return pd.read_json(path, lines=True, dtype=False)


def _read_pickle(path: Path) -> Any:
    """Only a path that a person typed comes here; opening it can run anything."""
    with user_code(lambda error: FrameError(f"{path} cannot be read as .pkl: {said(error)}; write it again")):
        return pd.read_pickle(path)  # noqa: S301


_READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": pd.read_parquet,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_excel,
    ".jsonl": _read_jsonl,
    ".pkl": _read_pickle,
}
FORMATS = tuple(_READERS)

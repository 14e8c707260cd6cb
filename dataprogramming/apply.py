"""Applying labelling functions to a frame: the label matrix."""

import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from types import SimpleNamespace, TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError, listed
from adaptml.progress import progress
from adaptml.tasks import ABSTAIN
from dataprogramming.keyword_lfs import KeywordLF, is_missing, keyword_hits
from dataprogramming.lfs import MODULE_PREFIX

CHUNK_ROWS = 20_000
LabelMatrix = npt.NDArray[np.int8]


class Row(SimpleNamespace):
    """A data point as labelling functions see it: `x.txt`, or `x["any column name"]`."""

    def __getitem__(self, column: str) -> Any:
        """The value of a column whose name is no Python name."""
        return self.__dict__[column]


def apply_lfs(
    lfs: Sequence[LabelingFunction],
    frame: pd.DataFrame,
    labels: type[IntEnum],
    *,
    parallel: int = 1,
    faults: Counter[str] | None = None,
    show_progress: bool = False,
) -> LabelMatrix:
    """The votes of m labelling functions on n data points, equal to those of Snorkel's PandasLFApplier.

    All keyword LFs over one column are computed in one pass; every other LF is called once a row.
    A missing value (SQL NULL) is None in a row: keyword LFs abstain on it, other LFs decide for themselves.

    Args:
        lfs: labelling functions; each returns a member of `labels`, its number or name, or None to abstain.
        frame: n rows, a column per LF feature.
        labels: the task's classes, ABSTAIN = -1 and one member per class.
        parallel: number of processes.
        faults: given a counter, an LF that raises abstains there and is counted under its name;
            without one, the first LF that raises ends the work.
        show_progress: draw a progress bar.

    Returns:
        int8 array (n, m), values in {-1, 0 … k-1}.

    Raises:
        LabellingError: an LF raises, votes for what is no class, or needs a column that is not there.
    """
    _check_columns(lfs, frame)
    applier = _Applier(list(lfs), labels, tolerant=faults is not None)
    starts = range(0, len(frame), CHUNK_ROWS)
    matrix = np.full((len(frame), len(lfs)), ABSTAIN, np.int8)
    chunks = (frame.iloc[start : start + CHUNK_ROWS] for start in starts)
    with progress("applying labelling functions", len(frame), shown=show_progress) as advance:
        for start, (votes, failed) in zip(starts, _run(applier, chunks, parallel), strict=True):
            matrix[start : start + len(votes)] = votes
            if faults is not None:
                faults.update(failed)
            advance(len(votes))
    return matrix


@dataclass
class _Applier:
    """Applies LFs to one chunk of rows; small enough to be sent to another process."""

    lfs: list[LabelingFunction]
    labels: type[IntEnum]
    tolerant: bool
    codes: dict[object, int] = field(init=False)

    def __post_init__(self) -> None:
        # A vote's meaning, by member, number and name at once: members are equal to their numbers.
        self.codes = {None: ABSTAIN}
        for label in self.labels:
            self.codes |= {int(label): int(label), label.name: int(label)}

    def __call__(self, chunk: pd.DataFrame) -> tuple[LabelMatrix, Counter[str]]:
        votes = np.full((len(chunk), len(self.lfs)), ABSTAIN, np.int8)
        failed: Counter[str] = Counter()
        self._keywords(chunk, votes)
        others = [(j, lf) for j, lf in enumerate(self.lfs) if type(lf) is not KeywordLF]
        rows = _rows(chunk) if others else []
        # One LF after the other: each row still meets its LFs in their order, as with Snorkel.
        for j, lf in others:
            cast = self._call_all(lf, chunk, rows, failed)
            votes[:, j] = self._encode(lf.name, cast, chunk)
        return votes, failed

    def _keywords(self, chunk: pd.DataFrame, votes: LabelMatrix) -> None:
        by_column: dict[str, list[int]] = {}
        for j, lf in enumerate(self.lfs):
            if type(lf) is KeywordLF:
                by_column.setdefault(lf.column, []).append(j)
        for column, numbers in by_column.items():
            group = [self.lfs[j] for j in numbers]
            cast = [self._encode(lf.name, [lf.label], chunk)[0] for lf in group]
            rows, found = keyword_hits(group, chunk[column].tolist())
            votes[rows, np.array(numbers)[found]] = np.array(cast, np.int8)[found]

    def _call_all(
        self, lf: LabelingFunction, chunk: pd.DataFrame, rows: list[Row], failed: Counter[str]
    ) -> list[object]:
        call = _plain_call(lf)
        votes: list[object] = []
        while len(votes) < len(rows):
            with _Guard(lf.name, chunk, votes, failed if self.tolerant else None):
                for row in rows[len(votes) :]:
                    votes.append(call(row))  # noqa: PERF401 - what was voted before a failure is kept
        return votes

    def _encode(self, name: str, votes: Sequence[Any], chunk: pd.DataFrame) -> LabelMatrix:
        """Votes (n) as their numbers; True and False are no classes, though Python takes them for 1 and 0."""
        kinds = set(map(type, votes))
        if not kinds & {bool, np.bool_} and all(kind.__hash__ for kind in kinds):
            try:
                return np.fromiter(map(self.codes.__getitem__, votes), np.int8, len(votes))
            except KeyError:
                pass
        wrong = next(i for i, vote in enumerate(votes) if not self._is_vote(vote))
        classes = ", ".join(label.name for label in self.labels if label != ABSTAIN)
        raise LabellingError(
            f"the labelling function {name!r} voted {votes[wrong]!r} on {_point(chunk, wrong)}; "
            f"expected one of the classes {classes}, or ABSTAIN"
        )

    def _is_vote(self, vote: Any) -> bool:
        return not isinstance(vote, bool | np.bool_) and bool(type(vote).__hash__) and vote in self.codes


def _plain_call(lf: LabelingFunction) -> Callable[[Row], object]:
    """The LF's own function where nothing runs before it, else the LF."""
    if type(lf) is LabelingFunction and not lf._pre and not lf._resources:
        return lf._f  # type: ignore[no-any-return]
    return lf  # type: ignore[no-any-return]


class _Guard:
    """Turns what an LF raises, whatever it is, into an error with its place or a counted abstention."""

    def __init__(
        self, name: str, chunk: pd.DataFrame, votes: list[object], failed: Counter[str] | None
    ) -> None:
        self.name, self.chunk, self.votes, self.failed = name, chunk, votes, failed

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):  # nothing, or Ctrl-C
            return False
        if self.failed is None:
            raise LabellingError(self._message(error)) from error
        self.failed[self.name] += 1
        self.votes.append(ABSTAIN)
        return True

    def _message(self, error: Exception) -> str:
        place = len(self.votes)
        missing = [name for name in self.chunk.columns if is_missing(self.chunk[name].iloc[place])]
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        hint = f" ({listed(missing)} is missing there)" if missing else ""
        return (
            f"the labelling function {self.name!r} failed on {_point(self.chunk, place)}{hint}: {reason}; "
            "mend it, or allow failures with --fault-tolerant, which counts them as abstentions"
        )


def _rows(chunk: pd.DataFrame) -> list[Row]:
    names = list(chunk.columns)
    columns = [_values(chunk[name]) for name in names]
    return [Row(**dict(zip(names, values, strict=True))) for values in zip(*columns, strict=True)]


def _values(column: pd.Series) -> list[Any]:
    """A column as Python objects; a missing text or list is None, a missing number stays nan."""
    values: list[Any] = column.tolist()
    if pd.api.types.is_numeric_dtype(column.dtype):
        return values
    return [None if is_missing(value) else value for value in values]


def _point(chunk: pd.DataFrame, row: int) -> str:
    if {"table_name", "id"} <= set(chunk.columns):
        return f"data point {chunk['table_name'].iloc[row]}/{chunk['id'].iloc[row]}"
    return f"row {chunk.index[row]}"


def _check_columns(lfs: Sequence[LabelingFunction], frame: pd.DataFrame) -> None:
    for lf in lfs:
        if isinstance(lf, KeywordLF) and lf.column not in frame.columns:
            raise LabellingError(
                f"the labelling function {lf.name!r} needs the column {lf.column!r}; the LF features are "
                f"{listed([c for c in frame.columns if c not in ('table_name', 'id')], 20)}; "
                "name it under lf_features in the task file"
            )


def _run(
    applier: _Applier, chunks: Iterator[pd.DataFrame], parallel: int
) -> Iterator[tuple[LabelMatrix, Counter[str]]]:
    """The applier's results in the order of the chunks, which may be worked on by several processes."""
    if parallel <= 1:
        return map(applier, chunks)
    from joblib import Parallel, delayed

    blob = _pickled(applier)
    work = Parallel(n_jobs=parallel, return_as="generator")
    return work(delayed(_apply_pickled)(blob, chunk) for chunk in chunks)  # type: ignore[no-any-return]


def _pickled(applier: _Applier) -> bytes:
    """LFs as bytes; those of a task's file are sent whole, for other processes cannot import that file."""
    import cloudpickle  # type: ignore[import-untyped]

    own = [module for name, module in sys.modules.items() if name.startswith(MODULE_PREFIX)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(applier)  # type: ignore[no-any-return]
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise LabellingError(
            f"the labelling functions cannot be sent to other processes: {error}; run with parallel = 1"
        ) from error
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


@lru_cache(maxsize=1)
def _unpickled(blob: bytes) -> _Applier:
    return pickle.loads(blob)  # type: ignore[no-any-return]  # noqa: S301 - written by this process's parent


def _apply_pickled(blob: bytes, chunk: pd.DataFrame) -> tuple[LabelMatrix, Counter[str]]:
    return _unpickled(blob)(chunk)

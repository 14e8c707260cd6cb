"""Applying labelling functions to frames, chunk by chunk."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.errors import LabellingError, listed
from adaptml.frames import KEYS
from adaptml.progress import progress
from adaptml.rules.keywords import is_missing
from adaptml.tasks import ABSTAIN, Labels
from adaptml.user_code import in_folder, place, said, user_code
from dataprogramming.declared_sets import declared_sets
from dataprogramming.keyword_lfs import KeywordLF, keyword_hits
from dataprogramming.lf_json import is_data
from dataprogramming.rows import Row, rows_of, values_of
from dataprogramming.rule_lfs import RuleLF
from dataprogramming.vote_encoder import VoteEncoder

CHUNK_ROWS = 20_000
FAILED = -2  # in place of a vote: the labelling function raised an error, and that was allowed
LabelMatrix = npt.NDArray[np.int8]


def apply_to_frame(
    lfs: Sequence[LabelingFunction],
    frame: pd.DataFrame,
    labels: Labels,
    *,
    folder: Path | None = None,
    failures: Counter[str] | None = None,
    show_progress: bool = False,
) -> LabelMatrix:
    """The votes of m labelling functions on n data points, equal to those of Snorkel's PandasLFApplier.

    All keyword LFs over one column are computed in one pass, other rules that are data a column at a time;
    every other LF is called once a row. A missing value (SQL NULL) is None in a row: rules that are data
    abstain on it, other LFs decide for themselves.

    Args:
        lfs: labelling functions; each returns a member of `labels`, its number or name, one of the sets of
            these that it declares, or None to abstain.
        frame: n rows, a column per LF feature.
        labels: the task's classes, ABSTAIN = -1 and one member per class.
        folder: the task's folder, whose modules can be imported and where relative paths start; or None.
        failures: given a counter, an LF that raises abstains there and is counted under its name;
            without one, the first LF that raises ends the work.
        show_progress: draw a progress bar.

    Returns:
        int8 array (n, m), values in {-1, 0 … k-1}, and from k on the sets as `declared_sets` codes them.

    Raises:
        LabellingError: an LF raises, votes for what is no class or a set that it does not declare, or needs a
            column that is not there.
    """
    declared = declared_sets(lfs, labels)
    matrix = np.full((len(frame), len(lfs)), ABSTAIN, np.int8)
    starts = range(0, len(frame), CHUNK_ROWS)
    work = ([_work(frame, start, range(len(lfs)))] for start in starts)
    cast = apply_work(lfs, work, labels, folder=folder, tolerant=failures is not None)
    with progress("applying labelling functions", len(frame), shown=show_progress) as advance:
        for start, (votes,) in zip(starts, cast, strict=True):
            matrix[start : start + len(votes)] = declared.common(np.maximum(votes, ABSTAIN))
            if failures is not None:
                failures.update(count_failures(lfs, votes))
            advance(len(votes))
    return matrix


class Work(NamedTuple):
    """Some rows, and which labelling functions are to vote on them.

    Attributes:
        columns: LF feature → its r values; a missing text or list is None, a missing number may be nan.
        numbers: of the labelling functions, c of the m.
        names: what the rows are called where they have no keys, r of them.
    """

    columns: Mapping[str, Sequence[Any]]
    numbers: Sequence[int]
    names: Any


def _work(frame: pd.DataFrame, start: int, numbers: Sequence[int]) -> Work:
    """A chunk of a frame, for labelling functions."""
    chunk = frame.iloc[start : start + CHUNK_ROWS]
    return Work({str(name): values_of(chunk[name]) for name in chunk}, numbers, chunk.index)


def apply_work(
    lfs: Sequence[LabelingFunction],
    work: Iterable[list[Work]],
    labels: Labels,
    *,
    folder: Path | None = None,
    tolerant: bool = False,
    first_failures: dict[str, LabellingError] | None = None,
) -> Iterator[list[LabelMatrix]]:
    """As `apply_to_frame`, on what is asked for piece by piece.

    Args:
        lfs: m labelling functions.
        work: lists of pieces, of which few are in memory at a time.
        labels: the task's classes.
        folder: the task's folder, or None.
        tolerant: an LF that raises has FAILED there.
        first_failures: takes the first error of each LF that FAILED.

    Returns:
        For each list in its order, for each piece int8 (r, c), values in {FAILED, -1, 0 … k-1}, and from k on
        the sets that each LF declares, counted by LF.

    Raises:
        LabellingError: as `apply_to_frame`.
    """
    first = {} if first_failures is None else first_failures
    return map(_Applier(list(lfs), VoteEncoder(lfs, labels), folder, tolerant, first), work)


def count_failures(lfs: Sequence[LabelingFunction], votes: LabelMatrix) -> dict[str, int]:
    """Name of a labelling function → how often it FAILED, where it did; votes (r, m)."""
    counts = (votes == FAILED).sum(axis=0).tolist()
    return {lf.name: count for lf, count in zip(lfs, counts, strict=True) if count}


@dataclass
class _Applier:
    """Applies LFs to pieces of work."""

    lfs: list[LabelingFunction]
    encoder: VoteEncoder
    folder: Path | None
    tolerant: bool
    first_failures: dict[str, LabellingError] = field(default_factory=dict)

    def __call__(self, pieces: list[Work]) -> list[LabelMatrix]:
        return [self._apply(piece) for piece in pieces]

    def _apply(self, work: Work) -> LabelMatrix:
        lfs = [self.lfs[number] for number in work.numbers]
        _check_columns(lfs, work.columns)
        votes = np.full((len(work.names), len(lfs)), ABSTAIN, np.int8)
        self._keywords(lfs, work, votes)
        for j, lf in enumerate(lfs):
            if is_data(lf) and type(lf) is not KeywordLF:
                hits = lf.rule.hits(work.columns[lf.column])
                votes[hits, j] = self._encode(work.numbers[j], [lf.label], work)[0]
        others = [(j, lf) for j, lf in enumerate(lfs) if not is_data(lf)]
        rows = rows_of(work.columns, len(work.names)) if others else []
        with in_folder(self.folder if others else None):
            # One LF after the other: each row still meets its LFs in their order, as with Snorkel.
            for j, _ in others:
                votes[:, j] = self._call_all(work.numbers[j], work, rows)
        return votes

    def _encode(self, number: int, votes: Sequence[Any], work: Work) -> LabelMatrix:
        return self.encoder.encode(number, votes, lambda row: _point(work, row))

    def _keywords(self, lfs: Sequence[LabelingFunction], work: Work, votes: LabelMatrix) -> None:
        by_column: dict[str, list[int]] = {}
        for j, lf in enumerate(lfs):
            if type(lf) is KeywordLF:
                by_column.setdefault(lf.column, []).append(j)
        for column, numbers in by_column.items():
            group = [lfs[j] for j in numbers]
            cast = [self._encode(work.numbers[j], [lfs[j].label], work)[0] for j in numbers]
            rows, found = keyword_hits(group, work.columns[column])
            votes[rows, np.array(numbers)[found]] = np.array(cast, np.int8)[found]

    def _call_all(self, number: int, work: Work, rows: list[Row]) -> LabelMatrix:
        """One LF's votes on all rows (r,); where it raises, an error or FAILED."""
        lf = self.lfs[number]
        call = _plain_call(lf)
        votes: list[object] = []
        failed: list[int] = []
        while len(votes) < len(rows):
            try:
                with user_code(lambda error: self._failure(lf, error, work, len(votes))):
                    votes.extend(map(call, rows[len(votes) :]))  # what was voted before a failure stays
            except LabellingError as error:
                if not self.tolerant:
                    raise
                self.first_failures.setdefault(lf.name, error)
                failed.append(len(votes))
                votes.append(ABSTAIN)
        cast = self._encode(number, votes, work)
        cast[failed] = FAILED
        return cast

    def _failure(self, lf: LabelingFunction, error: BaseException, work: Work, row: int) -> LabellingError:
        code = getattr(lf._f, "__code__", None)
        where = place(error, self.folder, *([code.co_filename] if code else []))
        missing = [name for name, values in work.columns.items() if is_missing(values[row])]
        hint = f" ({listed(missing)} is missing there)" if missing else ""
        return LabellingError(
            f"the labelling function {lf.name!r} failed on {_point(work, row)}{hint}"
            f"{f', at {where}' if where else ''}: {said(error)}; "
            "fix it, or allow failures with --fault-tolerant, which counts them as abstentions"
        )


def _plain_call(lf: LabelingFunction) -> Callable[[Row], object]:
    """The LF's own function where nothing runs before it, else the LF."""
    if type(lf) is LabelingFunction and not lf._pre and not lf._resources:
        return lf._f  # type: ignore[no-any-return]
    return lf  # type: ignore[no-any-return]


def _point(work: Work, row: int) -> str:
    if {*KEYS} <= set(work.columns):
        return f"data point {work.columns['table_name'][row]}/{work.columns['id'][row]}"
    return f"row {work.names[row]}"


def _check_columns(lfs: Sequence[LabelingFunction], columns: Mapping[str, Sequence[Any]]) -> None:
    for lf in lfs:
        if isinstance(lf, RuleLF) and lf.column not in columns:
            raise LabellingError(
                f"the labelling function {lf.name!r} needs the column {lf.column!r}; the LF features are "
                f"{listed([c for c in columns if c not in KEYS], 20)}; "
                "name it under lf_features in the task file"
            )

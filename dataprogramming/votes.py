"""Votes with their keys: what labelling functions said of which data point."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.errors import FrameError, LabellingError, listed
from adaptml.files import replacing
from adaptml.frames import KEYS, METADATA, key_arrays, points_writer
from adaptml.reports.texts import ReadTexts
from adaptml.tasks import names
from adaptml.tasks.vote_codes import Sets, VoteCodes, sets_in
from dataprogramming.kept_votes import Reuse
from dataprogramming.label_models.core import Gold, Indicator, LabelMatrix
from dataprogramming.lf_table import lf_table
from dataprogramming.patterns import CastVotes, PatternsAdded, VotePatterns, as_patterns

CHUNK_ROWS = 100_000
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Votes:
    """The votes of m labelling functions on n data points.

    Attributes:
        keys: `table_name` and `id` (n rows).
        cast: the votes, as a label matrix, int8 (n, m), or as the distinct rows of one; see `L` and
            `patterns`.
        lf_names: m names.
        class_names: k names, in the task's order.
        task: name of the task.
        setting: `multiclass` or `multilabel`.
        sets: what the codes from k on stand for: k + i is a vote for one of the classes numbered in sets[i].
        Y: the points' true classes, int8 (n, k), values in {0, 1}; None where they are not known.
        gold: votes on the task's gold points, whose `Y` is known; None without gold.
        judges: which of the task's gold points judge only, bool (n,); None of other points.
        set_aside: how many more of its gold points are not here, because they judge only.
        failures: name of a labelling function → how often it failed and abstained, where that was allowed.
        read_texts: reads what annotators see of some points; None where it cannot be read.
        reuse: how many of the votes were kept from before; None where none was looked up.

    Example:
        >>> votes = project.apply_lfs("spam", "comments")
        >>> votes
        Votes(24 points, 5 labelling functions, task spam)
        >>> votes.frame.columns.tolist()
        ['table_name', 'id', 'subscribe', 'check_out', 'link', 'praise', 'song']
        >>> votes.summary()["votes"].tolist()
        [4, 5, 4, 8, 8]
    """

    keys: pd.DataFrame
    cast: CastVotes
    lf_names: tuple[str, ...]
    class_names: tuple[str, ...]
    task: str
    setting: str
    Y: Indicator | None = None
    gold: "Votes | None" = None
    judges: npt.NDArray[np.bool_] | None = None
    set_aside: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    read_texts: ReadTexts | None = None
    reuse: Reuse | None = None
    sets: Sets = ()

    def __len__(self) -> int:
        """Number of data points."""
        return len(self.cast)

    @cached_property
    def L(self) -> LabelMatrix:  # noqa: N802 - as the field calls it
        """Label matrix, int8 (n, m), values in {-1, 0 … k-1}, and from k on for sets of classes; -1 abstains.

        Of many points it is made when it is first asked for: n * m bytes.
        """
        return self.cast.matrix() if isinstance(self.cast, VotePatterns) else self.cast

    @cached_property
    def patterns(self) -> VotePatterns:
        """The distinct rows of the label matrix, and which of them each point has."""
        return as_patterns(self.cast)

    def __repr__(self) -> str:
        return f"Votes({len(self)} points, {len(self.lf_names)} labelling functions, task {self.task})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the table of labelling functions."""
        table = self.summary().to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        return f"<p>{escape(repr(self))}, {self.patterns.is_covered.mean():.1%} with votes</p>{table}"

    @property
    def codes(self) -> VoteCodes:
        """What the numbers of the label matrix stand for."""
        return VoteCodes(len(self.class_names), self.sets)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """`table_name`, `id`, and an int8 column per labelling function (n rows)."""
        columns = {name: self.L[:, j] for j, name in enumerate(self.lf_names)}
        return pd.concat([self.keys[KEYS].reset_index(drop=True), pd.DataFrame(columns)], axis=1)

    def summary(self) -> pd.DataFrame:
        """A row per labelling function; with gold also how often it is right, see `lf_table`."""
        judged = self._judged()
        gold = None if judged is None or judged.Y is None else Gold(judged.L, judged.Y)
        return lf_table(self.cast, self.lf_names, self.class_names, self.sets, gold=gold)

    def rows(
        self,
        lf: str | None = None,
        *,
        wrong: bool = False,
        conflicts: bool = False,
        n: int | None = None,
    ) -> pd.DataFrame:
        """The data points behind a number, with their texts and every labelling function's vote.

        Args:
            lf: only points on which this labelling function votes; None for any.
            wrong: only gold points of whose classes the vote is none.
            conflicts: only points with two votes that cannot both be right.
            n: at most so many, the first ones; None for all.

        Returns:
            Frame: table_name, id, one column per text, `gold_label` where it is known, and one column per
            labelling function with the name of the class that it votes for, or "cat or dog" and "not cat" for
            a set, None where it abstains.

        Raises:
            LabellingError: no such labelling function, or there is no gold to be wrong on.
        """
        if lf is not None and lf not in self.lf_names:
            raise LabellingError(f"no labelling function {lf!r}; expected one of {listed(self.lf_names, 20)}")
        source = self._judged() if wrong else self
        if source is None:
            raise LabellingError(
                f"task {self.task!r} has no gold points here, so no vote is known to be wrong; make gold "
                "with `adaptml process-annotations`, or apply the labelling functions to data with gold_label"
            )
        chosen = source.L >= 0 if lf is None else source.L[:, [source.lf_names.index(lf)]] >= 0
        if wrong:
            chosen = chosen & source.is_wrong()[:, _places(source, lf)]
        mask = np.asarray(chosen.any(axis=1))
        return source.shown(_first(np.asarray(mask & source.disagree()) if conflicts else mask, n))

    def uncovered(self, n: int | None = None) -> pd.DataFrame:
        """The data points without a vote, all or the first n, as `rows` gives them."""
        return self.shown(_first(~self.patterns.is_covered, n))

    def disagreements(self, n: int | None = None) -> pd.DataFrame:
        """The data points with votes for different classes, all or the first n, as `rows` gives them."""
        return self.shown(_first(self.disagree(), n))

    def disagree(self) -> Mask:
        """Which points have two votes that cannot both be right: bool (n,)."""
        return np.asarray(self.codes.disagree(self.patterns.rows)[self.patterns.which])

    def is_wrong(self) -> Mask:
        """Which votes are for none of the classes that the point has: bool (n, m); needs `Y`."""
        Y = np.zeros((len(self), len(self.class_names)), np.int8) if self.Y is None else self.Y
        return np.asarray((self.L >= 0) & ~self.codes.right(self.L, Y))

    def shown(self, mask: Mask, more: Mapping[str, Sequence[object]] | None = None) -> pd.DataFrame:
        """Some data points as `rows` gives them.

        Args:
            mask: which of the n points.
            more: further columns, of as many values as points are chosen.
        """
        frame = self.keys.loc[mask, KEYS].reset_index(drop=True)
        if self.read_texts is not None and len(frame):
            texts = self.read_texts(frame).drop_duplicates(KEYS)
            frame = frame.merge(texts, on=KEYS, how="left", validate="many_to_one")
        for name, values in (more or {}).items():
            frame[name] = pd.Series(list(values), dtype=object)
        if self.Y is not None:
            frame["gold_label"] = pd.Series(names(self.Y[mask], self.class_names), dtype=object)
        votes = self.patterns.rows[self.patterns.which[mask]]
        # The last one is what -1 takes.
        words = np.array([*self.codes.names(self.class_names), None], dtype=object)
        columns = {name: words[votes[:, j]] for j, name in enumerate(self.lf_names)}
        return pd.concat([frame, pd.DataFrame(columns, dtype=object, index=frame.index)], axis=1)

    def save(self, path: Path) -> Path:
        """Write the votes as Parquet, whole or not at all; returns the path.

        The names of task, setting and classes stand in the file's metadata, and the sets of classes.
        """
        said = {
            "task": self.task,
            "setting": self.setting,
            "classes": list(self.class_names),
            "sets": self.sets,
        }
        schema = pa.schema(
            [(key, pa.large_string()) for key in KEYS] + [(name, pa.int8()) for name in self.lf_names],
            metadata={METADATA: json.dumps(said, ensure_ascii=False)},
        )
        by_lf = np.ascontiguousarray(self.patterns.rows.T)
        with replacing(path) as temporary, points_writer(temporary, schema) as file:
            for start in range(0, len(self), CHUNK_ROWS):
                some = slice(start, start + CHUNK_ROWS)
                which = self.patterns.which[some].astype(np.intp)  # once, not for each column
                columns = [*key_arrays(self.keys, some), *(pa.array(votes[which]) for votes in by_lf)]
                file.write_table(pa.Table.from_arrays(columns, schema=schema))
        return path

    @classmethod
    def load(cls, path: Path) -> "Votes":
        """Read what `save` wrote.

        Raises:
            FrameError: no such file, or one of something else.
        """
        keys: list[pa.RecordBatch] = []
        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
                said = json.loads(schema.metadata[METADATA.encode()])
                lf_names = tuple(name for name in schema.names if name not in KEYS)
                added = PatternsAdded(len(lf_names))
                for batch in file.iter_batches(CHUNK_ROWS):
                    keys.append(batch.select(KEYS))
                    columns = [batch.column(name).to_numpy() for name in lf_names]
                    added.add(np.stack(columns, axis=1).astype(np.int8, copy=False))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FrameError(
                f"{path} holds no votes ({type(error).__name__}); name a votes.parquet"
            ) from error
        points = pa.Table.from_batches(keys, pa.schema([schema.field(key) for key in KEYS])).to_pandas()
        classes, sets = tuple(said["classes"]), sets_in(said)
        return cls(points, added.found(), lf_names, classes, said["task"], said["setting"], sets=sets)

    def _judged(self) -> "Votes | None":
        """The votes whose truth is known."""
        return self if self.Y is not None else self.gold


def _first(mask: Mask, n: int | None) -> Mask:
    """The first n rows that a mask chooses; all for None."""
    return mask if n is None else np.asarray(mask & (np.cumsum(mask) <= n))


def _places(votes: Votes, lf: str | None) -> list[int]:
    return list(range(len(votes.lf_names))) if lf is None else [votes.lf_names.index(lf)]

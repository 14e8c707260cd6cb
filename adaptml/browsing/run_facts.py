"""What a `label` run found of the rows of a table: votes of its rules, labels, rows nobody votes on."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adaptml.browsing.conditions import EMPTY, Condition, compare, number
from adaptml.browsing.facts import (
    DISAGREEMENT,
    LABEL_PROB,
    UNCOVERED,
    VOTE,
    VOTES,
    Batch,
    all_hold,
)
from adaptml.errors import FrameError, listed
from adaptml.frames import KEYS, read_metadata
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.artifacts import VOTES as VOTES_FILE
from adaptml.tasks import ABSTAIN, NONE_CHOICE
from adaptml.tasks.vote_codes import VoteCodes, sets_in

MOST_RUNS = 20  # of which is looked for one on the table

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class LabelRun:
    """The files of one run of `label`, as far as they are on the rows of one table.

    Attributes:
        run_id: the run.
        table: the data table.
        votes: `votes.parquet`.
        labels: `training_data.parquet`.
    """

    run_id: str
    table: str
    votes: Path
    labels: Path

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes that the run was made with."""
        return list(read_metadata(self.votes).get("classes") or [])

    @cached_property
    def codes(self) -> VoteCodes:
        """What the numbers of its votes stand for."""
        return VoteCodes(len(self.classes), sets_in(read_metadata(self.votes)))

    @cached_property
    def rules(self) -> list[str]:
        """Names of its labelling functions."""
        return [name for name in pq.read_schema(self.votes).names if name not in KEYS]

    @cached_property
    def ids(self) -> pa.LargeStringArray:
        """Ids of the n rows, in the order of the run."""
        return self._column(self.votes, "id").cast(pa.large_string())

    def votes_of(self, rule: str) -> Codes:
        """One rule's votes: int8 (n,), values in {-1, 0 … k-1}, and from k on for sets of classes.

        Raises:
            FrameError: the run has no such rule.
        """
        if rule not in self.rules:
            raise FrameError(
                f"run {self.run_id} has no labelling function {rule!r}; it has {listed(self.rules, 20)}"
            )
        found: Codes = self._column(self.votes, rule).to_numpy(zero_copy_only=False)
        return found

    @cached_property
    def covered(self) -> tuple[Mask, Mask]:
        """Which rows have a vote, and which have votes for different classes: bool (n,) each."""
        cast = np.zeros((len(self.ids), len(self.codes.apart)), np.bool_)
        rows = np.arange(len(cast))
        for rule in self.rules:
            cast[rows, self.votes_of(rule)] = True
        return np.asarray(cast[:, :-1].any(axis=1)), self.codes.contradict(cast)

    @cached_property
    def labelled(self) -> tuple[npt.NDArray[np.int64], pa.Array, npt.NDArray[np.float64]]:
        """Of each row its place among the labelled ones (-1: none), and their labels and probabilities."""
        ids = self._column(self.labels, "id").cast(pa.large_string())
        places = pc.fill_null(pc.index_in(self.ids, ids), -1).to_numpy(zero_copy_only=False)
        probs = self._column(self.labels, "label_probs")
        flat = pc.list_flatten(probs).to_numpy(zero_copy_only=False).astype(np.float64)
        return places.astype(np.int64), self._column(self.labels, "label"), flat.reshape(len(ids), -1)

    def named(self, code: int) -> str | None:
        """The class that a vote is for, or set such as "cat or dog"; None where it is for none."""
        return None if code == ABSTAIN else self._names[code]

    @cached_property
    def _names(self) -> list[str]:
        return self.codes.names(self.classes)

    def of_rows(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is known of some rows: `votes` (rule → class, of those that vote), `label`, `probs`."""
        places = pc.index_in(pa.array(list(ids), pa.large_string()), self.ids).to_pylist()
        there = {key: place for key, place in zip(ids, places, strict=True) if place is not None}
        found: dict[str, dict[str, Any]] = {key: {"votes": {}, "label": None, "probs": {}} for key in there}
        for rule in self.rules:
            votes = self.votes_of(rule)
            for key, place in there.items():
                name = self.named(int(votes[place]))
                if name is not None:
                    found[key]["votes"][rule] = name
        of_label, labels, probs = self.labelled
        for key, place in there.items():
            at = int(of_label[place])
            if at >= 0:
                found[key]["label"] = labels[at].as_py()
                found[key]["probs"] = dict(zip(self.classes, probs[at].tolist(), strict=False))
        return found

    def _column(self, path: Path, name: str) -> Any:
        """One column of the rows of the table."""
        read = pq.read_table(path, columns=["table_name", name])
        chosen = pc.equal(read.column("table_name").cast(pa.large_string()), self.table)
        return read.filter(chosen).column(name).combine_chunks()


@dataclass(frozen=True, eq=False)
class RunFacts:
    """Rows by what a `label` run found of them; rows that it was not given have no vote and no label.

    Attributes:
        run: the run.
        conditions: on `@vote:RULE`, `@votes`, `@label` and `@prob:CLASS`, all of which hold.
    """

    run: LabelRun
    conditions: Sequence[Condition]

    @property
    def lists(self) -> bool:
        """See `Facts`."""
        return lists_rows(self.conditions)

    def batch(self, after: str | None, n: int) -> Batch:
        """See `Facts`; in the order of the run."""
        start = 0 if after is None else pc.index(self.run.ids, after).as_py() + 1
        places = np.flatnonzero(self._mask[start:])[:n] + start
        ids = self.run.ids.take(pa.array(places)).to_pylist()
        return Batch(ids, ids[-1] if len(ids) == n else None)

    def holds(self, ids: Sequence[str]) -> Collection[str]:
        """See `Facts`."""
        places = pc.index_in(pa.array(list(ids), pa.large_string()), self.run.ids).to_pylist()
        elsewhere = not self.lists
        return {
            key
            for key, place in zip(ids, places, strict=True)
            if (elsewhere if place is None else self._mask[place])
        }

    def count(self) -> int:
        """How many rows of the run meet the conditions."""
        return int(self._mask.sum())

    @cached_property
    def _mask(self) -> Mask:
        """Which of the run's rows meet all conditions."""
        found = np.ones(len(self.run.ids), dtype=bool)
        for condition in self.conditions:
            found &= self._of(condition)
        return found

    def _of(self, condition: Condition) -> Mask:
        if condition.column.startswith(VOTE):
            return self._of_rule(condition)
        if condition.column == VOTES:
            has_any, apart = self.run.covered
            states = {UNCOVERED: ~has_any, DISAGREEMENT: apart}
            if condition.op != "is" or condition.value not in states:
                raise FrameError(
                    f"{str(condition)!r} cannot be asked; expected @votes is {listed(list(states))}"
                )
            return states[condition.value]
        if condition.column.startswith(LABEL_PROB):
            return self._of_probability(condition)
        return self._of_label(condition)

    def _of_rule(self, condition: Condition) -> Mask:
        votes = self.run.votes_of(condition.column.removeprefix(VOTE))
        if condition.op in (EMPTY, "is-filled"):
            found: Mask = (votes == ABSTAIN) == (condition.op == EMPTY)
            return found
        self._check_class(condition.value)
        same: Mask = self.run.codes.members[votes, self.run.classes.index(condition.value)]
        return same if condition.op == "is" else ~same

    def _of_probability(self, condition: Condition) -> Mask:
        name = condition.column.removeprefix(LABEL_PROB)
        self._check_class(name)
        places, _, probs = self.run.labelled
        holds = compare(condition.op)(probs[:, self.run.classes.index(name)], float(number(condition)))
        return np.where(places >= 0, np.append(holds, False)[places], False)

    def _of_label(self, condition: Condition) -> Mask:
        places, labels, _ = self.run.labelled
        if condition.op in (EMPTY, "is-filled"):
            found: Mask = (places < 0) == (condition.op == EMPTY)
            return found
        given = np.zeros(len(labels) + 1, dtype=bool)  # the last one stands for rows without a label
        if condition.value == NONE_CHOICE:
            given[:-1] = pc.equal(pc.list_value_length(labels), 0).to_numpy(zero_copy_only=False)
        else:
            self._check_class(condition.value)
            same = pc.equal(pc.list_flatten(labels).cast(pa.large_string()), condition.value)
            given[pc.list_parent_indices(labels).filter(same).to_numpy(zero_copy_only=False)] = True
        return given[places] if condition.op == "is" else ~given[places]

    def _check_class(self, name: str) -> None:
        if name not in self.run.classes:
            raise FrameError(
                f"run {self.run.run_id} knows no class {name!r}; "
                f"expected one of {listed(self.run.classes, 20)}"
            )


def lists_rows(conditions: Sequence[Condition]) -> bool:
    """Whether a run can list the rows that meet conditions: rows that it was not given do not meet them."""
    return any(condition.column == VOTES or not all_hold([condition], None, {}) for condition in conditions)


def label_runs(project: Project, task: str, table: str, folder: Path) -> Iterator[LabelRun]:
    """The complete runs of `label` that were given rows of a table, the newest first; looks at 20 at most.

    Args:
        project: whose runs.
        task: the task's name.
        table: a data table.
        folder: where files of a run may be copied to.

    Raises:
        TrackingError: the tracking server or store cannot be used.
    """
    from adaptml.runs.listing import list_runs  # MLflow takes a second

    runs = list_runs(project, task)
    runs = runs[(runs["step"] == "label") & (runs["status"] == "FINISHED")].head(MOST_RUNS)
    for run_id in runs["run_id"]:
        names = project.runs.artifacts(run_id)
        if not {VOTES_FILE, TRAINING_DATA} <= names:  # of before votes had keys
            continue
        into = folder / run_id
        into.mkdir(parents=True, exist_ok=True)
        votes, labels = (project.runs.artifact(run_id, name, into) for name in (VOTES_FILE, TRAINING_DATA))
        found = _label_run(run_id, table, votes, labels)
        if len(found.ids):
            yield found


@lru_cache(maxsize=8)
def _label_run(run_id: str, table: str, votes: Path, labels: Path) -> LabelRun:
    """A run, with what was read of its files, which do not change any more."""
    return LabelRun(run_id, table, votes, labels)
